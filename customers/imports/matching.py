"""Find the customers that the rows of a file mean, all with the same few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from customers.models import Customer
from mechanic_shop.core.emails import normalize_email
from mechanic_shop.spreadsheets.resource import Row

CHUNK_SIZE = 500
NO_NUMBER = "The shop has no customer with this number."
SEVERAL = "Several customers have this name and phone. Write the number of one."

Person = tuple[str, str, str]


def text_of(row: Row, heading: str) -> str:
    return str(row.get(heading) or "").strip()


def in_chunks(values: set[Any]) -> Iterator[list[Any]]:
    ordered = sorted(values)
    for start in range(0, len(ordered), CHUNK_SIZE):
        yield ordered[start : start + CHUNK_SIZE]


def person_of(first_name: str, last_name: str, phone: str) -> Person | None:
    """Return a key that is the same for the same person, or None without a phone."""
    if not (phone and (first_name or last_name)):
        return None
    texts = (first_name, "First name"), (last_name, "Last name"), (phone, "Phone")
    first, last, digits = (comparable(text, name) for text, name in texts)
    return first, last, digits


def comparable(text: str, name: str) -> str:
    """Return a text as it is compared; of a phone number only digits and letters."""
    text = text.strip().casefold()
    return "".join(filter(str.isalnum, text)) if name == "Phone" else text


class CustomerFinder:
    """Customers by number, email, and name with phone.

    :param prefix: what the headings begin with, such as ``Owner``
    """

    def __init__(self, rows: list[Row], *, lock: bool, prefix: str = "") -> None:
        self.headings = {
            name: f"{prefix} {name.lower()}" if prefix else name
            for name in ("Number", "First name", "Last name", "Email", "Phone")
        }
        self.lock = lock
        self.by_number: dict[int, Customer] = {}
        self.by_email: dict[str, Customer] = {}
        self.by_person: dict[Person, list[Customer]] = defaultdict(list)
        self._load(rows)

    def _load(self, rows: list[Row]) -> None:
        """Load whoever may be meant; rows are locked in the order of numbers."""
        customers = Customer.objects.not_erased()
        queries: list[tuple[str, Callable[[Row], Any]]] = [
            ("pk__in", self._number),
            ("email__in", self._email),
            ("last_name__in", lambda row: self._text(row, "Last name")),
        ]
        pks: set[int] = set()
        for lookup, read in queries:
            for some in in_chunks({value for row in rows if (value := read(row))}):
                pks |= set(
                    customers.filter(**{lookup: some}).values_list("pk", flat=True)
                )
        rows_of = customers.select_for_update() if self.lock else customers
        for some in in_chunks(pks):
            for customer in rows_of.filter(pk__in=some).order_by("pk"):
                self._remember(customer)

    def _remember(self, customer: Customer) -> None:
        self.by_number[customer.pk] = customer
        if customer.email:
            self.by_email[customer.email] = customer
        names = customer.first_name, customer.last_name
        if person := person_of(*names, customer.phone):
            self.by_person[person].append(customer)

    def find(self, row: Row) -> tuple[Customer | None, dict[str, str]]:
        """Return the customer that a row means, and mistakes by attribute."""
        if self._text(row, "Number"):
            customer = self.by_number.get(self._number(row) or 0)
            return customer, {} if customer else {"pk": NO_NUMBER}
        if email := self._email(row):
            return self.by_email.get(email), {}
        found = self.by_person.get(self._person(row) or ("", "", ""), [])
        if len(found) > 1:
            return None, {"pk": SEVERAL}
        return (found[0] if found else None), {}

    def contradictions(self, row: Row, customer: Customer) -> list[str]:
        """Return the headings of filled cells that are not of that customer."""
        stored = {
            "First name": customer.first_name,
            "Last name": customer.last_name,
            "Email": customer.email or "",
            "Phone": customer.phone,
        }
        return [
            self.headings[name]
            for name, value in stored.items()
            if (text := self._text(row, name))
            and comparable(text, name) != comparable(value, name)
        ]

    def keys_of(self, row: Row) -> list[Any]:
        """Return what tells a new customer from others in the file.

        The first one decides; a later row without an email is known by the second.
        """
        return list(filter(None, (self._email(row), self._person(row))))

    def _text(self, row: Row, name: str) -> str:
        return text_of(row, self.headings[name])

    def _number(self, row: Row) -> int | None:
        text = self._text(row, "Number")
        is_number = text.isascii() and text.isdecimal() and len(text) < 18
        return int(text) if is_number else None

    def _email(self, row: Row) -> str:
        return normalize_email(self._text(row, "Email"))

    def _person(self, row: Row) -> Person | None:
        names = self._text(row, "First name"), self._text(row, "Last name")
        return person_of(*names, self._text(row, "Phone"))
