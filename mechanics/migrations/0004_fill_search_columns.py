from typing import Any

from django.db import migrations

from mechanic_shop.core.search_columns import SearchTextField, refresh_search_columns

COLUMNS: dict[str, dict[str, Any]] = {
    "Mechanic": {
        "search_text": SearchTextField(
            words=("full_name", "email"), identifiers=("phone",)
        ),
    },
}


def fill(apps: Any, schema_editor: Any) -> None:
    for name, columns in COLUMNS.items():
        model = apps.get_model("mechanics", name)
        refresh_search_columns(model, columns, schema_editor.connection.alias)


class Migration(migrations.Migration):
    """Fill the search columns, each batch on its own: it can be run again."""

    atomic = False

    dependencies = [("mechanics", "0003_search_columns")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
