"""Compiled serializers represent rows exactly as DRF does."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from customers.models import Customer, Vehicle
from customers.serializers import (
    BriefCustomerSerializer,
    CustomerSerializer,
    ShopVehicleSerializer,
    VehicleSerializer,
)
from inventory.models import Part, StockMovement
from inventory.serializers import PartSerializer, StockMovementSerializer
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import MANAGER, TECHNICIAN
from mechanic_shop.accounts.serializers import UserSerializer
from mechanic_shop.accounts.tests.factories import user_in
from mechanic_shop.api.compiled_serializers import CompiledModelSerializer
from mechanic_shop.api.json_renderer import ShopJSONRenderer, render_json
from mechanics.models import Mechanic
from mechanics.serializers import (
    BriefMechanicSerializer,
    ListedMechanicSerializer,
    MechanicSerializer,
    RankedMechanicSerializer,
)
from mechanics.tests.factories import MechanicFactory
from tickets.models import ServiceTicket, TicketEvent, TicketMechanic, TicketPart
from tickets.serializers import (
    InstalledPartSerializer,
    ServiceTicketSerializer,
    TicketEventSerializer,
    TicketMechanicSerializer,
    TicketPartSerializer,
    TicketVehicleSerializer,
)
from tickets.services import add_note, assign_mechanic, install_part, move_ticket
from tickets.tests.factories import TicketFactory

#: Every serializer that shows rows, and where its rows are.
SHOWN: list[tuple[type[CompiledModelSerializer], Any]] = [
    (CustomerSerializer, Customer.objects),
    (BriefCustomerSerializer, Customer.objects),
    (VehicleSerializer, Vehicle.objects),
    (ShopVehicleSerializer, Vehicle.objects),
    (UserSerializer, User.objects),
    (MechanicSerializer, Mechanic.objects),
    (ListedMechanicSerializer, Mechanic.objects),
    (RankedMechanicSerializer, Mechanic.objects),
    (BriefMechanicSerializer, Mechanic.objects),
    (PartSerializer, Part.objects),
    (StockMovementSerializer, StockMovement.objects),
    (ServiceTicketSerializer, ServiceTicket.objects),
    (TicketVehicleSerializer, ServiceTicket.objects),
    (TicketMechanicSerializer, TicketMechanic.objects),
    (TicketPartSerializer, TicketPart.objects),
    (InstalledPartSerializer, TicketPart.objects),
    (TicketEventSerializer, TicketEvent.objects),
]


@pytest.fixture
def shop() -> None:
    """A shop with work in it, some of it done, some given back, some without dates."""
    by, mechanic = user_in(MANAGER), MechanicFactory.create()
    for cancelled in (False, True):
        ticket = TicketFactory.create()
        part = PartFactory.create(quantity_in_stock=5, current_cost_cents=1_999)
        assign_mechanic(ticket=ticket, mechanic=mechanic, by=by, minutes_worked=15)
        install_part(ticket=ticket, part=part, quantity_used=2, by=by)
        install_part(
            ticket=ticket,
            part=PartFactory.create(quantity_in_stock=5),
            quantity_used=1,
            by=by,
            installed_by=mechanic,
            warranty_months=12,
            markup_percentage=Decimal("33.33"),
        )
        add_note(ticket=ticket, by=by, text="Zoë called", visible_to_customer=True)
        if cancelled:
            move_ticket(ticket=ticket, status="cancelled", by=by)


def drf_representation(serializer: CompiledModelSerializer, row: Any) -> Any:
    return super(CompiledModelSerializer, serializer).to_representation(row)


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("role", ["manager", "technician", "customer", "nobody"])
@pytest.mark.parametrize(
    ("serializer", "rows"), SHOWN, ids=[kind.__name__ for kind, _ in SHOWN]
)
class TestPlan:
    def test_says_what_the_fields_say(
        self, serializer: type[CompiledModelSerializer], rows: Any, role: str
    ) -> None:
        request = Request(APIRequestFactory().get("/"))
        request.user = login_of(role)
        shown = list(with_counts(rows.all()))

        assert shown
        for row in shown:
            compiled = serializer(context={"request": request})
            plan = compiled.to_representation(row)
            fields = drf_representation(serializer(context={"request": request}), row)
            assert list(plan) == list(fields)
            assert render_json(plan) == JSONRenderer().render(fields)


def login_of(role: str) -> Any:
    if role == "nobody":
        return AnonymousUser()
    if role == "customer":
        customer = Customer.objects.exclude(user=None).first()
        assert customer is not None
        return customer.user
    return user_in({"manager": MANAGER, "technician": TECHNICIAN}[role])


def with_counts(rows: Any) -> Any:
    return rows.with_ticket_count() if rows.model is Mechanic else rows


#: Only the bodies of requests, the bases, what is shown as part of others, and what
#: adds something to its plan.
NOT_SHOWN = {
    "ActorSerializer",
    "MeResponseSerializer",
    "MeSerializer",
    "RegisterSerializer",
    "ReadOnlyModelSerializer",
    "StrictModelSerializer",
    "UpdateCustomerSerializer",
}


class TestEverySerializerThatIsShown:
    def test_is_compared(self) -> None:
        compared = {kind.__name__ for kind, _ in SHOWN}

        assert {kind.__name__ for kind in compiled()} == compared | NOT_SHOWN


def compiled(
    base: type[CompiledModelSerializer] = CompiledModelSerializer,
) -> Iterator[type[CompiledModelSerializer]]:
    for kind in base.__subclasses__():
        if "tests" not in kind.__module__.split("."):
            yield kind
        yield from compiled(kind)


class TestJson:
    @pytest.mark.parametrize(
        "data",
        [
            {"text": 'quote " and \\ and \u2028 line \u2029 ends, Zoë, 車'},
            {"price": Decimal("12.50"), "none": None, "flag": True, "list": [1, 2.5]},
            [],
            {"nested": {"rows": ({"id": 2**53},)}},
        ],
    )
    def test_is_what_drf_writes(self, data: Any) -> None:
        assert ShopJSONRenderer().render(data) == JSONRenderer().render(data)

    def test_is_indented_for_people_who_ask_for_it(self) -> None:
        data = {"part_id": 1}

        text = ShopJSONRenderer().render(data, "application/json; indent=2")

        assert text == b'{\n  "part_id": 1\n}'
