"""Numbers as the pages of tickets write them."""

from __future__ import annotations

from django import template

from mechanic_shop.core.money import format_cents

register = template.Library()

register.filter("money", format_cents)


@register.filter
def grouped(number: int) -> str:
    return f"{number:,}"
