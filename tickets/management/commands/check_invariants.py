"""``manage.py check_invariants``: whether stock, tickets and their trails agree."""

from __future__ import annotations

from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inventory.models import Part
from tickets.invariants import find_violations
from tickets.models import ServiceTicket

#: More would not be read; the rest is only counted.
LINES = 100


class Command(BaseCommand):
    help = "Check that stock, tickets and their trails agree; never change a row."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say that all is well.

        :raises CommandError: listing the violations, if it is not
        """
        violations = find_violations()
        lines = list(islice(violations, LINES))
        if rest := sum(1 for _ in violations):
            lines.append(f"... and {rest} more.")
        if lines:
            raise CommandError("\n".join(lines))
        parts, tickets = Part.objects.count(), ServiceTicket.objects.count()
        self.stdout.write(
            f"All invariants hold: {parts} parts, {tickets} tickets checked."
        )
