"""What helps when a service rejects a ticket's form, as buttons beside the message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from inventory.models import Part
from inventory.services import InsufficientStock, update_part
from mechanic_shop.admin import Offer, user_of
from mechanic_shop.admin.rejected_forms import RejectedFormMixin, RejectedPageMixin
from mechanic_shop.core.errors import NotFound
from mechanics.models import Mechanic
from tickets import services
from tickets.models import ServiceTicket, TicketStatus
from tickets.services import (
    AlreadyAssigned,
    AlreadyInstalled,
    MechanicInactive,
    PartInactive,
    TicketClosed,
)

REOPEN = "tickets.reopen_ticket"
REACTIVATE_MECHANIC = "mechanics.change_mechanic"
REACTIVATE_PART = "inventory.change_part"


class PartOffersMixin(RejectedFormMixin):
    """Offers in the row of a part."""

    error_fields: ClassVar = {
        InsufficientStock: "quantity_used",
        PartInactive: "part",
        AlreadyInstalled: "part",
        NotFound: "part",
    }

    def get_offers(
        self, request: HttpRequest, form: Any, error: Exception
    ) -> Iterable[Offer]:
        if isinstance(error, InsufficientStock):
            missing = error.extra["requested"] - error.extra["available"]
            rest = form.cleaned_data["quantity_used"] - missing
            if rest > 0:
                name = form.add_prefix("quantity_used")
                yield Offer(f"Take {rest:,}", values={name: rest})
        if isinstance(error, PartInactive) and request.user.has_perm(REACTIVATE_PART):
            pk = form.instance.part_id
            yield Offer("Keep this part again", accepts=f"reactivate_part:{pk}")


class MechanicOffersMixin(RejectedFormMixin):
    """Offers in the row of a mechanic."""

    error_fields: ClassVar = {
        MechanicInactive: "mechanic",
        AlreadyAssigned: "mechanic",
        NotFound: "mechanic",
    }

    def get_offers(
        self, request: HttpRequest, form: Any, error: Exception
    ) -> Iterable[Offer]:
        may_reactivate = request.user.has_perm(REACTIVATE_MECHANIC)
        if isinstance(error, MechanicInactive) and may_reactivate:
            mechanic = form.instance.mechanic
            accepts = f"reactivate_mechanic:{mechanic.pk}"
            yield Offer(f"Reactivate {mechanic}", accepts=accepts)


def reopen(request: HttpRequest, pk: str) -> None:
    if not request.user.has_perm(REOPEN):
        raise PermissionDenied
    ticket = get_object_or_404(ServiceTicket, pk=pk)
    if ticket.is_closed:
        status = TicketStatus.IN_PROGRESS
        services.move_ticket(ticket=ticket, status=status, by=user_of(request))


def reactivate_part(request: HttpRequest, pk: str) -> None:
    if not request.user.has_perm(REACTIVATE_PART):
        raise PermissionDenied
    part = get_object_or_404(Part, pk=pk)
    update_part(part=part, by=user_of(request), is_active=True)


def reactivate_mechanic(request: HttpRequest, pk: str) -> None:
    """Reactivate a mechanic as the button on the mechanic's page does."""
    if not request.user.has_perm(REACTIVATE_MECHANIC):
        raise PermissionDenied
    mechanic = get_object_or_404(Mechanic, pk=pk)
    page: Any = admin.site.get_model_admin(Mechanic)
    page.reactivate_row(request, mechanic)


class TicketOffersMixin(RejectedPageMixin):
    """Offers for the ticket's own fields."""

    acceptable: ClassVar[Mapping[str, Callable[[HttpRequest, str], None]]] = {
        "reopen": reopen,
        "reactivate_part": reactivate_part,
        "reactivate_mechanic": reactivate_mechanic,
    }

    def get_offers(
        self, request: HttpRequest, form: Any, error: Exception
    ) -> Iterable[Offer]:
        if isinstance(error, TicketClosed) and _can_reopen(request, form.instance):
            yield Offer("Reopen and save", accepts=f"reopen:{form.instance.pk}")
        if isinstance(error, ValidationError) and _is_about_owner(form, error):
            owner = form.instance.vehicle.customer
            values = {"customer": {"id": owner.pk, "text": str(owner)}}
            yield Offer(f"Choose {owner}", values=values)


def _can_reopen(request: HttpRequest, ticket: ServiceTicket) -> bool:
    completed = ServiceTicket.objects.filter(status=TicketStatus.COMPLETED)
    return request.user.has_perm(REOPEN) and completed.filter(pk=ticket.pk).exists()


def _is_about_owner(form: Any, error: ValidationError) -> bool:
    names = getattr(error, "error_dict", {})
    return "customer_id" in names and form.instance.vehicle_id is not None
