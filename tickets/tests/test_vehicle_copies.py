"""What a ticket keeps of its vehicle: in step while it is open, then as it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from customers.models import Customer, Vehicle
from customers.services import change_owner, delete_customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.core import row_batches
from tickets import backfill
from tickets.models import VEHICLE_COPIES, ServiceTicket
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

CAR = {"year": 2016, "make": "Honda", "model": "Civic"}
OLD = {**CAR, "license_plate": "OLD 1", "vin": "1HGCM82633A004352"}
NEW = {**CAR, "license_plate": "NEW 2", "vin": "JH4KA7561PC008269"}
ANONYMOUS = {**CAR, "license_plate": "", "vin": None}
Status = ServiceTicket.Status


def new_ticket(shop: APIClient, vehicle: Vehicle) -> ServiceTicket:
    body = {
        "vehicle_id": vehicle.pk,
        "problem_description": "It rattles.",
        "odometer_miles": 45_000,
        "status": "in_progress",
    }
    answer = shop.post("/api/service-tickets", body)
    return ServiceTicket.objects.get(pk=answer.json()["ticket_id"])


def path_of(ticket: ServiceTicket) -> str:
    return f"/api/service-tickets/{ticket.pk}"


def seen_by(client: APIClient, ticket: ServiceTicket) -> dict[str, Any]:
    """Return the ticket's vehicle as the API shows it, without its id."""
    vehicle = client.get(path_of(ticket)).json()["vehicle"]
    assert vehicle.pop("vehicle_id") == ticket.vehicle_id
    return vehicle  # type: ignore[no-any-return]


@pytest.fixture
def vehicle() -> Vehicle:
    return VehicleFactory.create(**OLD)


@pytest.fixture
def ticket(shop: APIClient, vehicle: Vehicle) -> ServiceTicket:
    return new_ticket(shop, vehicle)


@pytest.fixture
def browser(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


class TestOpenTicket:
    def test_new_ticket_shows_its_vehicle(
        self, shop: APIClient, ticket: ServiceTicket
    ) -> None:
        assert seen_by(shop, ticket) == OLD

    @pytest.mark.parametrize(
        "path", ["vehicles/{0.pk}", "customers/{0.customer_id}/vehicles/{0.pk}"]
    )
    def test_ticket_follows_an_edit_by_the_api(
        self, shop: APIClient, ticket: ServiceTicket, vehicle: Vehicle, path: str
    ) -> None:
        shop.patch(f"/api/{path.format(vehicle)}", NEW)

        assert seen_by(shop, ticket) == NEW

    def test_ticket_follows_an_edit_in_the_admin(
        self, shop: APIClient, browser: Client, ticket: ServiceTicket, vehicle: Vehicle
    ) -> None:
        page = reverse("admin:customers_vehicle_change", args=[vehicle.pk])
        inlines = {
            "service_tickets-TOTAL_FORMS": 0,
            "service_tickets-INITIAL_FORMS": 0,
        }

        answer = browser.post(
            page, {**NEW, **inlines, "customer": vehicle.customer_id, "color": ""}
        )

        assert answer.status_code == 302
        assert seen_by(shop, ticket) == NEW

    def test_stale_copy_of_a_row_undoes_no_other_field(
        self, ticket: ServiceTicket, vehicle: Vehicle
    ) -> None:
        read_before = Vehicle.objects.get(pk=vehicle.pk)
        Vehicle.objects.filter(pk=vehicle.pk).update(license_plate="NEW 2")
        ServiceTicket.objects.update(vehicle_license_plate="NEW 2")

        read_before.vin = "JH4KA7561PC008269"
        read_before.save(update_fields=["vin"])

        ticket.refresh_from_db()
        assert ticket.vehicle_license_plate == "NEW 2"
        assert ticket.vehicle_vin == NEW["vin"]

    def test_edit_of_other_fields_writes_no_ticket(
        self,
        shop: APIClient,
        ticket: ServiceTicket,
        vehicle: Vehicle,
        django_assert_max_num_queries: Any,
    ) -> None:
        vehicle.mileage = 50_000
        with django_assert_max_num_queries(3) as queries:
            vehicle.save(update_fields=["mileage"])

        assert not [sql for sql in queries if "tickets_serviceticket" in sql["sql"]]

    def test_ticket_moved_to_another_vehicle_shows_that_one(
        self, shop: APIClient, ticket: ServiceTicket, vehicle: Vehicle
    ) -> None:
        another = VehicleFactory.create(customer=vehicle.customer, **NEW)

        answer = shop.patch(path_of(ticket), {"vehicle_id": another.pk})

        assert answer.json()["vehicle"] == {"vehicle_id": another.pk, **NEW}

    def test_refused_move_leaves_the_copy(
        self, shop: APIClient, ticket: ServiceTicket
    ) -> None:
        foreign = VehicleFactory.create(**NEW)

        answer = shop.patch(path_of(ticket), {"vehicle_id": foreign.pk})

        assert answer.status_code == 400
        assert seen_by(shop, ticket) == OLD


class TestClosedTicket:
    @pytest.mark.parametrize("end", [Status.COMPLETED, Status.CANCELLED])
    def test_closed_ticket_keeps_the_vehicle_as_it_was(
        self, shop: APIClient, ticket: ServiceTicket, vehicle: Vehicle, end: str
    ) -> None:
        shop.patch(path_of(ticket), {"status": end})

        shop.patch(f"/api/vehicles/{vehicle.pk}", NEW)

        assert seen_by(shop, ticket) == OLD

    def test_reopened_ticket_follows_its_vehicle_again(
        self, shop: APIClient, ticket: ServiceTicket, vehicle: Vehicle
    ) -> None:
        shop.patch(path_of(ticket), {"status": "completed"})
        shop.patch(f"/api/vehicles/{vehicle.pk}", NEW)

        shop.patch(path_of(ticket), {"status": "in_progress"})

        assert seen_by(shop, ticket) == NEW

    def test_job_sheet_and_lists_show_the_old_plate(
        self, shop: APIClient, browser: Client, ticket: ServiceTicket, vehicle: Vehicle
    ) -> None:
        shop.patch(path_of(ticket), {"status": "completed"})
        shop.patch(f"/api/vehicles/{vehicle.pk}", {**NEW, "make": "Acura"})
        name = "admin:tickets_serviceticket"

        pages = [
            reverse(f"{name}_print", args=[ticket.pk]),
            reverse(f"{name}_change", args=[ticket.pk]),
            reverse(f"{name}_changelist"),
            reverse(f"{name}_export", args=["csv"]),
            reverse("admin:tickets_serviceticket_board"),
        ]

        for page in pages:
            answer = browser.get(page)
            text = b"".join(answer) if answer.streaming else answer.content
            assert b"OLD 1" in text, page
            assert b"2016 Honda Civic" in text, page
            assert b"NEW 2" not in text, page
            assert b"Acura" not in text, page


class TestFormerOwner:
    """Who has sold a vehicle learns nothing of what becomes of it."""

    @pytest.fixture
    def seller(
        self, ticket: ServiceTicket, client_of: Callable[[User], APIClient]
    ) -> APIClient:
        user = ticket.customer.user
        assert user is not None
        return client_of(user)

    @pytest.fixture(autouse=True)
    def _sold(self, shop: APIClient, ticket: ServiceTicket, vehicle: Vehicle) -> None:
        shop.patch(path_of(ticket), {"status": "completed"})
        buyer = CustomerFactory.create()
        change_owner(vehicle=vehicle, customer=buyer)
        shop.patch(f"/api/vehicles/{vehicle.pk}", NEW)

    def test_seller_reads_the_own_plate_and_vin(
        self, seller: APIClient, ticket: ServiceTicket
    ) -> None:
        assert seen_by(seller, ticket) == OLD
        for path in ("service-tickets", "customers/my-tickets"):
            [listed] = seller.get(f"/api/{path}").json()["service_tickets"]
            assert listed["vehicle"] == {"vehicle_id": ticket.vehicle_id, **OLD}

    @pytest.mark.parametrize("path", ["service-tickets", "customers/my-tickets"])
    @pytest.mark.parametrize(
        ("word", "found"),
        [("OLD", 1), ("004352", 1), ("NEW", 0), ("008269", 0), ("JH4KA", 0)],
    )
    def test_seller_finds_nothing_of_the_buyers(
        self, seller: APIClient, path: str, word: str, found: int
    ) -> None:
        answer = seller.get(f"/api/{path}", {"search": word})

        assert len(answer.json()["service_tickets"]) == found


class TestErasure:
    def test_erasing_the_customer_blanks_plate_and_vin(
        self, shop: APIClient, ticket: ServiceTicket
    ) -> None:
        shop.patch(path_of(ticket), {"status": "completed"})

        shop.delete(f"/api/customers/{ticket.customer_id}")

        assert seen_by(shop, ticket) == ANONYMOUS

    def test_erasing_a_former_owner_blanks_their_tickets(
        self, shop: APIClient, ticket: ServiceTicket, vehicle: Vehicle
    ) -> None:
        shop.patch(path_of(ticket), {"status": "completed"})
        change_owner(vehicle=vehicle, customer=CustomerFactory.create())

        delete_customer(customer=ticket.customer)

        assert seen_by(shop, ticket) == ANONYMOUS

    def test_erasing_the_owner_blanks_tickets_of_the_vehicle(
        self, shop: APIClient, ticket: ServiceTicket, vehicle: Vehicle
    ) -> None:
        shop.patch(path_of(ticket), {"status": "completed"})
        buyer = CustomerFactory.create()
        change_owner(vehicle=vehicle, customer=buyer)

        delete_customer(customer=buyer)

        assert seen_by(shop, ticket) == ANONYMOUS


def forget_copies() -> None:
    """Leave the tickets as the previous release writes them."""
    blank: dict[str, Any] = dict.fromkeys(VEHICLE_COPIES, "")
    blank |= {"vehicle_year": None, "vehicle_vin": None}
    ServiceTicket.objects.update(**blank)


def copy_of(ticket: ServiceTicket) -> dict[str, Any]:
    ticket.refresh_from_db()
    return {name: getattr(ticket, copy) for copy, name in VEHICLE_COPIES.items()}


class TestFilledCopies:
    """What the migration makes of tickets that were there before."""

    @pytest.fixture
    def closed(self, vehicle: Vehicle) -> ServiceTicket:
        """A ticket that was closed an hour ago, when the vehicle was a day old."""
        Vehicle.history.update(history_date=timezone.now() - timedelta(days=1))
        return TicketFactory.create(
            vehicle=vehicle,
            closed=True,
            closed_at=timezone.now() - timedelta(hours=1),
        )

    @pytest.fixture
    def fill(self) -> Callable[[], int]:
        def fill() -> int:
            forget_copies()
            return backfill.fill_vehicle_copies(apps)

        return fill

    def change(self, vehicle: Vehicle, **changes: Any) -> None:
        for name, value in changes.items():
            setattr(vehicle, name, value)
        vehicle.save()

    def test_closed_ticket_gets_the_history_of_that_time(
        self, closed: ServiceTicket, vehicle: Vehicle, fill: Callable[[], int]
    ) -> None:
        self.change(vehicle, **NEW)

        assert fill() == 1
        assert copy_of(closed) == OLD

    def test_sold_vehicle_is_that_of_the_seller(
        self, closed: ServiceTicket, vehicle: Vehicle, fill: Callable[[], int]
    ) -> None:
        self.change(vehicle, customer=CustomerFactory.create(), **NEW)

        fill()

        assert copy_of(closed) == OLD

    def test_sold_vehicle_without_history_has_no_plate(
        self, closed: ServiceTicket, vehicle: Vehicle, fill: Callable[[], int]
    ) -> None:
        self.change(vehicle, customer=CustomerFactory.create(), **NEW)
        Vehicle.history.filter(history_date__lte=closed.closed_at).delete()

        fill()

        assert copy_of(closed) == ANONYMOUS

    def test_same_owner_without_history_gets_the_present(
        self, closed: ServiceTicket, vehicle: Vehicle, fill: Callable[[], int]
    ) -> None:
        self.change(vehicle, **NEW)
        Vehicle.history.all().delete()

        fill()

        assert copy_of(closed) == NEW

    def test_vehicle_without_vin_then_gets_none_now(
        self, vehicle: Vehicle, fill: Callable[[], int]
    ) -> None:
        self.change(vehicle, vin=None)
        closed = TicketFactory.create(vehicle=vehicle, closed=True)
        self.change(vehicle, vin=NEW["vin"])

        fill()

        assert copy_of(closed) == {**OLD, "vin": None}

    def test_open_ticket_gets_the_present_vehicle(
        self, ticket: ServiceTicket, vehicle: Vehicle, fill: Callable[[], int]
    ) -> None:
        self.change(vehicle, **NEW)

        fill()

        assert copy_of(ticket) == NEW

    def test_ticket_of_an_erased_customer_stays_blank(
        self, closed: ServiceTicket, fill: Callable[[], int]
    ) -> None:
        delete_customer(customer=closed.customer)

        fill()

        assert copy_of(closed) == ANONYMOUS

    def test_batches_reach_every_ticket(
        self, fill: Callable[[], int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(row_batches, "BATCH_SIZE", 2)
        TicketFactory.create_batch(5)

        assert fill() == 5
        assert not ServiceTicket.objects.filter(vehicle_year=None).exists()
        assert backfill.fill_vehicle_copies(apps) == 0


class TestPreviousRelease:
    """What its servers write during an update is completed afterwards."""

    def test_insert_without_the_new_columns_still_works(
        self, ticket: ServiceTicket
    ) -> None:
        known = [
            str(field.column)
            for field in ServiceTicket._meta.concrete_fields
            if field.name not in VEHICLE_COPIES and not field.primary_key
        ]
        columns = ", ".join(known)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO tickets_serviceticket ({columns})"  # noqa: S608
                f" SELECT {columns} FROM tickets_serviceticket"
            )

        assert ServiceTicket.objects.filter(vehicle_year=None).count() == 1

    def test_new_tickets_get_their_copy(self, ticket: ServiceTicket) -> None:
        forget_copies()

        call_command("refresh_copies", verbosity=0)

        assert copy_of(ticket) == OLD

    def test_edited_vehicle_reaches_its_open_ticket(
        self, ticket: ServiceTicket, vehicle: Vehicle
    ) -> None:
        closed = TicketFactory.create(vehicle=vehicle, closed=True)
        Vehicle.objects.filter(pk=vehicle.pk).update(**NEW)

        call_command("refresh_copies", verbosity=0)

        assert copy_of(ticket) == NEW
        assert copy_of(closed) == OLD

    def test_erased_customer_is_blanked_in_the_copies(self, vehicle: Vehicle) -> None:
        closed = TicketFactory.create(vehicle=vehicle, closed=True)
        Customer.objects.filter(pk=closed.customer_id).update(erased_at=timezone.now())

        call_command("refresh_copies", verbosity=0)

        assert copy_of(closed) == ANONYMOUS

    def test_second_run_finds_nothing(
        self, ticket: ServiceTicket, capsys: pytest.CaptureFixture[str]
    ) -> None:
        forget_copies()

        call_command("refresh_copies")
        call_command("refresh_copies")

        said = capsys.readouterr().out.splitlines()
        assert said == ["Brought 1 row up to date.", "Brought 0 rows up to date."]
