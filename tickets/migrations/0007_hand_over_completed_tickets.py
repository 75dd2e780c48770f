from typing import Any

from django.db import migrations

from tickets.backfill import hand_over_completed_tickets


def fill(apps: Any, schema_editor: Any) -> None:
    hand_over_completed_tickets(apps, schema_editor.connection.alias)


class Migration(migrations.Migration):
    """Vehicles that were finished before have left the shop."""

    atomic = False

    dependencies = [('tickets', '0006_handed_over_at')]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
