"""Import of customers: known by number, by email, or by name and phone."""

from __future__ import annotations

from typing import Any, ClassVar

from customers import services
from customers.models import Customer
from mechanic_shop.core.emails import normalize_email
from mechanic_shop.spreadsheets.cells import Cell
from mechanic_shop.spreadsheets.columns import (
    Column,
    KeptTextWidget,
    TextWidget,
    WholeNumberWidget,
)
from mechanic_shop.spreadsheets.resource import ImportResource, Row
from mechanic_shop.spreadsheets.tables import ROW

from .matching import CustomerFinder, text_of

ADD = "customers.add_customer"
CHANGE = "customers.change_customer"
MAX_NUMBER = 9_999_999_999


class EmailWidget(KeptTextWidget):
    """An address in the spelling in which it is stored; empty keeps the old one."""

    def read(self, cell: Cell) -> str:
        return normalize_email(super().read(cell))


COLUMNS = (
    Column(
        "pk",
        "Number",
        WholeNumberWidget(maximum=MAX_NUMBER),
        "",
        "The shop's number of the customer, as exported. Empty for new customers.",
        is_reference=True,
    ),
    Column(
        "first_name",
        "First name",
        TextWidget(required=True),
        "Ada",
        "Required for new customers.",
        is_title=True,
    ),
    Column(
        "last_name",
        "Last name",
        TextWidget(required=True),
        "Lovelace",
        "Required for new customers.",
        is_title=True,
    ),
    Column(
        "email",
        "Email",
        EmailWidget(),
        "ada@example.com",
        "Without a number, an address the shop knows changes that customer. Empty:"
        " stays as it is.",
    ),
    Column(
        "phone",
        "Phone",
        TextWidget(required=True),
        "+44 20 7946 0123",
        "Required for new customers. Without number and email, the same name and phone"
        " are the same customer.",
    ),
    Column("address", "Address", TextWidget(), "12 St James's Square", "Any text."),
    Column("city", "City", TextWidget(), "London", "Any text."),
    Column("state", "State", TextWidget(), "", "Any text."),
    Column("postal_code", "Postal code", TextWidget(), "SW1Y 4JH", "Any text."),
)


class CustomerResource(ImportResource):
    columns = COLUMNS
    noun = ("customer", "customers")
    required_for_new = ("First name", "Last name", "Phone")
    permission_errors: ClassVar = {
        ADD: "The file has new customers, and you may not add customers.",
        CHANGE: "The file changes customers, and you may not change customers.",
    }

    class Meta(ImportResource.Meta):
        model = Customer

    def match(self, rows: list[Row], *, lock: bool) -> dict[int, Any]:
        finder = CustomerFinder(rows)
        if lock:
            finder.lock(finder.find(row)[0] for row in rows)
        found: dict[int, Any] = {}
        first_row: dict[Any, int] = {}
        for row in rows:
            customer, mistakes = finder.find(row)
            mistakes |= self._email_of_another(row, customer, finder)
            keys = [customer.pk] if customer else finder.keys_of(row)
            rows_of_keys = [first_row.setdefault(key, row[ROW]) for key in keys]
            first = rows_of_keys[0] if keys else row[ROW]
            if first != row[ROW]:
                mistakes["last_name"] = f"This customer is in row {first} already."
            if mistakes:
                self.mistakes[row[ROW]] = mistakes
            if customer:
                found[row[ROW]] = customer
        return found

    @staticmethod
    def _email_of_another(
        row: Row, customer: Customer | None, finder: CustomerFinder
    ) -> dict[str, str]:
        owner = finder.by_email.get(text_of(row, "Email").lower())
        is_taken = customer is not None and owner not in (None, customer)
        return {"email": services.EMAIL_TAKEN} if is_taken else {}

    def describe_new(self, row: Row) -> str:
        name = f"{text_of(row, 'First name')} {text_of(row, 'Last name')}".strip()
        return name or "one without a name"

    def needed_permissions(self, *, is_new: bool, names: list[str]) -> set[str]:
        return {ADD if is_new else CHANGE}

    def add(self, values: dict[str, Any], instance: Customer) -> Customer:
        return Customer.objects.create(**values)

    def change(
        self, known: Customer, values: dict[str, Any], instance: Customer
    ) -> None:
        services.update_customer(customer=known, by=self.user, **values)

    def title_of(self, instance: Customer) -> tuple[str, str]:
        return instance.full_name, instance.phone
