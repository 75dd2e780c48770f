"""Service tickets in the back office."""

from . import history  # noqa: F401  (shows tickets below people and cars)
from .ticket_admin import (
    ServiceTicketAdmin,
    TicketEventAdmin,
    TicketMechanicAdmin,
    TicketPartAdmin,
)

__all__ = [
    "ServiceTicketAdmin",
    "TicketEventAdmin",
    "TicketMechanicAdmin",
    "TicketPartAdmin",
]
