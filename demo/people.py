"""The staff, the mechanics and the customers of the demo shop."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from unicodedata import normalize

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Group

from customers.models import Customer
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import MANAGER, SERVICE_ADVISOR, TECHNICIAN
from mechanics.models import Mechanic

from .backdating import DAY, Timeline

#: The first day of the shop.
OPENING_DAY = -680 * DAY
PASSWORD = "password123"  # noqa: S105
CUSTOMER_EMAIL = "test@example.com"

#: Role, address, first and last name of the logins that the command prints.
CUSTOMER_LOGIN = ("Customer", CUSTOMER_EMAIL, "Tess", "Marlowe")
STAFF_LOGINS = (
    (TECHNICIAN, "technician@example.com", "Dana", "Kowalczyk"),
    (SERVICE_ADVISOR, "advisor@example.com", "Priya", "Sundaram"),
    (MANAGER, "manager@example.com", "Walter", "Lindqvist"),
    ("Owner", "admin@example.com", "Ingrid", "Achterberg"),
)

#: Full name, salary, days since the first day of work. The third is the technician.
MECHANICS = (
    ("Rosalind Okafor", 71_500, 640),
    ("Hector Valderrama", 68_000, 610),
    ("Dana Kowalczyk", 62_400, 580),
    ("Bram Oosterhout", 59_800, 455),
    ("Lucille Fontaine", 57_250, 390),
    ("Kofi Asante", 54_900, 240),
    ("Gerald Pemberton", 66_300, 660),
    ("Mina Castellanos", 43_500, 22),
)
LINKED_MECHANIC = 3
RETIRED_MECHANIC = 7
NEW_MECHANIC = 8

CUSTOMERS = (
    ("Tess", "Marlowe"),
    ("Anselm", "Beauregard"),
    ("Keiko", "Tanigawa"),
    ("Marcus", "Ellington"),
    ("Saoirse", "O'Malley"),
    ("Vikram", "Chaudhary"),
    ("Philippa", "Northcott"),
    ("Tomás", "Iglesias"),
    ("Ruth", "Abernathy"),
    ("Jamal", "Whitfield"),
    ("Elke", "Baumgartner"),
    ("Desmond", "Tutuola"),
    ("Clara", "Vance"),
    ("Nikolai", "Petrenko"),
    ("Beatrix", "Holloway"),
    ("Samuel", "Greenbaum"),
    ("Yolanda", "Prescott"),
    ("Omar", "Haddad"),
    ("Frances", "Dunleavy"),
    ("Leopold", "Szabo"),
    ("Imani", "Robichaux"),
    ("Gordon", "McAllister"),
    ("Harriet", "Quimby"),
    ("Zoë", "Lindgren"),
    ("Pablo", "Montenegro"),
    ("Winifred", "Ashdown"),
    ("Theo", "Kastanis"),
    ("Adaeze", "Nwosu"),
    ("Roland", "Fitzgerald"),
    ("Mei", "Huang"),
    ("Cornelius", "Vanderhoof"),
    ("Sabine", "Moreau"),
    ("Dwight", "Callahan"),
    ("Lakshmi", "Raghavan"),
    ("Edgar", "Thorvaldsen"),
    ("Noelle", "Baptiste"),
    ("Stanley", "Wojcik"),
    ("Ophelia", "Crane"),
    ("Mateo", "Quintero"),
    ("Bridget", "Sorensen"),
)
MAILBOX_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz.")
#: A customer without an email address and a login.
WALK_IN = 23
#: The customers up to here have tickets; those after it have only just joined.
LAST_REGULAR = 37

STREETS = (
    "Alder Lane",
    "Quarry Road",
    "Millrace Avenue",
    "Foundry Street",
    "Heron Court",
    "Orchard Hill",
    "Tanner's Row",
    "Lighthouse Drive",
)
#: Town, state, postal code, telephone area.
TOWNS = (
    ("Cedar Falls", "OR", "97411", "541"),
    ("Port Hadley", "WA", "98337", "360"),
    ("Marlow Junction", "OR", "97430", "541"),
    ("Three Bridges", "ID", "83816", "208"),
)


@dataclass(frozen=True)
class Staff:
    """The logins that make the changes of the simulation."""

    technician: User
    advisor: User
    manager: User
    owner: User


def login_table() -> list[tuple[str, str, str]]:
    """List role, email and password of one login for each role."""
    return [
        (role, email, PASSWORD) for role, email, *_ in (CUSTOMER_LOGIN, *STAFF_LOGINS)
    ]


def has_demo_password(email: str) -> bool:
    """Return whether a login is active and still has the demo's password."""
    user = User.objects.filter(email=email, is_active=True).first()
    return user is not None and check_password(PASSWORD, user.password)


def add_staff_logins(timeline: Timeline, password_hash: str) -> Staff:
    """Create the staff's logins, each in the group of its role."""
    timeline.start_minute(OPENING_DAY)
    users = []
    for role, email, first_name, last_name in STAFF_LOGINS:
        user = _add_login(email, first_name, last_name, password_hash, is_staff=True)
        _set_role(user, role)
        users.append(user)
    return Staff(*users)


def hash_password() -> str:
    """Hash the demo password once; it is too weak for the validators."""
    return make_password(PASSWORD)


def add_mechanics(timeline: Timeline, technician: User) -> list[Mechanic]:
    """Create the mechanics; the technician's login belongs to one of them."""
    mechanics = []
    for number, (full_name, salary, days) in enumerate(MECHANICS, start=1):
        timeline.start_minute(-days * DAY)
        mechanic = Mechanic(
            pk=number,
            full_name=full_name,
            email=f"{_mailbox(full_name)}@garage.example",
            phone=f"(541) 555-01{40 + number}",
            salary=salary,
            user=technician if number == LINKED_MECHANIC else None,
        )
        mechanic.full_clean()
        mechanic.save(force_insert=True)
        mechanics.append(mechanic)
    return mechanics


def add_customers(
    timeline: Timeline, rng: Random, password_hash: str
) -> list[Customer]:
    """Create the customers, in the order in which they first came."""
    joined = sorted(rng.sample(range(-480 * DAY, -80 * DAY), LAST_REGULAR))
    joined += sorted(rng.sample(range(-12 * DAY, -DAY), len(CUSTOMERS) - LAST_REGULAR))
    return [
        _add_customer(timeline, rng, number, joined[number - 1], password_hash)
        for number in range(1, len(CUSTOMERS) + 1)
    ]


def _add_customer(
    timeline: Timeline, rng: Random, number: int, joined: int, password_hash: str
) -> Customer:
    timeline.start_minute(joined)
    first_name, last_name = CUSTOMERS[number - 1]
    town, state, postal_code, area = rng.choice(TOWNS)
    customer = Customer(
        pk=number,
        first_name=first_name,
        last_name=last_name,
        email=_get_email(number),
        phone=f"({area}) 555-01{number:02}",
        address=f"{rng.randint(2, 960)} {rng.choice(STREETS)}",
        city=town,
        state=state,
        postal_code=postal_code,
    )
    if _has_login(number):
        customer.user = _add_login(
            customer.email or "", first_name, last_name, password_hash
        )
    customer.full_clean()
    customer.save(force_insert=True)
    return customer


def _has_login(number: int) -> bool:
    """Return whether a customer registered; the shop entered the others."""
    return number % 3 == 1


def _get_email(number: int) -> str | None:
    if number == 1:
        return CUSTOMER_EMAIL
    if number == WALK_IN:
        return None
    return f"{_mailbox(' '.join(CUSTOMERS[number - 1]))}@example.com"


def _mailbox(full_name: str) -> str:
    """Spell a name for an address: ``Zoë O'Hara`` becomes ``zoe.ohara``."""
    plain = normalize("NFKD", full_name).lower().replace(" ", ".")
    return "".join(char for char in plain if char in MAILBOX_LETTERS)


def _add_login(
    email: str,
    first_name: str,
    last_name: str,
    password_hash: str,
    *,
    is_staff: bool = False,
) -> User:
    user = User(
        email=email,
        first_name=first_name,
        last_name=last_name,
        password=password_hash,
        is_staff=is_staff,
    )
    user.full_clean()
    user.save()
    return user


def _set_role(user: User, role: str) -> None:
    if role == "Owner":
        user.is_superuser = True
        user.save(update_fields=["is_superuser"])
    else:
        user.groups.add(Group.objects.get(name=role))
