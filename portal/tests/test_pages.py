"""What customers see on their own pages, and who else sees nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from customers.models import Customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.tests.factories import PASSWORD, UserFactory, user_in
from mechanic_shop.core.app_config import Role
from mechanics.tests.factories import MechanicFactory
from tickets import services
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

HOME = "/my/"
SIGN_IN = "/my/sign-in/"


@pytest.fixture
def customer() -> Customer:
    return CustomerFactory.create(first_name="Ada", last_name="Lopez")


@pytest.fixture
def signed_in(customer: Customer, client: Client) -> Client:
    assert customer.user is not None
    client.force_login(customer.user)
    return client


def text(response: Any) -> str:
    return response.content.decode()  # type: ignore[no-any-return]


class TestHome:
    def test_shows_own_vehicles_and_tickets(
        self, signed_in: Client, customer: Customer
    ) -> None:
        mine = VehicleFactory.create(customer=customer, license_plate="MINE 1")
        ticket = TicketFactory.create(vehicle=mine, problem_description="It squeaks.")

        shown = text(signed_in.get(HOME))

        assert "Hello Ada Lopez" in shown
        assert "MINE 1" in shown
        assert "It squeaks." in shown
        assert f"/my/tickets/{ticket.pk}/" in shown

    def test_shows_nothing_of_other_customers(self, signed_in: Client) -> None:
        VehicleFactory.create(license_plate="OTHER 1")
        TicketFactory.create(problem_description="Not yours.")

        shown = text(signed_in.get(HOME))

        assert "OTHER 1" not in shown
        assert "Not yours." not in shown

    def test_open_access_shows_own_rows_only(
        self, signed_in: Client, settings: Any
    ) -> None:
        settings.AUTHENTICATION_BACKENDS = [
            *settings.AUTHENTICATION_BACKENDS,
            "mechanic_shop.accounts.backends.OpenAccessBackend",
        ]
        TicketFactory.create(problem_description="Not yours.")

        assert "Not yours." not in text(signed_in.get(HOME))

    @pytest.mark.parametrize("page", ["2", "0", "x", "9" * 40])
    def test_any_page_number_shows_a_page(self, signed_in: Client, page: str) -> None:
        assert signed_in.get(HOME, {"page": page}).status_code == 200

    def test_query_count_does_not_grow_with_tickets(
        self,
        signed_in: Client,
        customer: Customer,
        django_assert_num_queries: Any,
    ) -> None:
        for _ in range(12):
            TicketFactory.create(vehicle__customer=customer)

        # Session, user, customer; vehicles; tickets and their number.
        with django_assert_num_queries(6):
            shown = text(signed_in.get(HOME))

        assert shown.count("/my/tickets/") == 10
        assert "Page 1 of 2" in shown

    def test_is_kept_in_no_cache(self, signed_in: Client) -> None:
        assert "no-store" in signed_in.get(HOME)["Cache-Control"]

    def test_asks_strangers_to_sign_in(self, client: Client) -> None:
        assert client.get(HOME)["Location"] == f"{SIGN_IN}?next={HOME}"

    def test_sends_staff_to_the_back_office(self, client: Client) -> None:
        client.force_login(user_in(Role.TECHNICIAN))

        assert client.get(HOME)["Location"] == reverse("admin:index")

    def test_login_without_record_is_told_so(self, client: Client) -> None:
        client.force_login(UserFactory.create())

        assert "belongs to no customer" in text(client.get(HOME))


class TestTicket:
    def test_shows_work_parts_and_visible_notes(
        self, signed_in: Client, customer: Customer
    ) -> None:
        boss = user_in(Role.MANAGER)
        ticket = TicketFactory.create(vehicle__customer=customer)
        part = PartFactory.create(
            name="Brake pads", current_cost_cents=1000, quantity_in_stock=5
        )
        services.install_part(ticket=ticket, part=part, quantity_used=2, by=boss)
        mechanic = MechanicFactory.create(full_name="Sam Spanner")
        services.assign_mechanic(ticket=ticket, mechanic=mechanic, by=boss)
        services.add_note(ticket=ticket, by=boss, text="Rims are worn.")
        services.add_note(
            ticket=ticket, by=boss, text="Ready at five.", visible_to_customer=True
        )

        shown = text(signed_in.get(f"/my/tickets/{ticket.pk}/"))

        assert "Brake pads" in shown
        assert "26.00" in shown  # 2 × 10.00, and the markup of 30 %
        assert "Sam Spanner" in shown
        assert "Ready at five." in shown
        assert "Rims are worn." not in shown
        assert "10.00" not in shown  # what the part cost the shop

    def test_status_moves_are_in_plain_words(
        self, signed_in: Client, customer: Customer
    ) -> None:
        ticket = TicketFactory.create(vehicle__customer=customer)
        services.move_ticket(
            ticket=ticket, status="in_progress", by=user_in(Role.MANAGER)
        )

        assert "We are working on it" in text(
            signed_in.get(f"/my/tickets/{ticket.pk}/")
        )

    def test_finished_vehicle_is_ready_until_it_is_fetched(
        self, signed_in: Client, customer: Customer
    ) -> None:
        ticket = TicketFactory.create(vehicle__customer=customer, closed=True)
        pages = (HOME, f"/my/tickets/{ticket.pk}/")
        statuses = [self.status_on(signed_in.get(page)) for page in pages]

        services.hand_over(ticket=ticket, by=user_in(Role.MANAGER))

        assert statuses == ["Ready for pickup"] * 2
        assert [self.status_on(signed_in.get(page)) for page in pages] == [
            "Completed",
            "Completed",
        ]

    def status_on(self, response: Any) -> str:
        [status] = re.findall(r'class="status">([^<]*)<', text(response))
        return str(status)

    def test_returned_parts_are_not_shown(
        self, signed_in: Client, customer: Customer
    ) -> None:
        boss = user_in(Role.MANAGER)
        ticket = TicketFactory.create(vehicle__customer=customer)
        part = PartFactory.create(name="Brake pads", quantity_in_stock=5)
        services.install_part(ticket=ticket, part=part, quantity_used=2, by=boss)
        services.move_ticket(ticket=ticket, status="cancelled", by=boss)

        assert "Brake pads" not in text(signed_in.get(f"/my/tickets/{ticket.pk}/"))

    def test_of_another_customer_is_a_404(self, signed_in: Client) -> None:
        other = TicketFactory.create()

        assert signed_in.get(f"/my/tickets/{other.pk}/").status_code == 404
        assert signed_in.get("/my/tickets/987654/").status_code == 404
        assert signed_in.get(f"/my/tickets/{'9' * 40}/").status_code == 404


class TestSignIn:
    def sign_in(self, client: Client, email: str, password: str = PASSWORD) -> Any:
        return client.post(SIGN_IN, {"username": email, "password": password})

    def test_leads_customers_to_their_pages(
        self, client: Client, customer: Customer
    ) -> None:
        assert self.sign_in(client, customer.email or "")["Location"] == HOME
        assert client.get(HOME).status_code == 200

    def test_leads_staff_to_the_back_office(self, client: Client) -> None:
        response = self.sign_in(client, user_in(Role.TECHNICIAN).email)

        assert response["Location"] == reverse("admin:index")

    def test_wrong_password_keeps_the_address(
        self, client: Client, customer: Customer
    ) -> None:
        response = self.sign_in(client, customer.email or "", "wrong password")

        assert response.status_code == 200
        assert "The email address or the password is wrong." in text(response)
        assert f'value="{customer.email}"' in text(response)

    def test_spends_the_budget_of_every_login(
        self, client: Client, customer: Customer, settings: Any
    ) -> None:
        settings.THROTTLES = {**settings.THROTTLES, "LOGIN": (2, 60)}
        statuses = [
            self.sign_in(client, customer.email or "", "wrong").status_code
            for _ in range(3)
        ]

        assert statuses == [200, 200, 429]

    def test_never_leads_to_another_site(
        self, client: Client, customer: Customer
    ) -> None:
        response = client.post(
            SIGN_IN,
            {
                "username": customer.email,
                "password": PASSWORD,
                "next": "https://evil.example/",
            },
        )

        assert response["Location"] == HOME

    @pytest.mark.parametrize("query", ["", f"?next={SIGN_IN}", "?next=/admin/"])
    def test_form_sends_on_who_is_signed_in(
        self, signed_in: Client, query: str
    ) -> None:
        response = signed_in.get(SIGN_IN + query)

        assert (response.status_code, response["Location"]) == (302, HOME)

    def test_form_checks_the_password_of_who_is_signed_in(
        self, signed_in: Client
    ) -> None:
        other = user_in(Role.TECHNICIAN)

        assert self.sign_in(signed_in, other.email, "wrong").status_code == 200
        assert self.sign_in(signed_in, other.email)["Location"] == "/admin/"

    def test_sign_out_ends_the_session(self, signed_in: Client) -> None:
        assert signed_in.post("/my/sign-out/")["Location"] == SIGN_IN
        assert signed_in.get(HOME).status_code == 302

    def test_deactivated_login_is_signed_out(
        self, signed_in: Client, customer: Customer
    ) -> None:
        assert customer.user is not None
        customer.user.is_active = False
        customer.user.save()

        assert signed_in.get(HOME).status_code == 302


class TestForgottenPassword:
    ADDRESS = "/my/forgotten-password/"

    def test_mailed_link_leads_back_to_the_pages(
        self, client: Client, customer: Customer, sent_mails: Any
    ) -> None:
        response = client.post(self.ADDRESS, {"email": customer.email})
        words = sent_mails()[0].body.split()
        link = next(word for word in words if "/account/password/" in word)
        form = client.get("/account" + link.split("/account")[1], follow=True)
        path = form.redirect_chain[-1][0]
        new = "a-new-and-long-password"
        done = client.post(
            path, {"new_password1": new, "new_password2": new}, follow=True
        )

        assert "on its way" in text(response)
        assert SIGN_IN in text(done)
        assert client.login(username=customer.email, password=new)

    def test_answers_the_same_for_unknown_addresses(
        self, client: Client, customer: Customer
    ) -> None:
        known = client.post(self.ADDRESS, {"email": customer.email})
        unknown = client.post(self.ADDRESS, {"email": "nobody@example.com"})

        assert text(known) == text(unknown)

    def test_spends_the_budget_of_the_api(self, client: Client, settings: Any) -> None:
        settings.THROTTLES = {**settings.THROTTLES, "PASSWORD_RESET": (1, 60)}
        statuses = [
            client.post(self.ADDRESS, {"email": "nobody@example.com"}).status_code
            for _ in range(2)
        ]

        assert statuses == [200, 429]

    def test_rubbish_is_told_beside_the_field(self, client: Client) -> None:
        response = client.post(self.ADDRESS, {"email": "not an address"})

        assert response.status_code == 200
        assert "Enter a valid email address." in text(response)


class TestUsedLink:
    def test_offers_a_new_one(self, client: Client) -> None:
        assert "/my/forgotten-password/" in text(client.get("/account/password/MQ/x/"))
