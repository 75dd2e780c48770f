"""Who may do what with the shelf."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from customers.tests.factories import CustomerFactory
from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import UserFactory, user_in

pytestmark = pytest.mark.django_db

Clients = Callable[[User], APIClient]

VIEW = ["list", "retrieve", "movements"]
ADJUST = ["adjust", "count"]
MANAGE = ["create", "put", "patch", "delete"]
VERBS = VIEW + ADJUST + MANAGE


def attempt(client: APIClient, verb: str, part: Part) -> int:
    """Try one verb with a body that is right; return the status."""
    path = f"/api/inventory/{part.pk}"
    response = {
        "list": lambda: client.get("/api/inventory"),
        "retrieve": lambda: client.get(path),
        "movements": lambda: client.get(f"{path}/movements"),
        "adjust": lambda: client.patch(f"{path}/adjust-quantity", {"adjustment": 1}),
        "create": lambda: client.post("/api/inventory", {"name": "New", "price": 1}),
        "put": lambda: client.put(path, {"name": "New"}),
        "count": lambda: client.patch(path, {"quantity_in_stock": 3}),
        "patch": lambda: client.patch(path, {"supplier": "Somebody else"}),
        "delete": lambda: client.delete(path),
    }[verb]()
    return int(response.status_code)


def outcome(client: APIClient, part: Part) -> dict[str, bool]:
    """Tell of every verb whether it is allowed; the part goes last."""
    return {verb: attempt(client, verb, part) < 300 for verb in VERBS}


class TestInventoryPermissions:
    @pytest.mark.parametrize("verb", VERBS)
    def test_stop_customers_at_the_door(self, client_of: Clients, verb: str) -> None:
        customer, part = CustomerFactory.create(), PartFactory.create()
        assert customer.user is not None

        assert attempt(client_of(customer.user), verb, part) == 403
        assert Part.objects.get(pk=part.pk).quantity_in_stock == 10

    @pytest.mark.parametrize("verb", VERBS)
    def test_stop_strangers_before_it(self, anonymous: APIClient, verb: str) -> None:
        assert attempt(anonymous, verb, PartFactory.create()) == 401

    def test_stop_staff_without_a_group(self, client_of: Clients) -> None:
        client = client_of(UserFactory.create(is_staff=True))

        assert not any(outcome(client, PartFactory.create()).values())

    @pytest.mark.parametrize(
        ("group", "allowed"),
        [
            ("Technician", VIEW),
            ("Service advisor", VIEW + ADJUST),
            ("Manager", VERBS),
        ],
    )
    def test_give_each_group_its_verbs(
        self, client_of: Clients, group: str, allowed: list[str]
    ) -> None:
        client = client_of(user_in(group))

        result = outcome(client, PartFactory.create())

        assert result == {verb: verb in allowed for verb in VERBS}

    @pytest.mark.parametrize("group", ["Technician", "Service advisor"])
    def test_judge_the_verb_before_the_row(
        self, client_of: Clients, group: str
    ) -> None:
        client = client_of(user_in(group))

        assert client.delete("/api/inventory/0").status_code == 403
        assert client.get("/api/inventory/0").status_code == 404

    def test_are_read_at_every_request(self, client_of: Clients) -> None:
        user, part = UserFactory.create(is_staff=True), PartFactory.create()
        client = client_of(user)
        right = Permission.objects.get(codename="view_part")

        before = attempt(client, "list", part)
        user.user_permissions.add(right)
        during = attempt(client, "list", part)
        user.user_permissions.clear()
        after = attempt(client, "list", part)

        assert (before, during, after) == (403, 200, 403)
