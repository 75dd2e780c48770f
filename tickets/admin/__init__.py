"""Service tickets in the back office."""

from django.contrib import admin

from . import (
    history,  # noqa: F401  (shows tickets below people and cars)
    search,  # noqa: F401  (answers Ctrl+K)
)
from .pages import (
    ServiceTicketAdmin,
    TicketEventAdmin,
    TicketMechanicAdmin,
    TicketPartAdmin,
)

# Unfold's own template comes first in the search, so this one needs its own name.
admin.site.index_template = "admin/dashboard.html"

__all__ = [
    "ServiceTicketAdmin",
    "TicketEventAdmin",
    "TicketMechanicAdmin",
    "TicketPartAdmin",
]
