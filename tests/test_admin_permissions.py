"""The back office obeys the permissions that the API obeys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.admin import site
from django.db.models import Model
from django.test import RequestFactory

from customers.tests.factories import CustomerFactory
from inventory.models import StockMovement
from mechanic_shop.accounts.models import Session, User
from mechanic_shop.accounts.roles import MANAGER, SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.accounts.tests.factories import UserFactory, user_in
from tickets.models import TicketEvent, TicketMechanic, TicketPart

pytestmark = pytest.mark.django_db

STAFF: dict[str, Callable[[], User]] = {
    TECHNICIAN: lambda: user_in(TECHNICIAN),
    SERVICE_ADVISOR: lambda: user_in(SERVICE_ADVISOR),
    MANAGER: lambda: user_in(MANAGER),
    "no group": lambda: UserFactory.create(is_staff=True),
}
VERBS = ("view", "add", "change", "delete")

#: Where the back office lets more in than the permission does: group, model and verb.
ADMIN_IS_WIDER = {
    (TECHNICIAN, "ServiceTicket", "change"): "saves the page for minutes and parts",
}
#: Models that the back office shows and services write, whoever asks.
READ_ONLY: dict[type[Model], str] = {
    Session: "made by signing in, ended by signing out",
    StockMovement: "the ledger",
    TicketMechanic: "edited on the ticket's page",
    TicketPart: "edited on the ticket's page",
    TicketEvent: "the timeline",
}


def permission(model: type[Model], verb: str) -> str:
    return f"{model._meta.app_label}.{verb}_{model._meta.model_name}"


class TestAdminPermissions:
    @pytest.mark.parametrize("group", STAFF)
    def test_django_permission_opens_the_admin_page(
        self, group: str, rf: RequestFactory
    ) -> None:
        request = rf.get("/admin/")
        request.user = STAFF[group]()

        differ = {
            (group, model.__name__, verb)
            for model, page in site._registry.items()
            for verb in VERBS
            if getattr(page, f"has_{verb}_permission")(request)
            != self._is_expected(request.user, model, verb)
        }

        assert differ == {cell for cell in ADMIN_IS_WIDER if cell[0] == group}

    @staticmethod
    def _is_expected(user: User, model: type[Model], verb: str) -> bool:
        is_written = verb == "view" or model not in READ_ONLY
        return is_written and user.has_perm(permission(model, verb))

    def test_customers_have_no_permission_of_any_model(self) -> None:
        customer = CustomerFactory.create().user
        assert customer

        held = {
            permission(model, verb)
            for model in site._registry
            for verb in VERBS
            if customer.has_perm(permission(model, verb))
        }

        assert held == set()
