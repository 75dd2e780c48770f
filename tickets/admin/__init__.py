"""Admin pages of service tickets."""

from . import history  # noqa: F401  (registers the inlines)
from .line_lists import TicketEventAdmin, TicketMechanicAdmin, TicketPartAdmin
from .ticket_admin import ServiceTicketAdmin

__all__ = [
    "ServiceTicketAdmin",
    "TicketEventAdmin",
    "TicketMechanicAdmin",
    "TicketPartAdmin",
]
