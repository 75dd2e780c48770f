from typing import Any

from django.db import migrations

from mechanic_shop.core.search_columns import SearchTextField, refresh_search_columns

COLUMNS: dict[str, dict[str, Any]] = {
    "Part": {
        "search_text": SearchTextField(
            words=("name", "description", "category", "manufacturer", "supplier"),
            identifiers=("part_number",),
        ),
    },
}


def fill(apps: Any, schema_editor: Any) -> None:
    for name, columns in COLUMNS.items():
        model = apps.get_model("inventory", name)
        refresh_search_columns(model, columns, schema_editor.connection.alias)


class Migration(migrations.Migration):
    """Fill the search columns, each batch on its own: it can be run again."""

    atomic = False

    dependencies = [("inventory", "0006_search_columns")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
