"""Admin pages of service tickets."""

from . import history  # noqa: F401  (registers the inlines)
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
