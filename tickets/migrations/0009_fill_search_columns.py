from typing import Any

from django.db import migrations

from mechanic_shop.core.search_columns import SearchTextField, refresh_search_columns

COLUMNS: dict[str, dict[str, Any]] = {
    "ServiceTicket": {
        "search_text": SearchTextField(
            words=(
                "problem_description",
                "vehicle_year",
                "vehicle_make",
                "vehicle_model",
            ),
            identifiers=("vehicle_license_plate", "vehicle_vin"),
        ),
    },
}


def fill(apps: Any, schema_editor: Any) -> None:
    for name, columns in COLUMNS.items():
        model = apps.get_model("tickets", name)
        refresh_search_columns(model, columns, schema_editor.connection.alias)


class Migration(migrations.Migration):
    """Fill the search columns, each batch on its own: it can be run again."""

    atomic = False

    dependencies = [("tickets", "0008_search_columns")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
