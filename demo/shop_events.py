"""Events beside the tickets: deliveries, stock counts and departures."""

from __future__ import annotations

from collections.abc import Iterator

from inventory.models import Part, StockMovement
from inventory.services import adjust_stock, count_stock, update_part
from mechanics.models import Mechanic

from .backdating import DAY, WEEK
from .parts import BACKORDERED, FIRST_COUNT, RETIRED_PART
from .tickets import Shop

#: When the mechanic who left had the last day of work.
LAST_DAY_OF_RETIRED = -40 * DAY


class ShopEvent:
    """Base class of stories about stock and people."""

    begins = FIRST_COUNT + DAY

    def __init__(self, shop: Shop) -> None:
        self.shop = shop


class Deliveries(ShopEvent):
    """A weekly delivery of the parts that are low on stock."""

    def steps(self) -> Iterator[int]:
        while True:
            self.receive()
            yield WEEK

    def receive(self) -> None:
        low = Part.objects.active().low_on_stock().order_by("pk")
        for part in low.exclude(part_number__in=BACKORDERED):
            adjust_stock(
                part=part,
                adjustment=max(2 * part.reorder_level, 4),
                by=self.shop.staff.manager,
                reason=StockMovement.Reason.RECEIVE,
                note=f"Weekly delivery, {part.supplier}",
            )


class StockCounts(ShopEvent):
    """Two stock counts a month, and now and then a broken part."""

    begins = FIRST_COUNT + 2 * WEEK

    def steps(self) -> Iterator[int]:
        while True:
            for part in self.draw(4):
                self.count(part)
            yield DAY
            self.drop(*self.draw(1))
            yield 2 * WEEK

    def draw(self, how_many: int) -> list[Part]:
        numbers = sorted(self.shop.parts.keys() - BACKORDERED)
        chosen = self.shop.rng.sample(numbers, how_many)
        stocked = Part.objects.active().filter(quantity_in_stock__gte=2)
        return list(stocked.filter(part_number__in=chosen).order_by("pk"))

    def count(self, part: Part) -> None:
        counted = part.quantity_in_stock + self.shop.rng.choice((-1, 0, 1))
        advisor = self.shop.staff.advisor
        count_stock(part=part, counted=counted, by=advisor, note="Shelf count")

    def drop(self, *parts: Part) -> None:
        for part in parts:
            adjust_stock(
                part=part,
                adjustment=-1,
                by=self.shop.staff.advisor,
                note="Dropped and broken",
            )


class Departures(ShopEvent):
    """A mechanic leaves, and a part is discontinued."""

    begins = LAST_DAY_OF_RETIRED

    def __init__(self, shop: Shop, mechanic: Mechanic) -> None:
        super().__init__(shop)
        self.mechanic = mechanic

    def steps(self) -> Iterator[int]:
        self.mechanic.is_active = False
        self.mechanic.save()
        yield DAY
        part = self.shop.parts[RETIRED_PART]
        update_part(part=part, by=self.shop.staff.manager, is_active=False)
