"""What the pages outside of the back office know of the shop."""

from __future__ import annotations

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def shop_logo() -> str:
    """Return the address of the shop's logo, or nothing."""
    logo: str = settings.UNFOLD["SITE_ICON"] or ""
    return logo


@register.simple_tag
def shop_name() -> str:
    name: str = settings.SHOP_NAME
    return name
