"""``manage.py seed_demo``: the rows, their order in time, and when it refuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.admin.models import LogEntry
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from customers.models import Customer, Vehicle
from demo import build as demo
from demo.backdating import Timeline
from inventory.models import Part, StockMovement
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import role_of
from mechanic_shop.core.registry import DemoStories, demo_stories
from mechanics.models import Mechanic
from tickets.models import ServiceTicket, TicketEvent, TicketMechanic, TicketPart

Kind = TicketEvent.Kind
Status = ServiceTicket.Status

MODELS = (
    User,
    Customer,
    Vehicle,
    Mechanic,
    Part,
    ServiceTicket,
    StockMovement,
    TicketMechanic,
    TicketPart,
    TicketEvent,
)
EARLIER_LOGIN = "boss@example.com"
EARLIER = datetime(2020, 2, 29, 9, 30, tzinfo=UTC)
ROLES = {
    "test@example.com": "customer",
    "technician@example.com": "technician",
    "advisor@example.com": "service_advisor",
    "manager@example.com": "manager",
    "admin@example.com": "manager",
}


def seed_demo(*options: str) -> str:
    """Run the command and return what it says."""
    output = StringIO()
    call_command("seed_demo", *options, stdout=output)
    return output.getvalue()


def all_rows() -> list[dict[str, Any]]:
    return [
        {"table": model.__name__, **row}
        for model in MODELS
        for row in model._default_manager.order_by("pk").values()
    ]


def start_afresh() -> None:
    """Empty the tables, but for one login that has nothing to do with the demo."""
    for model in reversed(MODELS):
        model._default_manager.all().delete()
    User.objects.create_user(
        EARLIER_LOGIN, first_name="A", last_name="B", created_at=EARLIER
    )


def comparable(row: dict[str, Any]) -> dict[str, Any]:
    """Drop the numbers that the database gives, the salt, and the day of the run."""
    return {
        column: value.time() if isinstance(value, datetime) else value
        for column, value in row.items()
        if column not in ("id", "user_id", "by_id", "password")
    }


@pytest.fixture(scope="class")
def spoken(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Fill the database once for a whole class; its tests only read."""
    with django_db_blocker.unblock(), transaction.atomic():
        start_afresh()
        yield seed_demo("--force")
        transaction.set_rollback(True)


@pytest.mark.usefixtures("spoken")
@pytest.mark.xdist_group("demo shop")
class TestTheDemoShop:
    def test_has_the_promised_size(self) -> None:
        counts = {model.__name__: model._default_manager.count() for model in MODELS}

        assert counts["Customer"] == 40
        assert counts["Vehicle"] == 60
        assert counts["Mechanic"] == 8
        assert counts["Part"] == 60
        assert counts["ServiceTicket"] == 150

    def test_has_tickets_in_every_status(self) -> None:
        counts = Counter(ServiceTicket.objects.values_list("status", flat=True))

        assert counts == {
            Status.OPEN: 14,
            Status.IN_PROGRESS: 16,
            Status.WAITING: 10,
            Status.COMPLETED: 96,
            Status.CANCELLED: 14,
        }

    def test_has_events_and_movements_of_every_kind(self) -> None:
        kinds = TicketEvent.objects.order_by().values_list("kind", flat=True)
        reasons = StockMovement.objects.order_by().values_list("reason", flat=True)

        assert set(kinds) == set(Kind)
        assert set(reasons) == set(StockMovement.Reason)

    def test_has_one_login_for_each_role_and_prints_it(self, spoken: str) -> None:
        for email, role in ROLES.items():
            user = authenticate(username=email, password="password123")

            assert isinstance(user, User)
            assert role_of(user) == role
            assert user.is_staff == (role != "customer")
            assert email in spoken

    def test_has_an_owner_who_may_do_everything(self) -> None:
        owners = User.objects.filter(is_superuser=True)

        assert [owner.email for owner in owners] == ["admin@example.com"]

    def test_leaves_a_login_alone_that_was_there_before(self) -> None:
        login = User.objects.get(email=EARLIER_LOGIN)

        assert login.created_at == EARLIER
        assert not login.is_staff

    def test_links_the_technician_to_an_active_mechanic(self) -> None:
        mechanic = User.objects.get(email="technician@example.com").mechanic

        assert mechanic.is_active
        assert mechanic.ticket_mechanics.exists()

    def test_has_rows_of_the_rarer_sorts(self) -> None:
        walk_in = Customer.objects.get(email=None)

        assert walk_in.user is None
        assert walk_in.service_tickets.exists()
        assert Mechanic.objects.filter(is_active=False).count() == 1
        assert Part.objects.filter(is_active=False).count() == 1
        assert Part.objects.low_on_stock().count() >= 5
        assert Customer.objects.filter(service_tickets=None).exists()
        assert TicketEvent.objects.filter(detail__text__icontains="on order").exists()

    def test_has_vins_of_every_sort(self) -> None:
        checks = Counter(str(vehicle.vin_check) for vehicle in Vehicle.objects.all())

        assert checks["valid"] > 30
        assert checks["invalid"] > 5
        assert Vehicle.objects.filter(vin=None, year__lt=1981).count() == 3
        assert Vehicle.objects.filter(vin=None, year__gt=1981).count() == 3

    # --- Fixed points: what a first try of the API may count on ---

    def test_starts_with_a_customer_who_has_a_login_and_a_vehicle(self) -> None:
        customer = Customer.objects.get(pk=1)
        vehicle = Vehicle.objects.get(pk=1)

        assert customer.email == "test@example.com"
        assert customer.user is not None
        assert customer.user.email == customer.email
        assert vehicle.customer == customer
        assert vehicle.vin_check == "valid"

    def test_starts_with_their_open_ticket_that_waits_for_mechanics_and_parts(
        self,
    ) -> None:
        ticket = ServiceTicket.objects.get(pk=1)

        assert (ticket.customer_id, ticket.vehicle_id) == (1, 1)
        assert ticket.status == Status.OPEN
        assert not ticket.ticket_mechanics.filter(mechanic_id__in=[1, 2]).exists()
        assert not ticket.ticket_parts.exists()

    def test_starts_with_two_active_mechanics_and_plenty_of_a_part(self) -> None:
        assert Mechanic.objects.active().filter(pk__in=[1, 2]).count() == 2
        assert Part.objects.active().get(pk=1).quantity_in_stock >= 40

    def test_leaves_the_names_free_that_a_first_try_uses(self) -> None:
        emails = [
            "john.doe@example.com",
            "mike.johnson@mechanicshop.com",
            "sarah.williams@mechanicshop.com",
            "tom.davis@mechanicshop.com",
        ]

        for model in (User, Customer, Mechanic):
            assert not model._default_manager.filter(email__in=emails).exists()
        assert not Part.objects.filter(part_number__iexact="BRK-001").exists()
        assert not Vehicle.objects.filter(vin="1HGCM82633A123456").exists()

    def test_does_not_stand_in_the_way_of_the_next_ids(self) -> None:
        with transaction.atomic():
            new = Customer.objects.create(first_name="Ida", last_name="Ny", phone="1")
            transaction.set_rollback(True)

        assert new.pk > 40

    # --- Stock ---

    def test_has_movements_that_add_up_to_the_stock_of_every_part(self) -> None:
        for part in Part.objects.all():
            quantity, last_at = 0, None
            for movement in part.movements.order_by("pk"):
                quantity += movement.delta
                assert movement.quantity_after == quantity
                assert last_at is None or movement.at >= last_at
                last_at = movement.at
            assert part.quantity_in_stock == quantity

    def test_has_movements_that_agree_with_the_parts_on_tickets(self) -> None:
        lines = TicketPart.objects.select_related("part")
        for line in lines:
            moved = StockMovement.objects.filter(ticket=line.ticket_id, part=line.part)
            used = 0 if line.returned_at else line.quantity_used

            assert -sum(movement.delta for movement in moved) == used

    def test_dates_a_part_by_its_last_change(self) -> None:
        for part in Part.objects.active().exclude(movements=None):
            last = part.movements.order_by("pk").last()

            assert last is not None
            assert part.updated_at == last.at

    # --- Time ---

    def test_has_worked_for_ninety_days_and_not_yet_tomorrow(self) -> None:
        now = timezone.now()
        ahead = Q(opened_at__gt=now) | Q(closed_at__gt=now) | Q(updated_at__gt=now)
        long_ago = Q(opened_at__lt=now - timedelta(days=92))

        assert not ServiceTicket.objects.filter(ahead | long_ago).exists()
        assert not TicketEvent.objects.filter(at__gt=now).exists()

    def test_has_events_that_run_forward_on_every_ticket(self) -> None:
        for ticket in ServiceTicket.objects.prefetch_related("events"):
            events = sorted(ticket.events.all(), key=lambda event: event.pk)

            assert events[0].kind == Kind.OPENED
            assert events[0].at == ticket.opened_at
            assert all(one.at <= next_.at for one, next_ in pairwise(events))

    def test_only_notes_and_pickups_follow_the_end_of_a_ticket(self) -> None:
        after_the_end = TicketEvent.objects.filter(at__gt=F("ticket__closed_at"))

        assert {event.kind for event in after_the_end} == {
            Kind.NOTE,
            Kind.HANDED_OVER,
        }

    def test_says_when_a_closed_ticket_was_closed(self) -> None:
        for ticket in ServiceTicket.objects.exclude(closed_at=None):
            moves = ticket.events.filter(kind=Kind.STATUS_CHANGED).order_by("pk")
            last = moves.last()

            assert last is not None
            assert last.detail["to"] == ticket.status
            assert ticket.opened_at < last.at == ticket.closed_at
            assert ticket.updated_at >= last.at

    def test_installs_parts_between_opening_and_closing(self) -> None:
        lines = TicketPart.objects.filter(
            Q(installed_at__lt=F("ticket__opened_at"))
            | Q(installed_at__gt=F("ticket__closed_at"))
            | ~Q(returned_at=None) & ~Q(returned_at=F("ticket__closed_at"))
        )

        assert not lines.exists()
        assert TicketPart.objects.exclude(returned_at=None).exists()

    def test_gives_no_vehicle_two_tickets_at_once(self) -> None:
        for vehicle in Vehicle.objects.all():
            visits = list(vehicle.service_tickets.order_by("opened_at"))
            for one, next_ in pairwise(visits):
                assert one.closed_at is not None
                assert one.closed_at < next_.opened_at
                assert one.odometer_miles < next_.odometer_miles

    def test_knows_people_and_cars_before_their_tickets(self) -> None:
        early = ServiceTicket.objects.filter(
            Q(opened_at__lt=F("vehicle__created_at"))
            | Q(opened_at__lt=F("customer__created_at"))
        )

        assert not early.exists()
        assert not TicketMechanic.objects.filter(
            ticket__opened_at__lt=F("mechanic__created_at")
        ).exists()

    # --- A second run ---

    def test_has_the_same_rows_every_time(self) -> None:
        first = [comparable(row) for row in all_rows()]
        with transaction.atomic():
            start_afresh()
            seed_demo("--force")
            second = [comparable(row) for row in all_rows()]
            transaction.set_rollback(True)

        assert first == second

    def test_is_not_changed_by_a_second_run_which_says_so(self) -> None:
        before = all_rows()

        assert "nothing was changed" in seed_demo("--force")
        assert all_rows() == before

    def test_only_tells_the_logins_where_it_is_here_already(self) -> None:
        before = all_rows()

        told = seed_demo("--if-empty")

        assert told.startswith("Role ")
        assert "admin@example.com" in told
        assert all_rows() == before


@pytest.mark.django_db
class TestSeedDemo:
    def test_tells_no_login_that_opens_no_more(self) -> None:
        seed_demo("--force")
        User.objects.filter(email="admin@example.com").update(is_active=False)
        manager = User.objects.get(email="manager@example.com")
        manager.set_password("another-word-of-the-manager")
        manager.save()

        told = seed_demo("--if-empty")

        assert "advisor@example.com" in told
        assert "admin@example.com" not in told
        assert "manager@example.com" not in told

    def test_refuses_where_debug_is_off(self) -> None:
        with pytest.raises(CommandError, match="--force"):
            seed_demo()

        assert not User.objects.exists()

    def test_refuses_a_database_with_other_customers(
        self, settings: LazySettings
    ) -> None:
        settings.DEBUG = True
        Customer.objects.create(first_name="Ida", last_name="Ny", phone="1")

        with pytest.raises(CommandError, match="customers"):
            seed_demo()

        assert Customer.objects.count() == 1
        assert not User.objects.exists()

    def test_refuses_a_database_in_which_a_demo_login_is_taken(self) -> None:
        User.objects.create_user("admin@example.com", first_name="A", last_name="B")

        with pytest.raises(CommandError, match=r"admin@example\.com"):
            seed_demo("--force")

    def test_passes_by_whatever_is_there_if_it_shall(self) -> None:
        User.objects.create_user("boss@example.com", first_name="A", last_name="B")

        assert seed_demo("--if-empty") == ""
        assert not Customer.objects.exists()

    def test_leaves_nothing_behind_when_it_breaks_off(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def power_cut(*args: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(demo, "run_stories", power_cut)

        with pytest.raises(KeyboardInterrupt):
            seed_demo("--force")

        assert not any(model._default_manager.exists() for model in MODELS)


class Visitor:
    """A story of another app."""

    begins = -60

    def steps(self) -> Iterator[int]:
        yield 0


@pytest.mark.django_db
class TestStoriesOfOtherApps:
    def test_their_stories_are_lived_through_and_backdated(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        visitor, lived, backdated = Visitor(), [], []
        told = DemoStories(tell=lambda _: [visitor], times={LogEntry: ("at",)})
        monkeypatch.setattr(demo_stories, "_items", [told])
        monkeypatch.setattr(demo, "run_stories", lambda _, told, __: lived.extend(told))
        monkeypatch.setattr(
            Timeline, "backdate", lambda _, *what: backdated.append(what)
        )

        demo.build(print)

        assert lived[-1] is visitor
        assert backdated[-1] == (LogEntry, ("at",))
