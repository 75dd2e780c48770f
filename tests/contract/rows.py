"""Rows of the shop for requests that are meant to succeed, made by the owner."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import cached_property
from itertools import count
from operator import attrgetter
from pathlib import Path
from typing import Any

import httpx

from ..support.server import OWNER

#: A login that the server's operator has opened.
MANAGER = {"email": "manager@shop.example", "password": "correct-horse-battery"}

Row = dict[str, Any]

PASSWORD = "an-own-horse-battery"
MUCH = 1_000_000
MAIL_SECONDS = 10
MAILED_LINK = re.compile(r"/account/password/([\w-]+)/([\w-]+)/")
#: A VIN's characters, in the order in which its last places count.
DIGITS = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"


class Rows:
    """A shop for a caller; every ``new_…`` is a row, login or value yet unused.

    The rows without ``new_`` stay: they are read, and changed in harmless ways.
    """

    def __init__(self, url: str, log: Path, role: str) -> None:
        self._anonymous = httpx.Client(base_url=f"{url}/api", timeout=60)
        self._log = log
        self._numbers = count(1)
        token = self._post("/auth/login", OWNER)["access_token"]
        self._owner = {"Authorization": f"Bearer {token}"}
        is_manager = role == "manager"
        self.caller = self._post("/auth/login", MANAGER) if is_manager else self.visitor

    # --- Logins -----------------------------------------------------------------------

    @cached_property
    def visitor(self) -> Row:
        """A customer whose password stays as it is."""
        return self.new_login()

    def new_login(self) -> Row:
        """Register a customer; the tokens and rows of the answer."""
        body = {"email": self.new_email(), "password": PASSWORD, "phone": "1"}
        body |= {"first_name": "Ann", "last_name": "Lee"}
        return self._post("/auth/register", body)

    def new_mailed_link(self) -> Row:
        """Ask for a link that sets a password, and read it in the server's log."""
        known = len(self._links())
        self._post("/auth/password-reset", {"email": self.new_login()["user"]["email"]})
        until = time.monotonic() + MAIL_SECONDS
        while len(links := self._links()) == known and time.monotonic() < until:
            time.sleep(0.05)
        uid, token = links[-1]
        return {"uid": uid, "token": token}

    def _links(self) -> list[tuple[str, str]]:
        return MAILED_LINK.findall(self._log.read_text(errors="replace"))

    # --- Rows -------------------------------------------------------------------------

    @cached_property
    def customer(self) -> int:
        """The caller, or the customer for whom a manager works."""
        customer = self.caller["customer"] or self.new_login()["customer"]
        return int(customer["customer_id"])

    @cached_property
    def vehicle(self) -> int:
        return self.new_vehicle()

    @cached_property
    def mechanic(self) -> int:
        return self.new_mechanic()

    @cached_property
    def part(self) -> int:
        return self.new_part()

    @cached_property
    def ticket(self) -> int:
        return self.new_ticket()

    def new_vehicle(self) -> int:
        body = {"make": "Fiat", "model": "Panda", "year": 2003}
        return self._create(f"/customers/{self.customer}/vehicles", body, "vehicle_id")

    def new_mechanic(self) -> int:
        email = self.new_email()
        body = {"full_name": "Max", "email": email, "phone": "1", "salary": 50_000}
        return self._create("/mechanics", body, "mechanic_id")

    def new_part(self) -> int:
        body = {"name": "Brake pad", "price": 10, "quantity_in_stock": MUCH}
        return self._create("/inventory", body, "part_id")

    def new_ticket(self) -> int:
        body = {
            "vehicle_id": self.vehicle,
            "problem_description": "It rattles.",
            "odometer_miles": 90_000,
        }
        return self._create("/service-tickets", body, "ticket_id")

    def new_line(self) -> Row:
        """Install a part on a ticket."""
        ids = {"ticket_id": self.new_ticket(), "part_id": self.new_part()}
        path = "/service-tickets/{ticket_id}/parts/{part_id}".format(**ids)
        self._owners("POST", path, {"quantity_used": 1})
        return ids

    def new_assignment(self) -> Row:
        """Put a mechanic on a ticket."""
        ids = {"ticket_id": self.new_ticket(), "mechanic_id": self.new_mechanic()}
        path = "/service-tickets/{ticket_id}/assign-mechanic/{mechanic_id}"
        self._owners("PUT", path.format(**ids), {})
        return ids

    # --- Values -----------------------------------------------------------------------

    def new_email(self) -> str:
        return f"somebody.{next(self._numbers)}@example.com"

    def new_vin(self) -> str:
        number, places = next(self._numbers), ""
        for _ in range(6):
            number, digit = divmod(number, len(DIGITS))
            places = DIGITS[digit] + places
        return f"1HGCM826X3A{places}"

    def new_part_number(self) -> str:
        return f"PAD-{next(self._numbers)}"

    # --- Requests ---------------------------------------------------------------------

    def _create(self, path: str, body: Row, key: str) -> int:
        return int(self._owners("POST", path, body)[key])

    def _owners(self, method: str, path: str, body: Row) -> Row:
        answer = self._anonymous.request(method, path, json=body, headers=self._owner)
        created: Row = answer.raise_for_status().json()
        return created

    def _post(self, path: str, body: Row) -> Row:
        answer: Row = self._anonymous.post(path, json=body).raise_for_status().json()
        return answer


def _ticket(rows: Rows) -> Row:
    return {"ticket_id": rows.new_ticket()}


def _vehicle(rows: Rows) -> Row:
    return {"vehicle_id": rows.new_vehicle()}


def _part(rows: Rows) -> Row:
    return {"part_id": rows.new_part()}


def _mechanic(rows: Rows) -> Row:
    return {"mechanic_id": rows.new_mechanic()}


def _ticket_and_part(rows: Rows) -> Row:
    return _ticket(rows) | _part(rows)


def _ticket_and_mechanic(rows: Rows) -> Row:
    return _ticket(rows) | _mechanic(rows)


def _customer(rows: Rows) -> Row:
    login = rows.new_login()
    return {**login, "customer_id": login["customer"]["customer_id"]}


#: What an operation needs that uses its rows up, or changes them so much that the next
#: request would be refused; everything else works on the rows that stay.
NEEDS: dict[str, Callable[[Rows], Row]] = {
    "logout": Rows.new_login,
    "change_password": Rows.new_login,
    "refresh_tokens": Rows.new_login,
    "confirm_password_reset": Rows.new_mailed_link,
    "delete_customer": _customer,
    "delete_customer_vehicle": _vehicle,
    "update_vehicle": _vehicle,
    "delete_mechanic": _mechanic,
    "put_service_ticket": _ticket,
    "update_service_ticket": _ticket,
    "delete_service_ticket": _ticket,
    "edit_mechanics": _ticket,
    "assign_mechanic": _ticket_and_mechanic,
    "change_assignment": Rows.new_assignment,
    "remove_mechanic": Rows.new_assignment,
    "install_part": _ticket_and_part,
    "add_part": _ticket_and_part,
    "change_installed_part": Rows.new_line,
    "remove_part": Rows.new_line,
    "delete_part": _part,
}

#: What a field gets, by its name.
VALUES: dict[str, Callable[[Rows], Any]] = {
    "email": Rows.new_email,
    "vin": Rows.new_vin,
    "part_number": Rows.new_part_number,
    "customer_id": attrgetter("customer"),
    "vehicle_id": attrgetter("vehicle"),
    "inventory_id": Rows.new_part,
    "installed_by_mechanic_id": attrgetter("mechanic"),
    "add_ids": lambda rows: [rows.new_mechanic()],
    "remove_ids": lambda rows: [rows.mechanic],
    "current_password": lambda _: PASSWORD,
}
#: The same where an operation means something else by the name.
VALUES_OF: dict[tuple[str, str], Callable[[Rows], Any]] = {
    ("create_service_ticket", "status"): lambda _: "open",
    ("login", "email"): lambda rows: rows.visitor["user"]["email"],
    ("login", "password"): lambda _: PASSWORD,
    ("login_customer", "email"): lambda rows: rows.visitor["user"]["email"],
    ("login_customer", "password"): lambda _: PASSWORD,
}
