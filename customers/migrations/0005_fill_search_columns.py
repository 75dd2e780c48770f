from typing import Any

from django.db import migrations

from mechanic_shop.core.search_columns import IdentifierField, SearchTextField, refresh_search_columns

COLUMNS: dict[str, dict[str, Any]] = {
    "Customer": {
        "search_text": SearchTextField(
            words=("first_name", "last_name", "email"), identifiers=("phone",)
        ),
        "phone_key": IdentifierField("phone", max_length=50),
    },
    "Vehicle": {
        "search_text": SearchTextField(
            words=("year", "make", "model"), identifiers=("license_plate", "vin")
        ),
        "plate_key": IdentifierField("license_plate", max_length=20),
    },
}


def fill(apps: Any, schema_editor: Any) -> None:
    for name, columns in COLUMNS.items():
        model = apps.get_model("customers", name)
        refresh_search_columns(model, columns, schema_editor.connection.alias)


class Migration(migrations.Migration):
    """Fill the search columns, each batch on its own: it can be run again."""

    atomic = False

    dependencies = [("customers", "0004_search_columns")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
