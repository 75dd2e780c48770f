"""The dashboard, which is the index page of the admin site."""

from __future__ import annotations

from django.core.cache import cache
from django.http import HttpRequest

from mechanic_shop.accounts.models import User
from mechanic_shop.admin import user_of
from mechanic_shop.core.registry import dashboard_cards

from .cards.card import Figures
from .cards.first_steps import first_steps
from .dashboard_cards import SEE_TICKETS

CACHE_SECONDS = 60


def dashboard_callback(request: HttpRequest, context: Figures) -> Figures:
    """Add the dashboard to the context; unfold calls this for the first page."""
    user = user_of(request)
    figures = figures_for(user)
    return {
        **context,
        **figures,
        "title": "Dashboard",
        "steps": first_steps(user, figures.get("found")),
        "can_restock": user.has_perm("inventory.adjust_quantity"),
        "can_open_ticket": user.has_perm("tickets.add_serviceticket"),
        "sees_tickets": user.has_perm(SEE_TICKETS),
    }


def figures_for(user: User) -> Figures:
    """Return the figures that somebody with the user's permissions may see.

    They are cached for a minute, with the relevant permissions in the key: users with
    the same permissions see the same figures, and none depends on the single user.
    """
    held = [
        permission for permission in relevant_permissions() if user.has_perm(permission)
    ]
    figures: Figures | None = cache.get(cache_key(held))
    if figures is None:
        figures = _figures(set(held))
        # While a shop is being set up, each finished step has to show at once.
        if "found" not in figures:
            cache.set(cache_key(held), figures, CACHE_SECONDS)
    return figures


def cache_key(held: list[str]) -> str:
    return ":".join(["dashboard", *held])


def _figures(held: set[str]) -> Figures:
    figures: Figures = {"cards": []}
    for card in dashboard_cards:
        if card.permissions <= held:
            section = card.read()
            figures["cards"] += section.pop("cards", [])
            figures |= section
    return figures


def relevant_permissions() -> list[str]:
    """Return the permissions that decide what the dashboard shows."""
    return sorted(frozenset().union(*(card.permissions for card in dashboard_cards)))
