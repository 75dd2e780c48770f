"""Parts that have to be ordered."""

from __future__ import annotations

from django.urls import reverse

from inventory.models import Part

from .. import links
from .card import Figures, build_card

MAX_LOW_STOCK_ROWS = 8


def stock_section() -> Figures:
    low = Part.objects.active().low_on_stock()
    count = low.count()
    link = links.changelist_url(Part, stock="low", is_active__exact=1)
    hint = "to be ordered" if count else "enough of everything"
    card = build_card("Parts low on stock", f"{count:,}", "inventory_2", link, hint)
    return {
        "cards": [card],
        "low_stock": [
            _low_part(part) for part in low.order_by_stock()[:MAX_LOW_STOCK_ROWS]
        ],
        "low_stock_more": max(count - MAX_LOW_STOCK_ROWS, 0),
        "low_stock_link": link,
    }


def _low_part(part: Part) -> Figures:
    return {
        "number": part.part_number,
        "name": part.name,
        "supplier": part.supplier,
        "in_stock": part.quantity_in_stock,
        "reorder_level": part.reorder_level,
        "link": links.change_url(part),
        "restock": reverse("admin:inventory_part_receive_stock", args=[part.pk]),
    }
