"""An upper app adds badges, buttons and tabs to the pages of a lower one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from inventory.admin.parts import PartAdmin
from mechanic_shop.accounts.models import User
from mechanic_shop.admin import Badge, ReadOnlyInline, ShopModelAdmin, dialog
from mechanic_shop.urls import urlpatterns
from tests.support.back_office import (
    browser_of,
    make_part,
    make_ticket,
    page_of,
    text_of,
)
from tickets.admin import ServiceTicketAdmin
from tickets.models import TicketPart

pytestmark = pytest.mark.django_db

PAGES = [(PartAdmin, make_part), (ServiceTicketAdmin, make_ticket)]
REGISTERED = ("badges", "actions_detail", "inlines")


@pytest.fixture(autouse=True)
def _registrations_end_with_the_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        for model_admin in (PartAdmin, ServiceTicketAdmin):
            for name in REGISTERED:
                patch.setattr(model_admin, name, tuple(getattr(model_admin, name)))
            patch.setattr(model_admin, "recall", None, raising=False)
        yield


@pytest.fixture
def desk(owner: User) -> Client:
    return browser_of(owner)


def is_rare(request: HttpRequest, row: Any) -> Badge | None:
    return Badge("Rare", "warning") if request.user.is_superuser else None


@dialog("Recall", icon="undo", permission="view", title="Recall it?")
def recall(
    self: ShopModelAdmin, request: HttpRequest, form: Any, object_id: str
) -> HttpResponse:
    return self.run_service(request, object_id, lambda row: f"{row} is recalled.")


class LinesOfPart(ReadOnlyInline):
    model = TicketPart
    verbose_name_plural = "Where it was installed"
    fields = ("ticket", "quantity_used")
    ordering = ("-pk",)
    tab = True


class TestBadge:
    @pytest.mark.parametrize(("model_admin", "make_row"), PAGES)
    def test_badge_stands_on_the_page_of_a_row(
        self, owner: User, desk: Client, model_admin: Any, make_row: Any
    ) -> None:
        row = make_row(owner)
        model_admin.register_badge(is_rare)

        assert text_of(desk.get(page_of(row))).count("Rare") == 1

    def test_badge_that_is_none_leaves_no_trace(
        self, owner: User, desk: Client
    ) -> None:
        PartAdmin.register_badge(lambda *_: None)

        assert b"shop-badges" not in desk.get(page_of(make_part(owner))).content


class TestButton:
    @pytest.mark.parametrize(("model_admin", "make_row"), PAGES)
    def test_button_stands_on_the_page_of_a_row(
        self,
        owner: User,
        desk: Client,
        model_admin: Any,
        make_row: Any,
        settings: Any,
    ) -> None:
        row = make_row(owner)
        model_admin.register_button(recall)
        settings.ROOT_URLCONF = (path("admin/", admin.site.urls), *urlpatterns)

        assert "Recall" in text_of(desk.get(page_of(row)))


class TestTab:
    def test_tab_stands_on_the_page_of_a_row(self, owner: User, desk: Client) -> None:
        PartAdmin.register_inline(LinesOfPart)

        assert "Where it was installed" in text_of(desk.get(page_of(make_part(owner))))
