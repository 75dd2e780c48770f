"""Find the customers that the rows of a file mean, all with the same few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet

from customers.models import Customer
from mechanic_shop.core.emails import normalize_email
from mechanic_shop.spreadsheets.resource import Row

CHUNK_SIZE = 500
NO_NUMBER = "The shop has no customer with this number."
SEVERAL = "Several customers have this name and phone. Write the number of one."

M = TypeVar("M", bound=Model)
Person = tuple[str, str, str]


def text_of(row: Row, heading: str) -> str:
    return str(row.get(heading) or "").strip()


def in_chunks(values: set[Any]) -> Iterator[list[Any]]:
    ordered = sorted(values)
    for start in range(0, len(ordered), CHUNK_SIZE):
        yield ordered[start : start + CHUNK_SIZE]


def key_for(model: type[Model], column: str, text: str) -> str | None:
    """Return what an indexed column holds for a text; None where there is no text.

    Databases do not agree on case, so names and plates are compared in Python.
    """
    field: Any = model._meta.get_field(column)
    return field.derive([text]) if text else None


def load_by(rows: QuerySet[M], lookup: str, values: Iterable[Any]) -> Iterator[M]:
    """Load rows with one of the values, each chunk of them in the order of numbers."""
    for some in in_chunks({value for value in values if value is not None}):
        yield from rows.filter(**{lookup: some}).order_by("pk")


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


class Candidates(Generic[M]):
    """Stored rows that the rows of a file may mean, by number."""

    def __init__(self, stored: QuerySet[M], found: Iterable[M]) -> None:
        self.stored = stored
        self.by_number = {row.pk: row for row in found}
        self.index()

    def index(self) -> None:
        """Make the candidates known by all that they are found by."""
        raise NotImplementedError

    def lock(self, meant: Iterable[M | None]) -> None:
        """Lock those that are meant, in the order of numbers, as they are by now."""
        pks = {row.pk for row in meant if row}
        for pk in pks:
            del self.by_number[pk]
        locked = load_by(self.stored.select_for_update(), "pk__in", pks)
        self.by_number |= {row.pk: row for row in locked}
        self.index()


class CustomerFinder(Candidates[Customer]):
    """Customers by number, email, and name with phone.

    :param prefix: what the headings begin with, such as ``Owner``
    """

    def __init__(self, rows: list[Row], *, prefix: str = "") -> None:
        self.headings = {
            name: f"{prefix} {name.lower()}" if prefix else name
            for name in ("Number", "First name", "Last name", "Email", "Phone")
        }
        customers = Customer.objects.not_erased()
        super().__init__(
            customers,
            chain(
                load_by(customers, "pk__in", map(self._number, rows)),
                load_by(customers, "email__in", map(self._email, rows)),
                load_by(customers, "phone_key__in", map(self._phone_key, rows)),
            ),
        )

    def index(self) -> None:
        self.by_email: dict[str, Customer] = {}
        self.by_person: dict[Person, list[Customer]] = defaultdict(list)
        for customer in self.by_number.values():
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

    def _email(self, row: Row) -> str | None:
        return normalize_email(self._text(row, "Email")) or None

    def _phone_key(self, row: Row) -> str | None:
        """Return the key of who is known by name and phone, as ``find`` decides it."""
        is_person = not (self._text(row, "Number") or self._email(row))
        phone = self._text(row, "Phone") if is_person else ""
        return key_for(Customer, "phone_key", phone)

    def _person(self, row: Row) -> Person | None:
        names = self._text(row, "First name"), self._text(row, "Last name")
        return person_of(*names, self._text(row, "Phone"))
