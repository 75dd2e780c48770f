"""Amounts as people read them. Everywhere else money is whole cents."""

from __future__ import annotations


def format_cents(cents: int) -> str:
    """Write an amount of cents in whole currency units, e.g. ``1,234.50``.

    The sum never passes through a float, so that no amount is too large to be exact.
    """
    sign = "-" if cents < 0 else ""
    units, rest = divmod(abs(cents), 100)
    return f"{sign}{units:,}.{rest:02d}"
