"""The browsable API as people find it: words, filters, forms, and what is wrong."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.filters import CustomerFilterSet, VehicleFilterSet
from customers.models import Customer, Vehicle
from customers.tests.factories import CustomerFactory
from inventory.filters import PartFilterSet
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import user_in
from mechanic_shop.api.browsable.forms import SELECT_LIMIT
from mechanics.tests.factories import MechanicFactory
from tests.test_settings import GOOD, LOCAL, start
from tickets.filters import TicketFilterSet
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

PAGE = {"accept": "text/html"}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FIELD = re.compile(r'<div class="form-group.*?</div>', re.S)
CONTROL = re.compile(r'<(?:input|select|textarea)[^>]* name="(\w+)"')
ERROR = re.compile(r'<span class="error"[^>]*>(.*?)</span>', re.S)
FILTERS = re.compile(r'<details class="card filters".*?</details>', re.S)
LEAD = re.compile(r'<div class="lead">(.*?)</div>', re.S)


@pytest.fixture
def visitor(owner: User, client: Client) -> Client:
    """The owner's browser."""
    client.force_login(owner)
    return client


def text_of(page: Any) -> str:
    assert page["Content-Type"] == "text/html; charset=utf-8"
    return html.unescape(page.content.decode())


def read(client: Client, path: str) -> str:
    return text_of(client.get(path, headers=PAGE))


def write(client: Client, method: str, path: str, **form: Any) -> tuple[int, str]:
    """Send a form as the page does: POST by itself, all else by its program."""
    answer = client.generic(
        method,
        path,
        encode_multipart(BOUNDARY, form),
        content_type=MULTIPART_CONTENT,
        headers=PAGE,
    )
    return answer.status_code, text_of(answer)


def errors_on(page: str) -> dict[str, str]:
    """Return the complaint beside each field that has one."""
    fields = [field[0] for field in FIELD.finditer(page) if "has-error" in field[0]]
    return {CONTROL.findall(field)[-1]: ERROR.findall(field)[0] for field in fields}


class TestPage:
    def test_is_the_shops_own(self, visitor: Client, settings: LazySettings) -> None:
        settings.SHOP_NAME = "Otto's Garage"
        settings.UNFOLD = {**settings.UNFOLD, "SITE_ICON": "/static/otto.svg"}

        for path in ("/api/", "/api/inventory", "/api/login/"):
            page = read(visitor, path)
            assert "Otto's Garage" in page
            assert 'src="/static/otto.svg"' in page
            assert "REST framework" not in page

    @pytest.mark.parametrize(
        ("path", "heading"),
        [
            ("/api/", "Shop API"),
            ("/api/inventory", "Parts"),
            ("/api/inventory/{part}", "Part {part}"),
            ("/api/inventory/{part}/adjust-quantity", "Adjust quantity"),
            ("/api/service-tickets", "Service tickets"),
            ("/api/nothing", "Nothing here"),
        ],
    )
    def test_has_a_name_in_the_words_of_the_trade(
        self, visitor: Client, path: str, heading: str
    ) -> None:
        part = PartFactory.create().pk

        page = read(visitor, path.format(part=part))

        assert f"<h1>{heading.format(part=part)}</h1>" in page

    @pytest.mark.parametrize(
        ("path", "words"),
        [
            ("/api/", "Customers, vehicles, service tickets, mechanics and parts"),
            ("/api/service-tickets/1/notes", "Write a note on this ticket."),
            ("/api/mechanics/by-activity", "Rank the mechanics"),
            ("/api/auth/refresh", "Exchange a refresh token for a new pair;"),
            ("/api/inventory", "."),
            ("/api/customers/1/vehicles", "."),
        ],
    )
    def test_says_what_it_is_for_to_strangers_too(
        self, client: Client, path: str, words: str
    ) -> None:
        [lead] = LEAD.findall(read(client, path))

        assert lead.startswith("<p>")
        assert words in lead

    def test_leads_only_over_pages(self, visitor: Client) -> None:
        path = f"/api/service-tickets/{TicketFactory.create().pk}/assign-mechanic/1"

        page = read(visitor, path)

        [crumbs] = re.findall(r'<ol class="breadcrumb">(.*?)</ol>', page, re.S)
        assert re.findall(r">([^<]+)</a>", crumbs) == [
            *("Shop API", "Service tickets", "Service ticket", "Assign mechanic")
        ]

    def test_sends_strangers_to_the_login_and_back(
        self, client: Client, owner: User
    ) -> None:
        page = client.get("/api/inventory?low_stock=true&page=1", headers=PAGE)

        [link, _] = re.findall(r'href="(/api/login/[^"]+)"', page.content.decode())
        form = client.get(link).content.decode()
        assert page.status_code == 401
        assert 'value="/api/inventory?low_stock=true&amp;page=1"' in form

    def test_offers_the_way_out_once_inside(self, visitor: Client) -> None:
        page = read(visitor, "/api/inventory")

        assert 'method="post" action="/api/login/out/"' in page
        assert "/api/login/?" not in page

    def test_links_to_each_row_and_each_page(self, visitor: Client) -> None:
        parts = [PartFactory.create().pk for _ in range(3)]

        page = read(visitor, "/api/inventory?per_page=2")

        shown, hidden = parts[:2], parts[2]
        assert all(f'href="/api/inventory/{pk}"' in page for pk in shown)
        assert f'href="/api/inventory/{hidden}"' not in page
        assert 'page=2&per_page=2" rel="next"' in page or "per_page=2&page=2" in page

    def test_offers_only_the_actions_that_may_be_used(self, client: Client) -> None:
        ticket = TicketFactory.create()
        path = f"/api/service-tickets/{ticket.pk}"

        assert ticket.customer.user is not None
        client.force_login(ticket.customer.user)
        of_customer = read(client, path)
        client.force_login(user_in("Technician"))
        of_technician = read(client, path)

        assert f"{path}/events" in of_customer
        assert f"{path}/notes" not in of_customer
        assert f"{path}/notes" in of_technician
        assert f"{path}/edit" not in of_technician

    def test_has_no_form_for_what_is_not_there(self, visitor: Client) -> None:
        part = PartFactory.create()

        missing = read(visitor, "/api/inventory/0")
        _, deleted = write(visitor, "DELETE", f"/api/inventory/{part.pk}")

        assert "204 No Content" in deleted
        assert 'class="card write"' not in missing + deleted

    def test_shows_what_may_be_sent(self, visitor: Client) -> None:
        status, page = write(visitor, "OPTIONS", "/api/inventory")

        assert status == 200
        assert '"current_cost_cents"' in page


class TestFilterControl:
    @pytest.mark.parametrize(
        ("path", "filterset"),
        [
            ("/api/customers", CustomerFilterSet),
            ("/api/vehicles", VehicleFilterSet),
            ("/api/inventory", PartFilterSet),
            ("/api/service-tickets", TicketFilterSet),
            ("/api/customers/my-tickets", TicketFilterSet),
        ],
    )
    def test_is_there_for_every_parameter(
        self, visitor: Client, path: str, filterset: Any
    ) -> None:
        [filters] = FILTERS.findall(read(visitor, path))

        assert set(CONTROL.findall(filters)) == set(filterset.base_filters)
        assert "[invalid name]" not in filters

    def test_offers_the_few_values_there_are(self, visitor: Client) -> None:
        tickets = read(visitor, "/api/service-tickets?status=waiting&ordering=priority")
        parts = read(visitor, "/api/inventory?low_stock=true")

        assert '<option value="waiting" selected>' in tickets
        assert '<option value="priority" selected>' in tickets
        assert '<option value="cancelled">' in tickets
        assert '<option value="true" selected>yes' in parts

    def test_keeps_what_was_typed_into_the_address(self, visitor: Client) -> None:
        page = read(
            visitor,
            "/api/service-tickets?status=open,waiting"
            "&opened_after=2026-03-01T10:30:00%2B02:00",
        )

        assert '<option value="open,waiting" selected>' in page
        assert 'value="2026-03-01T08:30"' in page

    def test_takes_what_it_sends_while_it_is_empty(self, visitor: Client) -> None:
        PartFactory.create(name="Wiper")

        page = read(visitor, "/api/inventory?low_stock=&category=&search=&ordering=")

        assert "Wiper" in page
        assert "HTTP 200 OK" in page

    def test_shows_what_is_wrong_with_a_value(self, visitor: Client) -> None:
        page = visitor.get("/api/service-tickets?priority=9", headers=PAGE)

        errors = errors_on(text_of(page))
        assert page.status_code == 400
        assert set(errors) == {"priority"}
        assert "5" in errors["priority"]

    def test_is_not_there_where_nothing_is_filtered(self, visitor: Client) -> None:
        part = PartFactory.create()

        for path in ("/api/", "/api/mechanics", f"/api/inventory/{part.pk}/movements"):
            assert not FILTERS.findall(read(visitor, path))


class TestForm:
    def test_for_a_change_complains_beside_the_field(self, visitor: Client) -> None:
        part = PartFactory.create(name="Mirror")

        status, page = write(
            visitor, "PUT", f"/api/inventory/{part.pk}", name="", price="dear"
        )

        assert status == 400
        assert errors_on(page) == {
            "name": "This field may not be blank.",
            "price": "Send a number.",
        }
        assert 'value="dear"' in page
        part.refresh_from_db()
        assert part.name == "Mirror"

    def test_for_a_change_can_empty_a_box(self, visitor: Client) -> None:
        part = PartFactory.create(is_active=True)
        path = f"/api/inventory/{part.pk}"
        boxes = re.findall(r'name="is_active" value="(\w+)"', read(visitor, path))

        write(visitor, "PUT", path, is_active=boxes[0])

        part.refresh_from_db()
        assert boxes == ["false"]
        assert part.is_active is False

    @pytest.mark.parametrize(
        ("method", "path", "form", "complaint"),
        [
            ("POST", "{ticket}/parts/{part}", {"quantity_used": "0"}, "quantity_used"),
            ("POST", "{ticket}/parts", {"inventory_id": "0"}, "inventory_id"),
            ("POST", "{ticket}/notes", {"text": ""}, "text"),
            (
                "PUT",
                "{ticket}/assign-mechanic/{mechanic}",
                {"minutes_worked": "-1"},
                "minutes_worked",
            ),
            ("PUT", "{ticket}/edit", {"add_ids": "0"}, "add_ids"),
            ("PATCH", "/inventory/{part}/adjust-quantity", {}, "adjustment"),
            ("PATCH", "/vehicles/{vehicle}", {"year": "9999"}, "year"),
            ("POST", "/auth/password", {"current_password": "x"}, "new_password"),
        ],
    )
    def test_of_an_action_complains_beside_the_field(
        self,
        visitor: Client,
        method: str,
        path: str,
        form: dict[str, str],
        complaint: str,
    ) -> None:
        ticket = TicketFactory.create()
        path = "/api" + path.format(
            ticket=f"/service-tickets/{ticket.pk}",
            part=PartFactory.create().pk,
            mechanic=MechanicFactory.create().pk,
            vehicle=ticket.vehicle_id,
        )

        before = read(visitor, path)
        status, page = write(visitor, method, path, **form)

        assert status == 400
        assert complaint in CONTROL.findall(before)
        assert complaint in errors_on(page)

    def test_of_an_action_works(self, visitor: Client) -> None:
        part = PartFactory.create(quantity_in_stock=3)

        status, page = write(
            visitor,
            "PATCH",
            f"/api/inventory/{part.pk}/adjust-quantity",
            adjustment="4",
        )

        assert status == 200
        assert "7 in stock." in page

    def test_asks_for_no_more_than_its_action_takes(self, visitor: Client) -> None:
        ticket = f"/api/service-tickets/{TicketFactory.create().pk}"
        part, mechanic = PartFactory.create().pk, MechanicFactory.create().pk

        of_part = read(visitor, f"{ticket}/parts/{part}")
        of_mechanic = read(visitor, f"{ticket}/remove-mechanic/{mechanic}")

        install, change = of_part.split("<h2>")[1:]
        assert change.startswith("Change installed part")
        assert 'name="markup_percentage"' in install
        assert 'name="quantity_used"' in change
        assert 'name="markup_percentage"' not in change
        assert 'name="problem_description"' not in of_mechanic

    def test_keeps_what_was_typed_when_a_rule_says_no(self, visitor: Client) -> None:
        part = PartFactory.create(quantity_in_stock=1)
        ticket = TicketFactory.create()
        path = f"/api/service-tickets/{ticket.pk}/parts/{part.pk}"

        status, page = write(visitor, "POST", path, quantity_used="17")

        assert status == 409
        assert re.search(r'name="quantity_used" [^>]*value="17"', page)
        assert 'role="alert"' in page

    @pytest.mark.parametrize("typed", ["15,65", "1,250"])
    def test_refuses_a_decimal_comma_and_keeps_it(
        self, typed: str, visitor: Client
    ) -> None:
        path = "/api/inventory"

        status, page = write(visitor, "POST", path, name="Belt", price=typed)

        assert status == 400
        assert errors_on(page)["price"] == "Send a number."
        assert re.search(rf'name="price" [^>]*type="text" value="{typed}"', page)

    def test_keeps_raw_data_that_was_refused(self, visitor: Client) -> None:
        part = PartFactory.create()

        page = visitor.put(
            f"/api/inventory/{part.pk}",
            {"name": "", "supplier": "Acme & Sons"},
            content_type="application/json",
            headers=PAGE,
        )

        assert page.status_code == 400
        assert '"supplier": "Acme & Sons"' in text_of(page)

    @pytest.mark.parametrize("body", ["{", "[]", '"x"', "null"])
    def test_bears_a_body_that_cannot_be_read(self, visitor: Client, body: str) -> None:
        page = visitor.post(
            "/api/inventory", body, content_type="application/json", headers=PAGE
        )

        assert page.status_code == 400
        assert 'class="card write"' in text_of(page)

    def test_never_sends_a_password_back(self, client: Client) -> None:
        form = {"email": "", "password": "wrong-horse-battery"}

        status, page = write(client, "POST", "/api/auth/login", **form)

        assert status == 400
        assert 'type="password"' in page
        assert "wrong-horse-battery" not in page

    def test_names_every_control_for_those_who_hear_the_page(
        self, visitor: Client
    ) -> None:
        page = read(visitor, "/api/service-tickets")

        labels = re.findall(r'<label for="([^"]+)"', page)
        ids = re.findall(r'<(?:input|select|textarea)[^>]* id="([^"]+)"', page)
        assert len(ids) == len(set(ids))
        assert set(ids) <= set(labels)


class TestSelect:
    """Of the vehicle on the form for a ticket."""

    def vehicles(self, rows: int) -> None:
        owner = CustomerFactory.create(walk_in=True)
        Vehicle.objects.bulk_create(
            Vehicle(customer=owner, make="Kia", model=f"Model {row}", year=2020)
            for row in range(rows)
        )

    def field(self, page: str) -> str:
        form = page[page.index('class="card write"') :]
        [field] = [f[0] for f in FIELD.finditer(form) if 'name="vehicle_id"' in f[0]]
        return field

    def test_lists_what_there_is_to_choose_from(self, visitor: Client) -> None:
        self.vehicles(3)

        field = self.field(read(visitor, "/api/service-tickets"))

        assert field.count("2020 Kia Model") == 3
        assert '<option value="" selected>' in field

    def test_takes_an_id_instead_where_there_are_too_many(
        self, visitor: Client
    ) -> None:
        self.vehicles(SELECT_LIMIT + 1)
        vehicle = Vehicle.objects.latest("pk")

        field = self.field(read(visitor, "/api/service-tickets"))
        status, page = write(
            visitor,
            *("POST", "/api/service-tickets"),
            vehicle_id=vehicle.pk,
            problem_description="Hums.",
            odometer_miles=1,
        )

        assert 'inputmode="decimal"' in field
        assert "<select" not in field
        assert (status, f'"vehicle_id": {vehicle.pk}' in page) == (201, True)

    def test_costs_the_same_however_many_rows_there_are(self, visitor: Client) -> None:
        ticket = TicketFactory.create()
        paths = ("/api/service-tickets", f"/api/service-tickets/{ticket.pk}")

        def costs() -> list[tuple[int, bool]]:
            found = []
            for path in paths:
                with CaptureQueriesContext(connection) as queries:
                    page = read(visitor, path)
                found.append((len(queries), len(page) < 30_000))
            return found

        few = costs()
        self.vehicles(SELECT_LIMIT * 3)

        assert costs() == few
        assert all(is_small for _, is_small in few)

    def test_keeps_a_row_that_can_no_longer_be_chosen(self, visitor: Client) -> None:
        ticket = TicketFactory.create(closed=True)
        Customer.objects.filter(pk=ticket.customer_id).update(erased_at=timezone.now())
        self.vehicles(1)

        field = self.field(read(visitor, f"/api/service-tickets/{ticket.pk}"))

        assert f'<option value="{ticket.vehicle_id}" selected>' in field
        assert field.count("selected") == 1


ASK_AS_A_BROWSER = """
import django; django.setup()
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
call_command("migrate", verbosity=0)
client = Client(HTTP_ACCEPT={accept!r}, HTTP_HOST={host!r})
asked = [
    ("get", "/api/"), ("get", "/api"), ("get", "/api/inventory"),
    ("get", "/api/nothing"), ("get", "/api/auth/login"), ("post", "/api/auth/login"),
    ("get", "/api/login/"), ("delete", "/api/docs"),
]
def show(what, answer):
    print(what, answer.status_code, answer["Content-Type"].partition(";")[0])
for method, path in asked:
    show(f"{{method}} {{path}}", getattr(client, method)(path, secure=True))
client.defaults["HTTP_HOST"] = "evil.example"
show("get /api/ of another host", client.get("/api/", secure=True))
"""


#: Production with the static files as they lie in the source.
PRODUCTION = GOOD | {"DJANGO_SETTINGS_MODULE": "tests.browser.server_settings"}


class TestSwitch:
    def ask(self, environment: dict[str, str], folder: Path, **switch: str) -> set[str]:
        host = environment.get("ALLOWED_HOSTS", "localhost")
        shop = {
            "DATABASE_URL": f"sqlite:///{folder}/shop.sqlite3",
            "LOG_LEVEL": "ERROR",
        }
        code = ASK_AS_A_BROWSER.format(accept=BROWSER, host=host)

        done = start(environment | shop | switch, code)

        assert done.returncode == 0, done.stderr
        return set(done.stdout.splitlines())

    @pytest.mark.parametrize("environment", [PRODUCTION, LOCAL])
    def test_is_on_unless_it_is_turned_off(
        self, environment: dict[str, str], tmp_path: Path
    ) -> None:
        answers = self.ask(environment, tmp_path)

        assert answers >= {
            "get /api/ 200 text/html",
            "get /api/inventory 401 text/html",
            "get /api/nothing 404 text/html",
            "get /api/login/ 200 text/html",
        }

    @pytest.mark.parametrize("environment", [GOOD, LOCAL])
    def test_leaves_browsers_with_json_and_nothing_else(
        self, environment: dict[str, str], tmp_path: Path
    ) -> None:
        answers = self.ask(environment, tmp_path, BROWSABLE_API="false")

        assert answers == {
            "get /api/ 200 application/json",
            "get /api 200 application/json",
            "get /api/inventory 401 application/json",
            "get /api/nothing 404 application/json",
            "get /api/auth/login 405 application/json",
            "post /api/auth/login 400 application/json",
            "get /api/login/ 404 application/json",
            "delete /api/docs 405 application/json",
            "get /api/ of another host 400 application/json",
        }
