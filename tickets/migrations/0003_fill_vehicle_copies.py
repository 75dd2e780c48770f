from typing import Any

from django.db import migrations

from tickets.backfill import fill_vehicle_copies


def fill(apps: Any, schema_editor: Any) -> None:
    fill_vehicle_copies(apps, schema_editor.connection.alias)


class Migration(migrations.Migration):
    """Copy vehicles to tickets, each batch on its own: it can be run again."""

    atomic = False

    dependencies = [
        ('customers', '0003_living_customers_by_index'),
        ('tickets', '0002_vehicle_copies'),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
