"""Who sees which entry of the sidebar."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest


def may(permission: str) -> Callable[[HttpRequest], bool]:
    """Make a check of one permission for an entry of the sidebar."""

    def check(request: HttpRequest) -> bool:
        return request.user.has_perm(permission)

    return check


# Named in ``settings.UNFOLD`` by their dotted paths.
may_view_tickets = may("tickets.view_serviceticket")
may_view_mechanics = may("mechanics.view_mechanic")
may_view_customers = may("customers.view_customer")
may_view_vehicles = may("customers.view_vehicle")
may_view_parts = may("inventory.view_part")
may_view_movements = may("inventory.view_stockmovement")
may_view_users = may("accounts.view_user")
may_view_groups = may("auth.view_group")
may_view_sessions = may("accounts.view_session")


def is_on_tickets(request: HttpRequest) -> bool:
    """Light up the tickets' entry on their pages, but not on the board beside them."""
    return (
        request.path.startswith("/admin/tickets/serviceticket/")
        and "/board/" not in request.path
    )
