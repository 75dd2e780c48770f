"""What to do in a shop that has no tickets yet."""

from __future__ import annotations

from django.db.models import Value
from django.urls import reverse

from customers.models import Customer
from inventory.models import Part
from mechanic_shop.accounts.models import User
from mechanics.models import Mechanic
from tickets.models import (
    ServiceTicket,
)

from .card import Figures


def existing_models() -> list[str]:
    """Return the models that have rows in a shop without tickets, in one query."""
    kinds = [
        model._default_manager.order_by().values_list(Value(model._meta.model_name))
        for model in (Mechanic, Part, Customer)
    ]
    return sorted(name for (name,) in kinds[0].union(*kinds[1:]))


#: The first steps of a new shop: permission, model, icon, title, text.
STEPS = (
    (
        "mechanics.add_mechanic",
        Mechanic,
        "engineering",
        "Add your mechanics",
        "They are assigned to tickets and log their minutes.",
    ),
    (
        "inventory.add_part",
        Part,
        "inventory_2",
        "Put parts on the shelf",
        "Each with its cost, its stock and when to reorder.",
    ),
    (
        "customers.add_customer",
        Customer,
        "person_add",
        "Enter a customer and a vehicle",
        "A ticket is always about a vehicle and its owner.",
    ),
    (
        "tickets.add_serviceticket",
        ServiceTicket,
        "assignment_add",
        "Open the first ticket",
        "From then on this page is about your work.",
    ),
)


def first_steps(user: User, found: list[str] | None) -> list[Figures] | None:
    """List the setup steps that the user may do; None once there are tickets."""
    if found is None:
        return None
    return [
        {
            "title": title,
            "text": text,
            "icon": icon,
            "is_done": model._meta.model_name in found,
            "link": reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_add"),
        }
        for permission, model, icon, title, text in STEPS
        if user.has_perm(permission)
    ]
