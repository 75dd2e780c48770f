"""The figures of the dashboard, and the permissions that each needs."""

from __future__ import annotations

from mechanic_shop.core.registry import DashboardCard, dashboard_cards
from tickets.admin.permissions import CHANGE, SEE_STOCK

from .cards.events import events_section
from .cards.stock import stock_section
from .cards.tickets import tickets_section
from .cards.unfinished_work import (
    minutes_section,
    parts_value_section,
    workload_section,
)

SEE_TICKETS = "tickets.view_serviceticket"
SEE_MINUTES = "tickets.view_ticketmechanic"

for permissions, read in (
    ({SEE_TICKETS}, tickets_section),
    ({SEE_STOCK}, stock_section),
    # Users who deal with customers may see what they will pay.
    ({SEE_TICKETS, "tickets.view_ticketpart", SEE_STOCK, CHANGE}, parts_value_section),
    ({SEE_TICKETS, SEE_MINUTES}, minutes_section),
    ({SEE_TICKETS, SEE_MINUTES, "mechanics.view_mechanic"}, workload_section),
    ({SEE_TICKETS, "tickets.view_ticketevent"}, events_section),
):
    dashboard_cards.add(DashboardCard(frozenset(permissions), read))
