"""``manage.py check_invariants``: whether stock, tickets and their trails agree."""

from __future__ import annotations

from itertools import chain, islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mechanic_shop.core.registry import checked_rows, invariants

#: More would not be read; the rest is only counted.
LINES = 100


class Command(BaseCommand):
    help = "Check that stock, tickets and their trails agree; never change a row."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the invariants of every app, and say that all is well.

        :raises CommandError: listing the violations, if it is not
        """
        violations = chain.from_iterable(check() for check in invariants)
        lines = list(islice(violations, LINES))
        if rest := sum(1 for _ in violations):
            lines.append(f"... and {rest} more.")
        if lines:
            raise CommandError("\n".join(lines))
        self.stdout.write(f"All invariants hold: {_counts()} checked.")


def _counts() -> str:
    return ", ".join(
        f"{model._default_manager.count()} {plural}" for plural, model in checked_rows
    )
