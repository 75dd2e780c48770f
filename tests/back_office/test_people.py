"""People: who gets in, who leaves, and who sees what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from customers.models import Customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import MANAGER, SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.accounts.services import start_session
from mechanic_shop.accounts.tests.factories import UserFactory, user_in
from mechanics import services
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from tests.support.back_office import (
    answer_dialog,
    browser_of,
    form_of,
    make_ticket,
    page_of,
    run_action,
    text_of,
    url,
)
from tickets.services import move_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> User:
    return user_in(MANAGER, first_name="Mia")


@pytest.fixture
def desk(manager: User) -> Client:
    return browser_of(manager)


def group(name: str) -> Group:
    return Group.objects.get(name=name)


def give_login(desk: Client, mechanic: Mechanic, role: str = TECHNICIAN) -> str:
    path = url(Mechanic, "give_login", mechanic.pk)
    return answer_dialog(desk, path, group=group(role).pk)[1]


def may(user: User, *codenames: str) -> Client:
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return browser_of(user)


class TestGivingAMechanicALogin:
    def test_makes_one_with_the_chosen_role_and_mails_the_link(
        self,
        desk: Client,
        sent_mails: Callable[[], list[Any]],
    ) -> None:
        mechanic = MechanicFactory.create(full_name="Ana de la Cruz")

        said = give_login(desk, mechanic)

        mechanic.refresh_from_db()
        user = mechanic.user
        assert user is not None
        assert (user.email, user.full_name) == (mechanic.email, "Ana de la Cruz")
        assert (user.is_staff, user.is_superuser) == (True, False)
        assert list(user.groups.all()) == [group(TECHNICIAN)]
        assert not user.has_usable_password()
        (mail,) = sent_mails()
        assert mail.to == [mechanic.email]
        assert settings.PUBLIC_URL in mail.body
        assert said.startswith("Ana de la Cruz is a Technician now.")

    def test_links_the_login_that_staff_made_for_this_address(
        self, desk: Client
    ) -> None:
        mechanic = MechanicFactory.create()
        made = UserFactory.create(email=mechanic.email)

        give_login(desk, mechanic, SERVICE_ADVISOR)

        mechanic.refresh_from_db()
        assert mechanic.user == made
        assert made.groups.get() == group(SERVICE_ADVISOR)

    def test_refuses_an_address_that_a_customer_signed_up_with(
        self, desk: Client
    ) -> None:
        mechanic = MechanicFactory.create()
        customer = CustomerFactory.create(email=mechanic.email)
        assert customer.user is not None

        said = give_login(desk, mechanic)

        mechanic.refresh_from_db()
        assert said == "A customer signs in with this address. Use another one."
        assert mechanic.user is None
        assert not customer.user.groups.exists()

    @pytest.mark.parametrize("superuser", [True, False])
    def test_refuses_the_login_of_a_colleague(
        self, desk: Client, superuser: bool
    ) -> None:
        mechanic = MechanicFactory.create()
        other = UserFactory.create(email=mechanic.email, superuser=superuser)
        if not superuser:
            MechanicFactory.create(user=other)

        assert "A colleague signs in" in give_login(desk, mechanic)

        assert not other.groups.exists()

    def test_refuses_a_login_that_is_closed(self, desk: Client) -> None:
        mechanic = MechanicFactory.create()
        UserFactory.create(email=mechanic.email, is_active=False)

        assert "is deactivated" in give_login(desk, mechanic)

    def test_refuses_a_mechanic_who_has_one(self, owner: User) -> None:
        mechanic = MechanicFactory.create(user=UserFactory.create())

        with pytest.raises(services.LoginExists):
            services.create_staff_login(
                mechanic=mechanic, group=group(TECHNICIAN), by=owner
            )

    def test_refuses_a_mechanic_who_left(self, owner: User) -> None:
        mechanic = MechanicFactory.create(is_active=False)

        with pytest.raises(services.MechanicDeactivated):
            services.create_staff_login(
                mechanic=mechanic, group=group(TECHNICIAN), by=owner
            )

    def test_offers_the_three_roles_and_no_other_group(self, desk: Client) -> None:
        mechanic, owners = MechanicFactory.create(), Group.objects.create(name="Owners")
        path = url(Mechanic, "give_login", mechanic.pk)

        assert "Owners" not in text_of(desk.get(path))
        answer_dialog(desk, path, group=owners.pk)

        assert not User.objects.filter(email=mechanic.email).exists()

    def test_needs_the_right_to_make_logins(self) -> None:
        mechanic = MechanicFactory.create()
        editor = may(
            UserFactory.create(is_staff=True), "view_mechanic", "change_mechanic"
        )
        path = url(Mechanic, "give_login", mechanic.pk)

        answer, _ = answer_dialog(editor, path, group=group(TECHNICIAN).pk)

        assert answer.status_code == 403
        assert path not in text_of(editor.get(page_of(mechanic)))

    def test_is_offered_until_there_is_one(self, desk: Client) -> None:
        mechanic = MechanicFactory.create()
        path = url(Mechanic, "give_login", mechanic.pk)
        assert path in text_of(desk.get(page_of(mechanic)))

        give_login(desk, mechanic)

        assert path not in text_of(desk.get(page_of(mechanic)))


class TestDeactivatingAMechanic:
    def test_closes_the_login_and_ends_its_sessions(self, desk: Client) -> None:
        user = user_in(TECHNICIAN)
        mechanic = MechanicFactory.create(user=user)
        start_session(user=user)
        their_browser = browser_of(user)

        answer_dialog(desk, url(Mechanic, "deactivate", mechanic.pk))

        mechanic.refresh_from_db()
        user.refresh_from_db()
        assert (mechanic.is_active, user.is_active) == (False, False)
        assert not user.sessions.still_alive().exists()
        assert their_browser.get("/admin/").status_code == 302

    def test_can_be_taken_back(self, desk: Client) -> None:
        user = user_in(TECHNICIAN, is_active=False)
        mechanic = MechanicFactory.create(user=user, is_active=False)

        answer_dialog(desk, url(Mechanic, "reactivate", mechanic.pk))

        mechanic.refresh_from_db()
        user.refresh_from_db()
        assert (mechanic.is_active, user.is_active) == (True, True)

    def test_leaves_an_owners_login_to_owners(self, desk: Client, owner: User) -> None:
        mechanic = MechanicFactory.create(user=owner)

        _, said = answer_dialog(desk, url(Mechanic, "deactivate", mechanic.pk))

        mechanic.refresh_from_db()
        assert "only owners may change it" in said
        assert mechanic.is_active

    def test_does_not_close_ones_own_login(self, desk: Client, manager: User) -> None:
        mechanic = MechanicFactory.create(user=manager)

        _, said = answer_dialog(desk, url(Mechanic, "deactivate", mechanic.pk))

        assert said == "You cannot close your own login."

    def test_needs_the_right_to_change_logins_where_there_is_one(self) -> None:
        mechanic = MechanicFactory.create(user=UserFactory.create())
        editor = may(
            UserFactory.create(is_staff=True), "view_mechanic", "change_mechanic"
        )

        _, said = answer_dialog(editor, url(Mechanic, "deactivate", mechanic.pk))

        assert said == "The login of this mechanic is not yours to change."

    def test_asks_before_it_takes_many_and_says_how_many(self, desk: Client) -> None:
        mechanics = [MechanicFactory.create(), MechanicFactory.create()]
        data = {
            "action": "deactivate_selected",
            "_selected_action": [mechanic.pk for mechanic in mechanics],
        }

        asked = text_of(desk.post(url(Mechanic, "changelist"), data))
        assert "Deactivate these mechanics?" in asked
        assert "Deactivate (2)" in asked
        assert mechanics[0].full_name in asked
        assert Mechanic.objects.active().count() == 2

        said = run_action(desk, "deactivate_selected", mechanics, confirmed="yes")
        assert said == "2 deactivated."
        assert not Mechanic.objects.active().exists()

    def test_is_the_only_way_to_do_it(self, desk: Client) -> None:
        mechanic = MechanicFactory.create()

        assert "is_active" not in form_of(desk, page_of(mechanic))


class TestDeactivatingAUser:
    def test_ends_every_session(self, desk: Client) -> None:
        user = user_in(TECHNICIAN)
        start_session(user=user)
        their_browser = browser_of(user)

        answer_dialog(desk, url(User, "deactivate", user.pk))

        user.refresh_from_db()
        assert not user.is_active
        assert not user.sessions.still_alive().exists()
        assert their_browser.get("/admin/").status_code == 302

    def test_can_be_taken_back(self, desk: Client) -> None:
        user = user_in(TECHNICIAN, is_active=False)

        answer_dialog(desk, url(User, "reactivate", user.pk))

        user.refresh_from_db()
        assert user.is_active

    def test_keeps_managers_from_owners(self, desk: Client, owner: User) -> None:
        for button in ("deactivate", "mail_link"):
            path = url(User, button, owner.pk)
            assert answer_dialog(desk, path)[0].status_code == 403
            assert path not in text_of(desk.get(page_of(owner)))

        owner.refresh_from_db()
        assert owner.is_active

    def test_keeps_people_from_locking_themselves_out(
        self, desk: Client, manager: User
    ) -> None:
        said = run_action(desk, "deactivate_selected", [manager], confirmed="yes")
        form = form_of(desk, page_of(manager))

        assert said == "You cannot close your own login."
        assert not {"is_active", "is_staff", "is_superuser"} & {*form}

    def test_asks_before_it_takes_many(self, desk: Client) -> None:
        users = [user_in(TECHNICIAN), user_in(TECHNICIAN)]

        run_action(desk, "deactivate_selected", users)
        assert User.objects.filter(is_active=True).count() == 3

        said = run_action(desk, "deactivate_selected", users, confirmed="yes")
        assert said == "2 deactivated."
        assert User.objects.filter(is_active=True).count() == 1

    def test_takes_all_selected_or_none(self, desk: Client, owner: User) -> None:
        tina = user_in(TECHNICIAN)
        data = {
            "action": "deactivate_selected",
            "_selected_action": [tina.pk, owner.pk],
            "confirmed": "yes",
        }

        assert desk.post(url(User, "changelist"), data).status_code == 403

        tina.refresh_from_db()
        assert tina.is_active

    def test_mails_a_link_to_who_forgot_the_password(
        self,
        desk: Client,
        sent_mails: Callable[[], list[Any]],
    ) -> None:
        user = user_in(TECHNICIAN)

        answer_dialog(desk, url(User, "mail_link", user.pk))

        assert [mail.to for mail in sent_mails()] == [[user.email]]


class TestInvitingManyCustomers:
    def test_asks_and_leaves_out_who_needs_none(
        self,
        desk: Client,
        sent_mails: Callable[[], list[Any]],
    ) -> None:
        customers = [
            CustomerFactory.create(walk_in=True),
            CustomerFactory.create(walk_in=True, email=None),
            CustomerFactory.create(),
        ]

        assert run_action(desk, "invite_selected", customers) == ""
        said = run_action(desk, "invite_selected", customers, confirmed="yes")

        assert said == "1 invited, 2 left out."
        assert [mail.to for mail in sent_mails()] == [[customers[0].email]]


class TestErasingACustomer:
    def test_says_what_goes_with_one_whom_no_ticket_mentions(
        self, desk: Client
    ) -> None:
        customer = VehicleFactory.create().customer

        page = text_of(desk.get(page_of(customer, "delete")))

        assert f"The login {customer.email}, which closes at once" in page
        assert "1 vehicle" in page
        assert "no ticket mentions this customer" in page

    def test_says_what_stays_of_one_whom_tickets_mention(
        self, desk: Client, manager: User
    ) -> None:
        ticket = make_ticket(manager)
        move_ticket(ticket=ticket, status="cancelled", by=manager)

        page = text_of(desk.get(page_of(ticket.customer, "delete")))

        assert "VIN and plate of 1 vehicle" in page
        assert "1 ticket, with the work, the parts and the prices" in page
        assert "An empty record" in page

    def test_says_why_not_while_a_ticket_is_open(
        self, desk: Client, manager: User
    ) -> None:
        customer = make_ticket(manager).customer

        page = text_of(desk.get(page_of(customer, "delete")))

        assert "cannot be deleted now" in page
        assert "Yes, delete" not in page

    def test_says_it_of_each_of_many(self, desk: Client, manager: User) -> None:
        ticket, other = make_ticket(manager), CustomerFactory.create()
        data = {
            "action": "delete_selected",
            "_selected_action": [ticket.customer.pk, other.pk],
        }

        page = text_of(desk.post(url(Customer, "changelist"), data))

        assert f"{ticket.customer}: erased; 1 ticket and 1 vehicle stay" in page
        assert f"{other}: deleted, with 0 vehicles" in page

    def test_keeps_a_colleagues_login(self, desk: Client) -> None:
        customer = CustomerFactory.create(user__is_staff=True)

        page = text_of(desk.get(page_of(customer, "delete")))

        assert "which is a colleague" in page
        assert "closes at once" not in page


class TestARole:
    @pytest.mark.parametrize(
        ("role", "seen", "unseen"),
        [
            (TECHNICIAN, {"Tickets", "Customers", "Parts"}, {"Users", "Groups"}),
            (SERVICE_ADVISOR, {"Tickets", "Stock movements"}, {"Users", "Sessions"}),
            (MANAGER, {"Tickets", "Users"}, {"Groups", "Sessions"}),
        ],
    )
    def test_decides_the_menu(
        self, role: str, seen: set[str], unseen: set[str]
    ) -> None:
        page = browser_of(user_in(role)).get("/admin/")

        groups = page.context["sidebar_navigation"]
        entries = {
            item["title"]
            for group in groups
            for item in group["items"]
            if item["has_permission"]
        }
        assert seen <= entries
        assert not unseen & entries

    @pytest.mark.parametrize("role", [TECHNICIAN, SERVICE_ADVISOR])
    def test_without_deleting_offers_no_delete(self, role: str) -> None:
        client = browser_of(user_in(role))
        rows = [CustomerFactory.create(), MechanicFactory.create()]
        rows.append(VehicleFactory.create())

        for row in rows:
            page = text_of(client.get(page_of(row)))
            assert page_of(row, "delete") not in page
            assert client.get(page_of(row, "delete")).status_code == 403
            listed = text_of(client.get(url(type(row), "changelist")))
            assert "delete_selected" not in listed

    def test_of_a_technician_is_for_reading_customers(self) -> None:
        client, customer = browser_of(user_in(TECHNICIAN)), CustomerFactory.create()

        page = text_of(client.get(page_of(customer)))

        assert "_save" not in page
        assert url(Customer, "invite", customer.pk) not in page
        assert client.get(url(Customer, "add")).status_code == 403

    def test_of_a_technician_knows_no_salary_and_no_login_to_give(self) -> None:
        client = browser_of(user_in(TECHNICIAN))
        mechanic = MechanicFactory.create(salary=54_321)

        for path in (url(Mechanic, "changelist"), page_of(mechanic)):
            page = text_of(client.get(path))
            assert "54,321" not in page
            assert "54321" not in page
            assert "alary" not in page
        assert "Give a login" not in page

    def test_that_is_none_opens_nothing(self) -> None:
        client = browser_of(UserFactory.create(is_staff=True))

        for model in admin.site._registry:
            assert client.get(url(model, "changelist")).status_code == 403

    def test_says_at_the_door_that_a_customers_login_opens_no_back_office(
        self,
    ) -> None:
        user = UserFactory.create()
        form = {"username": user.email, "password": "correct-horse-battery"}

        page = Client().post(reverse("admin:login"), form)

        assert "staff account" in text_of(page)


class TestTheListOfGroups:
    @pytest.mark.parametrize(
        ("people", "shown", "hidden"),
        [("some", MANAGER, TECHNICIAN), ("none", TECHNICIAN, MANAGER)],
    )
    def test_can_be_narrowed_to_those_with_people(
        self, owner: User, manager: User, people: str, shown: str, hidden: str
    ) -> None:
        page = browser_of(owner).get(url(Group, "changelist"), {"people": people})

        names = [group.name for group in page.context["cl"].queryset]
        assert shown in names
        assert hidden not in names
