"""Invariants of the stock: it equals the sum of its movements."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import BigIntegerField, F, Sum, Window
from django.db.models.functions import Cast, Coalesce, Lag

from mechanic_shop.core.registry import checked_rows, invariants

from .models import Part, StockMovement

checked_rows.add(("parts", Part))


@invariants.add
def negative_stock() -> Iterator[str]:
    parts = Part.objects.filter(quantity_in_stock__lt=0).order_by("pk")
    for pk, stock in parts.values_list("pk", "quantity_in_stock").iterator():
        yield f"Part {pk} has {stock} in stock, fewer than none."


@invariants.add
def stock_differs_from_movements() -> Iterator[str]:
    parts = (
        Part.objects.values("pk", "quantity_in_stock")
        .annotate(moved=Coalesce(Sum("movements__delta"), 0))
        .exclude(quantity_in_stock=F("moved"))
        .order_by("pk")
    )
    for part in parts.iterator():
        yield (
            f"Part {part['pk']} has {part['quantity_in_stock']} in stock,"
            f" but its movements add up to {part['moved']}."
        )


@invariants.add
def broken_ledgers() -> Iterator[str]:
    """Compare each movement with the one before, so that a fault is reported once."""
    before = Window(Lag("quantity_after"), partition_by=F("part_id"), order_by="pk")
    movements = (
        # Signed: MySQL raises an error if an unsigned result would be negative.
        StockMovement.objects.annotate(
            due=Cast(Coalesce(before, 0), BigIntegerField()) + F("delta")
        )
        .exclude(quantity_after=F("due"))
        .order_by("pk")
        .values_list("pk", "part_id", "quantity_after", "due")
    )
    for pk, part, quantity, due in movements.iterator():
        yield (
            f"Movement {pk} of part {part} says that {quantity} were left,"
            f" but with the movement before it there were {due}."
        )
