"""How a ticket stands and what happened to it, in the words for a customer."""

from __future__ import annotations

from django import template

from tickets.models import ServiceTicket, TicketEvent, TicketStatus

register = template.Library()

SENTENCES = {
    TicketStatus.OPEN: "Taken in",
    TicketStatus.IN_PROGRESS: "We are working on it",
    TicketStatus.WAITING: "The work is waiting",
    TicketStatus.COMPLETED: "The work is completed",
    TicketStatus.CANCELLED: "The ticket is cancelled",
}


@register.filter
def for_customer(event: TicketEvent) -> str:
    """Return the text of a note, or what the new status means."""
    if event.kind == TicketEvent.Kind.NOTE:
        return str(event.detail.get("text", ""))
    status = event.detail.get("to", event.detail.get("status", TicketStatus.OPEN))
    return SENTENCES[TicketStatus(status)]


@register.filter
def status_for_customer(ticket: ServiceTicket) -> str:
    """Return the status, or that the finished vehicle can be fetched."""
    return "Ready for pickup" if ticket.is_ready else ticket.get_status_display()
