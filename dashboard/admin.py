"""Put the dashboard, the work board and the search into the admin site."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from mechanic_shop.core.registry import SidebarLink, sidebar_links
from tickets.admin import ServiceTicketAdmin

from .board import board
from .search import search

site: Any = admin.site  # unfold's, which Django's stubs do not know
# Unfold's own template comes first in the search, so this one needs its own name.
site.index_template = "dashboard/dashboard.html"
site.search = search
ServiceTicketAdmin.register_page("board/", "tickets_serviceticket_board", board)

sidebar_links.add(
    SidebarLink("Workshop", "Dashboard", "dashboard", "admin:index", order=10)
)
sidebar_links.add(
    SidebarLink(
        "Workshop",
        "Work board",
        "view_kanban",
        "admin:tickets_serviceticket_board",
        permission="tickets.view_serviceticket",
        order=11,
    )
)
