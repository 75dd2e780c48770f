"""Build the demo shop: first the rows it starts with, then ninety days of work."""

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

from .backdating import Past
from .parts import fill_shelf
from .people import (
    CUSTOMER_EMAIL,
    RETIRED_MECHANIC,
    hash_password,
    hire_mechanics,
    hire_staff,
    login_table,
    welcome_customers,
)
from .schedule import plan_visits
from .shop_events import Counts, Deliveries, Farewells
from .simulation import Report, Story, run_stories
from .tickets import Shop
from .vehicles import park_vehicles

SEED = 1_908

#: Every column that the services fill with the present time.
TIMES: dict[type[Model], tuple[str, ...]] = {
    User: ("created_at",),
    Customer: ("created_at", "updated_at"),
    Vehicle: ("created_at", "updated_at"),
    Mechanic: ("created_at", "updated_at"),
    Part: ("created_at", "updated_at"),
    StockMovement: ("at",),
    ServiceTicket: ("opened_at", "closed_at", "updated_at"),
    TicketPart: ("installed_at", "returned_at"),
    TicketEvent: ("at",),
}


def has_demo_data() -> bool:
    """Return whether the demo data are in the database."""
    return Customer.objects.filter(pk=1, email=CUSTOMER_EMAIL).exists()


def is_unused() -> bool:
    """Return whether nobody has used the database yet, not even to sign in."""
    return not (User.objects.exists() or Customer.objects.exists())


def find_obstacle() -> str:
    """Name a kind of rows whose ids or emails the demo data need, if there are any."""
    for model in (Customer, Vehicle, Mechanic, Part, ServiceTicket):
        if model._default_manager.exists():
            return str(model._meta.verbose_name_plural)
    emails = [email for _, email, _ in login_table()]
    taken = User.objects.filter(email__in=emails).order_by("pk").first()
    return f"the login {taken}" if taken else ""


@transaction.atomic
def build(report: Report) -> None:
    """Fill an empty database, or leave it as it was.

    Every run writes the same rows; only the dates follow the calendar.
    """
    rng, past, password_hash = Random(SEED), Past(), hash_password()  # noqa: S311
    staff = hire_staff(past, password_hash)
    mechanics = hire_mechanics(past, staff.technician)
    report(f"{len(mechanics)} mechanics")
    customers = welcome_customers(past, rng, password_hash)
    vehicles = park_vehicles(past, rng, customers)
    report(f"{len(customers)} customers with {len(vehicles)} vehicles")
    parts = fill_shelf(past, by=staff.manager)
    report(f"{len(parts)} parts")
    shop = Shop(staff, parts, rng)
    visits = plan_visits(shop, vehicles, mechanics)
    report(f"{len(visits)} tickets, lived through week by week:")
    retired = mechanics[RETIRED_MECHANIC - 1]
    shop_events: list[Story] = [
        Deliveries(shop),
        Counts(shop),
        Farewells(shop, retired),
    ]
    others = [story for app in demo_stories for story in app.tell(shop)]
    run_stories(past, [*shop_events, *visits, *others], report)
    for times in (TIMES, *(app.times for app in demo_stories)):
        for model, names in times.items():
            past.backdate(model, names)
