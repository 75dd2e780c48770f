"""Tags of rows: nothing is sent twice, and no edit overwrites what it has not seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.renderers import JSONRenderer
from rest_framework.test import APIClient

from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.accounts.tests.factories import UserFactory, user_in
from mechanic_shop.api.etags import compute_etag
from mechanics.tests.factories import MechanicFactory
from tickets import services
from tickets.models import ServiceTicket
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

STALE = '"0123456789abcdef0123456789abcdef"'
MALFORMED = ["", "nonsense", "abc", '"', "W/", "'a'", "**", "* , *", "é"]

ClientOf = Callable[[User], APIClient]


def make_part() -> tuple[str, dict[str, Any]]:
    """Return the path of a part, and a change that its PATCH takes."""
    return f"/api/inventory/{PartFactory.create().pk}", {"quantity_in_stock": 3}


def if_none_match(client: APIClient, path: str, known: str) -> Any:
    return client.get(path, HTTP_IF_NONE_MATCH=known)


class TestETag:
    def test_etag_changes_with_related_rows_it_shows(self, shop: APIClient) -> None:
        ticket = TicketFactory.create()
        path = f"/api/service-tickets/{ticket.pk}"
        before = shop.get(path)["ETag"]

        shop.patch(f"/api/customers/{ticket.customer_id}", {"phone": "999"})

        assert shop.get(path)["ETag"] != before

    def test_etag_ignores_fields_hidden_from_the_caller(
        self, client_of: ClientOf
    ) -> None:
        mechanic = MechanicFactory.create()
        client, path = client_of(UserFactory.create()), f"/api/mechanics/{mechanic.pk}"
        before = client.get(path)["ETag"]

        mechanic.salary += 1
        mechanic.save()

        assert client.get(path)["ETag"] == before

    def test_etag_differs_by_visible_fields(
        self, shop: APIClient, client_of: ClientOf
    ) -> None:
        path = f"/api/mechanics/{MechanicFactory.create().pk}"
        technician = client_of(user_in(TECHNICIAN))
        customer = client_of(UserFactory.create())

        tags = {client.get(path)["ETag"] for client in (shop, technician, customer)}

        assert len(tags) == 3

    def test_etag_is_equal_for_equal_representations(self, client_of: ClientOf) -> None:
        path = f"/api/mechanics/{MechanicFactory.create().pk}"

        tags = {
            client_of(user).get(path)["ETag"] for user in UserFactory.create_batch(2)
        }

        assert len(tags) == 1

    def test_errors_have_no_etag(self, shop: APIClient) -> None:
        path = f"/api/inventory/{PartFactory.create().pk}"

        answers = [shop.get("/api/inventory/0"), shop.patch(path, {"name": ""})]

        assert [answer.status_code for answer in answers] == [404, 400]
        assert not any("ETag" in answer for answer in answers)

    def test_etag_is_a_digest_of_the_json(self) -> None:
        rendered = JSONRenderer().render({"a": 1})

        assert (
            compute_etag({"a": 1}) == compute_etag({"a": 1}) != compute_etag({"a": 2})
        )
        assert len(compute_etag(rendered.decode())) == len('""') + 32


class TestIfNoneMatch:
    @pytest.mark.parametrize(
        "form", ["{tag}", "W/{tag}", '"a", {tag}', '"a",W/{tag} , "b"', "*"]
    )
    def test_if_none_match_accepts_every_form_of_etag(
        self, shop: APIClient, form: str
    ) -> None:
        path, _ = make_part()
        known = form.format(tag=shop.get(path)["ETag"])

        assert if_none_match(shop, path, known).status_code == 304

    @pytest.mark.parametrize("known", [STALE, f'"a", {STALE}', *MALFORMED])
    def test_another_etag_gets_the_row(self, shop: APIClient, known: str) -> None:
        path, _ = make_part()

        answer = if_none_match(shop, path, known)

        assert answer.status_code == 200
        assert answer.json()["part_id"]

    def test_etag_of_before_a_change_gets_the_row(self, shop: APIClient) -> None:
        path, change = make_part()
        tag = shop.get(path)["ETag"]
        shop.patch(path, change)

        answer = if_none_match(shop, path, tag)

        assert (answer.status_code, answer.json()["quantity_in_stock"]) == (200, 3)

    def test_etag_of_another_role_gets_the_row(
        self, shop: APIClient, client_of: ClientOf
    ) -> None:
        path = f"/api/mechanics/{MechanicFactory.create().pk}"
        foreign = client_of(UserFactory.create()).get(path)["ETag"]

        assert if_none_match(shop, path, foreign).status_code == 200

    def test_head_with_the_known_etag_is_a_304(self, shop: APIClient) -> None:
        path, _ = make_part()

        first = shop.head(path)
        second = shop.head(path, HTTP_IF_NONE_MATCH=first["ETag"])

        assert (first.status_code, second.status_code) == (200, 304)
        assert first["ETag"] == second["ETag"] == shop.get(path)["ETag"]

    def test_html_page_is_sent_despite_if_none_match(
        self, owner: User, client: Client
    ) -> None:
        path, _ = make_part()
        client.force_login(owner)
        tag = client.get(path)["ETag"]

        page = client.get(path, headers={"Accept": "text/html", "If-None-Match": tag})
        star = client.get(path, headers={"Accept": "text/html", "If-None-Match": "*"})

        assert (page.status_code, star.status_code) == (200, 200)
        assert "<html" in page.content.decode()

    def test_if_none_match_reveals_no_hidden_row(self, client_of: ClientOf) -> None:
        path = f"/api/service-tickets/{TicketFactory.create().pk}"
        client = client_of(CustomerFactory.create().user)  # type: ignore[arg-type]

        assert if_none_match(client, path, "*").status_code == 404


def if_match(
    client: APIClient, method: str, path: str, seen: str, body: Any = None
) -> Any:
    return getattr(client, method)(path, body, HTTP_IF_MATCH=seen)


class TestIfMatch:
    @pytest.mark.parametrize("form", ["*", "W/{tag}", '"a", {tag}', '"a",W/{tag}'])
    def test_if_match_accepts_every_form_of_etag(
        self, shop: APIClient, form: str
    ) -> None:
        path, change = make_part()
        seen = form.format(tag=shop.get(path)["ETag"])

        assert if_match(shop, "patch", path, seen, change).status_code == 200

    @pytest.mark.parametrize("seen", [STALE, f'"a", {STALE}', *MALFORMED])
    def test_if_match_rejects_other_values(self, shop: APIClient, seen: str) -> None:
        path, change = make_part()

        assert if_match(shop, "patch", path, seen, change).status_code == 412
        assert shop.get(path).json()["quantity_in_stock"] == 10

    @pytest.mark.parametrize("seen", ["*", STALE])
    def test_if_match_on_an_invisible_row_is_a_404(
        self, client_of: ClientOf, seen: str
    ) -> None:
        path = f"/api/customers/{CustomerFactory.create().pk}"
        client = client_of(CustomerFactory.create().user)  # type: ignore[arg-type]

        assert if_match(client, "patch", path, seen, {}).status_code == 404

    def test_if_match_is_checked_before_the_body(self, shop: APIClient) -> None:
        path, _ = make_part()

        assert if_match(shop, "patch", path, STALE, {"name": ""}).status_code == 412

    def test_if_match_compares_what_the_caller_sees(
        self, shop: APIClient, client_of: ClientOf
    ) -> None:
        path, change = f"/api/vehicles/{VehicleFactory.create().pk}", {"color": "red"}
        advisor = client_of(user_in(SERVICE_ADVISOR))
        mechanic = f"/api/mechanics/{MechanicFactory.create().pk}"
        theirs = advisor.get(mechanic)["ETag"]

        same = if_match(shop, "patch", path, advisor.get(path)["ETag"], change)
        other = if_match(shop, "patch", mechanic, theirs, {"phone": "9"})

        assert (same.status_code, other.status_code) == (200, 412)

    def test_post_ignores_if_match(self, shop: APIClient) -> None:
        body = {"name": "Filter", "price": 1}

        assert if_match(shop, "post", "/api/inventory", STALE, body).status_code == 201


def busy_ticket() -> tuple[ServiceTicket, dict[str, Any]]:
    """Open a ticket with a mechanic and a part; return what its verbs need."""
    ticket, by = TicketFactory.create(), UserFactory.create()
    on, off = MechanicFactory.create_batch(2)
    part = PartFactory.create()
    services.assign_mechanic(ticket=ticket, mechanic=on, by=by)
    services.install_part(ticket=ticket, part=part, by=by, quantity_used=2)
    return ticket, {"on": on.pk, "off": off.pk, "part": part.pk}


class TestActionBelowATicket:
    """It is compared with the tag of the ticket that it changes."""

    def test_action_with_an_old_ticket_etag_is_a_412(self, shop: APIClient) -> None:
        ticket, ids = busy_ticket()
        path = f"/api/service-tickets/{ticket.pk}"
        old = shop.get(path)["ETag"]
        shop.patch(path, {"priority": 1})

        answer = if_match(shop, "delete", f"{path}/parts/{ids['part']}", old)

        assert answer.status_code == 412
        assert ticket.ticket_parts.exists()

    def test_stock_adjustment_compares_the_part(self, shop: APIClient) -> None:
        path = f"/api/inventory/{PartFactory.create().pk}"
        verb, body = f"{path}/adjust-quantity", {"adjustment": 5}
        tag = shop.get(path)["ETag"]

        first = if_match(shop, "patch", verb, tag, body)
        second = if_match(shop, "patch", verb, tag, body)

        assert (first.status_code, second.status_code) == (200, 412)
        assert shop.get(path).json()["quantity_in_stock"] == 15

    def test_posted_action_ignores_if_match(self, shop: APIClient) -> None:
        path = f"/api/service-tickets/{TicketFactory.create().pk}/notes"

        assert if_match(shop, "post", path, STALE, {"text": "x"}).status_code == 201
