"""Rows of a shop, and a browser that works on them in the back office."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers.models import Customer, Vehicle
from inventory.models import Part, StockMovement
from inventory.services import add_part
from mechanic_shop.accounts.models import Session, User
from mechanic_shop.accounts.roles import TECHNICIAN
from mechanic_shop.accounts.services import send_set_password_link, start_session
from mechanic_shop.core.models import QueuedTask
from mechanics.models import Mechanic
from tickets import services
from tickets.models import ServiceTicket, TicketEvent, TicketMechanic, TicketPart

SHOP_MODELS: list[type[Model]] = [
    User,
    Group,
    Session,
    Customer,
    Vehicle,
    Mechanic,
    Part,
    StockMovement,
    ServiceTicket,
    TicketMechanic,
    TicketPart,
    TicketEvent,
    QueuedTask,
]


def make_user(name: str, group: str | None = None, **fields: Any) -> User:
    user = User.objects.create_user(
        f"{name}@shop.test",
        "correct horse battery",
        **{"first_name": name, "last_name": "Staff", "is_staff": True, **fields},
    )
    if group:
        user.groups.add(Group.objects.get(name=group))
    return user


def make_customer(name: str = "Ada", **fields: Any) -> Customer:
    return Customer.objects.create(
        first_name=name, last_name="Lovelace", phone="1", **fields
    )


def make_vehicle(customer: Customer | None = None) -> Vehicle:
    return Vehicle.objects.create(
        customer=customer or make_customer(), make="VW", model="Golf", year=2019
    )


def make_mechanic(name: str = "Max", **fields: Any) -> Mechanic:
    return Mechanic.objects.create(
        full_name=name,
        email=f"{name.lower()}@mechanics.test",
        phone="1",
        **{"salary": 54_321, **fields},
    )


def make_part(by: User, number: str = "BRK-1", stock: int = 5) -> Part:
    return add_part(
        by=by,
        part_number=number,
        name="Brake pad",
        current_cost_cents=123_450,
        quantity_in_stock=stock,
    )


def make_ticket(by: User, vehicle: Vehicle | None = None) -> ServiceTicket:
    return services.open_ticket(
        vehicle=vehicle or make_vehicle(),
        by=by,
        problem_description="It squeaks.",
        odometer_miles=1000,
    )


def fill_shop(by: User, first: int, last: int) -> None:
    """Add a whole story of a ticket for each number."""
    for number in range(first, last):
        customer = make_customer(f"Customer{number}", email=f"c{number}@test.test")
        ticket = make_ticket(by, make_vehicle(customer))
        mechanic = make_mechanic(f"Mechanic{number}")
        part = make_part(by, f"P-{number}")
        services.assign_mechanic(ticket=ticket, mechanic=mechanic, by=by)
        services.install_part(
            ticket=ticket, part=part, quantity_used=1, by=by, installed_by=mechanic
        )
        user = make_user(f"user{number}", TECHNICIAN)
        start_session(user=user)
        send_set_password_link(user=user)
        Group.objects.create(name=f"Group {number}")


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(model: type[Model], page: str, *args: Any) -> str:
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=args)


def page_of(row: Model, page: str = "change") -> str:
    return url(type(row), page, row.pk)


def text_of(response: Any) -> str:
    content: str = response.content.decode()
    return content


def form_of(client: Client, path: str) -> dict[str, Any]:
    """Collect what a browser would post if it changed nothing on a page."""
    context = client.get(path).context
    formsets = [inline.formset for inline in context["inline_admin_formsets"]]
    forms = [context["adminform"].form]
    for formset in formsets:
        forms += [formset.management_form, *formset.forms]
    return {
        bound.html_name: "" if bound.value() is None else bound.value()
        for form in forms
        for bound in form
        if not bound.field.disabled
        and bound.value() is not False
        and bound.name != "password"
    }


def add_row(data: dict[str, Any], prefix: str, **values: Any) -> dict[str, Any]:
    """Fill in one more row of an inline, as the page's script does."""
    number = int(data[f"{prefix}-TOTAL_FORMS"])
    row = {f"{prefix}-{number}-{name}": value for name, value in values.items()}
    return {**data, **row, f"{prefix}-TOTAL_FORMS": number + 1}


def post(client: Client, path: str, data: dict[str, Any]) -> tuple[Any, str]:
    """Post a form; return the answer and everything that it or the next page says."""
    response = client.post(path, data)
    page = client.get(response["Location"]) if response.status_code == 302 else response
    context = page.context or {}
    said = [str(message) for message in context.get("messages") or ()]
    return response, " ".join([*said, *errors_on(context)])


def errors_on(context: Any) -> list[str]:
    """Return what the forms of a page say, without the buttons beside it."""
    if "adminform" not in context:
        return []
    formsets = [inline.formset for inline in context["inline_admin_formsets"]]
    forms = [context["adminform"].form, *(form for rows in formsets for form in rows)]
    lists = [errors for form in forms for errors in form.errors.values()]
    lists += [rows.non_form_errors() for rows in formsets]
    found = [str(error) for errors in lists for error in errors]
    return [re.sub(r" <button.*", "", text, flags=re.DOTALL) for text in found]


def answer_dialog(client: Client, path: str, **data: Any) -> tuple[Any, str]:
    """Submit the dialog behind a button, with the mark that it was submitted."""
    return post(client, path, {"_form_submitted": "True", **data})


def queries_of(client: Client, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def run_action(client: Client, name: str, rows: list[Any], **more: Any) -> str:
    """Run an action on selected rows, with the answer to the page that asks first.

    Return what the list says afterwards.
    """
    selected = [row.pk for row in rows]
    data = {"action": name, "_selected_action": selected, "post": "yes", **more}
    return post(client, url(type(rows[0]), "changelist"), data)[1]
