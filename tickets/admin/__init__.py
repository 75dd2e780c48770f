"""Service tickets in the back office."""

from .pages import (
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
