"""Build the demo shop: the initial rows, then ninety days of work."""

from __future__ import annotations

from random import Random

from django.db import transaction
from django.db.models import Model

from customers.models import Customer, Vehicle
from inventory.models import Part, StockMovement
from mechanic_shop.accounts.models import User
from mechanic_shop.core.registry import demo_stories
from mechanics.models import Mechanic
from tickets.models import ServiceTicket, TicketEvent, TicketPart

from .backdating import Timeline
from .parts import add_parts
from .people import (
    CUSTOMER_EMAIL,
    RETIRED_MECHANIC,
    add_customers,
    add_mechanics,
    add_staff_logins,
    hash_password,
    login_table,
)
from .schedule import plan_tickets
from .shop_events import Deliveries, Departures, StockCounts
from .simulation import Report, Story, run_stories
from .tickets import Shop
from .vehicles import add_vehicles

SEED = 1_908

#: All columns that the services fill with the present time.
TIMES: dict[type[Model], tuple[str, ...]] = {
    User: ("created_at",),
    Customer: ("created_at", "updated_at"),
    Vehicle: ("created_at", "updated_at"),
    Mechanic: ("created_at", "updated_at"),
    Part: ("created_at", "updated_at"),
    StockMovement: ("at",),
    ServiceTicket: ("opened_at", "closed_at", "handed_over_at", "updated_at"),
    TicketPart: ("installed_at", "returned_at"),
    TicketEvent: ("at",),
}


def has_demo_data() -> bool:
    """Return whether the demo data are in the database."""
    return Customer.objects.filter(pk=1, email=CUSTOMER_EMAIL).exists()


def is_unused() -> bool:
    """Return whether the database has neither customers nor logins."""
    return not (User.objects.exists() or Customer.objects.exists())


def find_obstacle() -> str:
    """Return what the database has that the demo data would collide with, or ""."""
    for model in (Customer, Vehicle, Mechanic, Part, ServiceTicket):
        if model._default_manager.exists():
            return str(model._meta.verbose_name_plural)
    emails = [email for _, email, _ in login_table()]
    taken = User.objects.filter(email__in=emails).order_by("pk").first()
    return f"the login {taken}" if taken else ""


@transaction.atomic
def build(report: Report) -> None:
    """Fill an empty database in one transaction.

    Every run writes the same rows; only the dates differ.
    """
    rng, timeline, password_hash = Random(SEED), Timeline(), hash_password()  # noqa: S311
    staff = add_staff_logins(timeline, password_hash)
    mechanics = add_mechanics(timeline, staff.technician)
    report(f"{len(mechanics)} mechanics")
    customers = add_customers(timeline, rng, password_hash)
    vehicles = add_vehicles(timeline, rng, customers)
    report(f"{len(customers)} customers with {len(vehicles)} vehicles")
    parts = add_parts(timeline, by=staff.manager)
    report(f"{len(parts)} parts")
    shop = Shop(staff, parts, rng)
    tickets = plan_tickets(shop, vehicles, mechanics)
    report(f"{len(tickets)} tickets, lived through week by week:")
    retired = mechanics[RETIRED_MECHANIC - 1]
    shop_events: list[Story] = [
        Deliveries(shop),
        StockCounts(shop),
        Departures(shop, retired),
    ]
    others = [story for app in demo_stories for story in app.tell(shop)]
    run_stories(timeline, [*shop_events, *tickets, *others], report)
    for times in (TIMES, *(app.times for app in demo_stories)):
        for model, names in times.items():
            timeline.backdate(model, names)
