from typing import Any

from django.db import migrations

from tickets.backfill import fill_part_copies


def fill(apps: Any, schema_editor: Any) -> None:
    fill_part_copies(apps, schema_editor.connection.alias)


class Migration(migrations.Migration):
    """Copy parts to their lines, each batch on its own: it can be run again."""

    atomic = False

    dependencies = [
        ('inventory', '0005_low_stock_by_index'),
        ('tickets', '0004_part_copies'),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
