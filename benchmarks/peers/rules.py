"""The few rules of the trade that every peer's answers need."""

from __future__ import annotations

import calendar
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

DEFAULT_MARKUP = Decimal(30)


def total_cost_cents(quantity: int, unit_cost_cents: int, markup: Decimal) -> int:
    exact = quantity * unit_cost_cents * (100 + markup) / 100
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def warranty_expires_on(installed_at: datetime, months: int | None) -> date | None:
    if months is None:
        return None
    year, month = divmod(installed_at.month - 1 + months, 12)
    year, month = installed_at.year + year, month + 1
    last_day = calendar.monthrange(year, month)[1]
    return date(year, month, min(installed_at.day, last_day))


#: Group names and the word for them in answers, the highest role first.
ROLE_WORDS = {
    "Manager": "manager",
    "Service advisor": "service_advisor",
    "Technician": "technician",
}


def role_of(groups: set[str], *, is_staff: bool) -> str:
    for group, word in ROLE_WORDS.items():
        if group in groups:
            return word
    return "staff" if is_staff else "customer"


def pagination(name: str, page: int, per_page: int, total: int) -> dict[str, object]:
    pages = max(-(-total // per_page), 1)
    return {
        "page": page,
        "per_page": per_page,
        f"total_{name}": total,
        "total_pages": pages,
        "has_next": page < pages,
        "has_prev": page > 1,
    }
