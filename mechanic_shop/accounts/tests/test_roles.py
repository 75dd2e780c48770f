from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection
from rest_framework.test import APIClient

from mechanic_shop.accounts.models import GrantedPermission, User
from mechanic_shop.accounts.roles import MANAGER, SERVICE_ADVISOR, TECHNICIAN, role_of
from mechanic_shop.accounts.tests.factories import UserFactory, user_in
from tickets.apps import TicketsConfig
from tickets.models import ServiceTicket

pytestmark = pytest.mark.django_db

GROUPS = [TECHNICIAN, SERVICE_ADVISOR, MANAGER]

VIEWS = {
    "customers.view_customer",
    "customers.view_vehicle",
    "mechanics.view_mechanic",
    "inventory.view_part",
    "inventory.view_stockmovement",
    "tickets.view_serviceticket",
    "tickets.view_ticketmechanic",
    "tickets.view_ticketpart",
    "tickets.view_ticketevent",
}
WORK = {
    "tickets.work_ticket",
    "tickets.log_minutes",
    "tickets.install_part",
    "tickets.remove_part",
    "tickets.add_note",
}
COUNTER = {
    "customers.add_customer",
    "customers.change_customer",
    "customers.add_vehicle",
    "customers.change_vehicle",
    "tickets.add_serviceticket",
    "tickets.change_serviceticket",
    "tickets.assign_mechanic",
    "tickets.cancel_ticket",
    "tickets.reopen_ticket",
    "tickets.change_ticketmechanic",
    "tickets.view_margin",
    "inventory.adjust_quantity",
}
SHOP_APPS = ["customers", "mechanics", "inventory", "tickets"]


def labels(permissions: Iterable[Permission]) -> set[str]:
    return {f"{one.content_type.app_label}.{one.codename}" for one in permissions}


def permissions_of(group: str) -> set[str]:
    rows = Group.objects.get(name=group).permissions.select_related("content_type")
    return labels(rows)


def after_migrate() -> None:
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")


class TestMigrate:
    @pytest.mark.parametrize(
        ("group", "rights"),
        [(TECHNICIAN, VIEWS | WORK), (SERVICE_ADVISOR, VIEWS | WORK | COUNTER)],
    )
    def test_makes_the_group_with_its_rights(
        self, group: str, rights: set[str]
    ) -> None:
        assert permissions_of(group) == rights

    def test_gives_a_manager_every_right_of_the_shop_and_over_logins(self) -> None:
        shop = Permission.objects.filter(content_type__app_label__in=SHOP_APPS)
        logins = {f"accounts.{verb}_user" for verb in ("view", "add", "change")}

        held = permissions_of(MANAGER)

        assert held >= labels(shop.select_related("content_type"))
        assert "mechanics.view_salary" in held
        assert held >= logins

    def test_gives_a_manager_no_right_over_rights(self) -> None:
        assert not {right for right in permissions_of(MANAGER) if "auth." in right}

    @pytest.mark.parametrize("name", GROUPS)
    def test_makes_a_missing_group_again(self, name: str) -> None:
        before = permissions_of(name)
        Group.objects.get(name=name).delete()

        after_migrate()

        assert permissions_of(name) == before

    @pytest.mark.parametrize("name", GROUPS)
    def test_leaves_alone_what_the_shop_has_changed(self, name: str) -> None:
        right = Permission.objects.get(codename="view_part")
        Group.objects.get(name=name).permissions.set([right])

        after_migrate()

        assert permissions_of(name) == {"inventory.view_part"}
        assert Group.objects.count() == len(GROUPS)


@pytest.fixture
def new_permission(monkeypatch: pytest.MonkeyPatch) -> Permission:
    """A permission that a release adds for technicians."""
    declared = TicketsConfig.role_permissions
    more = {TECHNICIAN: (*declared[TECHNICIAN], "paint_ticket")}
    monkeypatch.setattr(TicketsConfig, "role_permissions", {**declared, **more})
    of_tickets = ContentType.objects.get_for_model(ServiceTicket)
    return Permission.objects.create(
        content_type=of_tickets, codename="paint_ticket", name="Can paint a ticket"
    )


class TestNewPermission:
    @pytest.mark.parametrize("name", GROUPS)
    def test_reaches_existing_groups_of_its_roles(
        self, name: str, new_permission: Permission
    ) -> None:
        before = permissions_of(name)

        after_migrate()

        assert permissions_of(name) == before | {"tickets.paint_ticket"}

    def test_stays_away_once_the_shop_took_it_away(
        self, new_permission: Permission
    ) -> None:
        after_migrate()
        group = Group.objects.get(name=TECHNICIAN)
        group.permissions.remove(new_permission)

        after_migrate()

        assert "tickets.paint_ticket" not in permissions_of(TECHNICIAN)

    def test_brings_back_nothing_taken_away_before_the_upgrade(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A database of the release before knows nothing of what was granted."""
        GrantedPermission.objects.all().delete()
        group = Group.objects.get(name=TECHNICIAN)
        group.permissions.remove(Permission.objects.get(codename="view_part"))
        migration = import_module(
            "mechanic_shop.accounts.migrations.0003_permissions_granted_before"
        )

        migration.remember_present_permissions(apps, connection.schema_editor())
        after_migrate()

        assert permissions_of(TECHNICIAN) == (VIEWS | WORK) - {"inventory.view_part"}


class TestRole:
    @pytest.mark.parametrize(
        ("traits", "groups", "word"),
        [
            ({}, [], "customer"),
            ({"is_staff": True}, [], "staff"),
            ({"is_staff": True}, [TECHNICIAN], "technician"),
            ({"is_staff": True}, [SERVICE_ADVISOR], "service_advisor"),
            ({"is_staff": True}, [MANAGER], "manager"),
            ({"superuser": True}, [], "manager"),
            ({"superuser": True}, [TECHNICIAN], "manager"),
            ({"is_staff": True}, [TECHNICIAN, SERVICE_ADVISOR], "service_advisor"),
            ({"is_staff": True}, [SERVICE_ADVISOR, MANAGER, TECHNICIAN], "manager"),
            ({"is_staff": True}, ["Cleaners"], "staff"),
        ],
    )
    def test_is_the_highest_one(
        self, traits: dict[str, bool], groups: list[str], word: str
    ) -> None:
        user = UserFactory.create(**traits)
        for name in groups:
            user.groups.add(Group.objects.get_or_create(name=name)[0])

        assert role_of(user) == word

    def test_is_read_at_every_request_and_not_from_the_token(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        user = user_in(TECHNICIAN)
        client = client_of(user)
        assert client.get("/api/customers").status_code == 200

        user.groups.clear()

        assert client.get("/api/auth/me").data["role"] == "staff"
        assert client.get("/api/customers").status_code == 403

    def test_gives_no_rights_by_its_name(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        Group.objects.get(name=MANAGER).permissions.clear()
        client = client_of(user_in(MANAGER))

        assert client.get("/api/auth/me").data["role"] == "manager"
        assert client.get("/api/customers").status_code == 403


class TestPermission:
    def test_permission_is_read_at_every_request(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        user = UserFactory.create(is_staff=True)
        client = client_of(user)

        before = client.get("/api/inventory").status_code
        user.user_permissions.add(Permission.objects.get(codename="view_part"))
        during = client.get("/api/inventory").status_code
        user.user_permissions.clear()
        after = client.get("/api/inventory").status_code

        assert (before, during, after) == (403, 200, 403)
