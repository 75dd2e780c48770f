"""Bodies that are not what they should be get a clear 4xx, never a 5xx."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import PASSWORD
from mechanic_shop.api.errors import ContentTooLarge
from mechanic_shop.api.parsers import StrictJSONParser
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from tickets.models import TicketMechanic, TicketPart
from tickets.services import install_part
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

JSON = "application/json"
HUGE = 10**30


@dataclass(frozen=True)
class Rows:
    """One row of each kind; ``path`` fills their ids into a path."""

    ids: dict[str, int]

    def path(self, template: str) -> str:
        return "/api" + template.format(**self.ids)


@pytest.fixture
def rows(owner: User) -> Rows:
    ticket = TicketFactory.create()
    mechanic, free = MechanicFactory.create(), MechanicFactory.create()
    part, spare = PartFactory.create(), PartFactory.create()
    TicketMechanic.objects.create(ticket=ticket, mechanic=mechanic)
    install_part(ticket=ticket, part=part, quantity_used=1, by=owner)
    return Rows(
        {
            "ticket": ticket.pk,
            "customer": ticket.customer_id,
            "vehicle": ticket.vehicle_id,
            "mechanic": mechanic.pk,
            "free_mechanic": free.pk,
            "part": part.pk,
            "spare_part": spare.pk,
        }
    )


#: What no endpoint can read as one JSON object.
UNREADABLE = {
    "half a body": b'{"name": ',
    "two objects": b"{}{}",
    "single quotes": b"{'name': 'x'}",
    "a trailing comma": b'{"name": "x",}',
    "an array": b"[]",
    "a string": b'"name"',
    "a number": b"1",
    "null": b"null",
    "100,000 levels": b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100,000 objects": b'{"name":' * 100_000 + b"1" + b"}" * 100_000,
    "latin-1": '{"name": "é"}'.encode("latin-1"),
    "utf-16": '{"name": "x"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"name": "x"}',
    "bytes that are no text": b"\x80\xff\x00",
    "a NUL behind the object": b"{}\x00",
    "a surrogate in a value": b'{"name": "\\ud800"}',
    "a surrogate in a key": b'{"\\udfff": 1}',
    "a surrogate far inside": b'{"name": [{"x": ["\\ud800"]}]}',
    "not a number": b'{"name": NaN}',
    "infinity": b'{"name": Infinity}',
    "minus infinity": b'{"name": -Infinity}',
    "5,000 digits": b'{"name": ' + b"9" * 5_000 + b"}",
}


class TestUnreadableBody:
    @pytest.mark.parametrize("name", UNREADABLE)
    def test_unreadable_body_gets_the_error_shape(
        self, shop: APIClient, name: str
    ) -> None:
        response = shop.post("/api/inventory", UNREADABLE[name], content_type=JSON)

        assert response.status_code == 400
        assert response.json()["code"] == "invalid"
        assert not Part.objects.exists()

    def test_unreadable_body_with_charset_is_a_400(self, shop: APIClient) -> None:
        body = '{"name": "x"}'.encode("utf-16")

        response = shop.post(
            "/api/inventory", body, content_type=f"{JSON}; charset=utf-16"
        )

        assert response.status_code == 400
        assert response.json()["message"] == "The body is not valid JSON in UTF-8."


class TestAbsurdValue:
    @pytest.mark.parametrize(
        ("path", "good", "field"),
        [
            ("/api/mechanics", "mechanic", "salary"),
            ("/api/inventory", "part", "current_cost_cents"),
            ("/api/inventory", "part", "quantity_in_stock"),
            ("/api/inventory", "part", "reorder_level"),
            ("/api/service-tickets", "ticket", "odometer_miles"),
            ("/api/service-tickets", "ticket", "priority"),
            ("/api/service-tickets", "ticket", "vehicle_id"),
            ("/api/service-tickets", "ticket", "customer_id"),
            ("/api/customers/{customer}/vehicles", "vehicle", "year"),
            ("/api/customers/{customer}/vehicles", "vehicle", "mileage"),
        ],
    )
    @pytest.mark.parametrize(
        "value", [2.9, "x", True, HUGE, -HUGE, "2.9", "", [1], {"a": 1}, 1e400, "١x"]
    )
    def test_error_names_the_field_of_a_huge_integer(
        self, shop: APIClient, rows: Rows, path: str, good: str, field: str, value: Any
    ) -> None:
        bodies: dict[str, dict[str, Any]] = {
            "mechanic": {"full_name": "A", "email": "a@b.example", "phone": "1"},
            "part": {"name": "Filter", "price": 1},
            "ticket": {"problem_description": "It rattles."},
            "vehicle": {"make": "Honda", "model": "Fit"},
        }
        raw = json.dumps({**bodies[good], field: value}).replace("Infinity", "1e400")

        response = shop.post(path.format(**rows.ids), raw.encode(), content_type=JSON)

        assert response.status_code == 400
        assert field in response.json()["fields"]

    @pytest.mark.parametrize("price", ["1e400", "1e30", "-0.01", "1.001", '"NaN"'])
    def test_error_names_the_field_of_absurd_money(
        self, shop: APIClient, price: str
    ) -> None:
        raw = f'{{"name": "Filter", "price": {price}}}'.encode()

        response = shop.post("/api/inventory", raw, content_type=JSON)

        assert response.status_code == 400
        assert list(response.json()["fields"]) == ["price"]

    def test_error_names_the_field_of_absurd_ids(
        self, shop: APIClient, rows: Rows
    ) -> None:
        response = shop.put(
            rows.path("/service-tickets/{ticket}/edit"),
            {"add_ids": [HUGE, 1.5, True, "x", None], "remove_ids": "12"},
        )

        assert response.status_code == 400
        assert set(response.json()["fields"]) == {"add_ids", "remove_ids"}


class TestUnknownField:
    def test_unknown_field_rejects_the_whole_body(
        self, shop: APIClient, rows: Rows
    ) -> None:
        before = TicketPart.objects.get(ticket_id=rows.ids["ticket"]).quantity_used

        response = shop.patch(
            rows.path("/service-tickets/{ticket}/parts/{part}"),
            {"quantity_used": 5, "unit_cost_cents": 1},
        )

        assert response.status_code == 400
        line = TicketPart.objects.get(ticket_id=rows.ids["ticket"])
        assert line.quantity_used == before


class TestRepeatedField:
    def test_repeated_field_has_its_last_value(self, shop: APIClient) -> None:
        raw = b'{"name": "First", "price": 1, "name": "Last"}'

        response = shop.post("/api/inventory", raw, content_type=JSON)

        assert response.status_code == 201
        assert Part.objects.get(pk=response.json()["part_id"]).name == "Last"


class TestEmptyBody:
    @pytest.mark.parametrize("raw", [b"", b"  \n", b"{}"])
    @pytest.mark.parametrize(
        ("path", "required"),
        [
            ("/api/auth/login", {"email", "password"}),
            ("/api/mechanics", {"full_name", "email", "phone", "salary"}),
            ("/api/customers", {"first_name", "last_name", "phone"}),
        ],
    )
    def test_empty_body_lacks_every_required_field(
        self, shop: APIClient, path: str, required: set[str], raw: bytes
    ) -> None:
        response = shop.post(path, raw, content_type=JSON)

        assert response.status_code == 400
        assert set(response.json()["fields"]) == required

    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_empty_body_changes_nothing(self, shop: APIClient, method: str) -> None:
        mechanic = MechanicFactory.create()

        response = getattr(shop, method)(
            f"/api/mechanics/{mechanic.pk}", b"", content_type=JSON
        )

        assert response.status_code == 200
        assert response.json()["full_name"] == mechanic.full_name

    def test_empty_body_needs_no_content_type(
        self, shop: APIClient, rows: Rows
    ) -> None:
        path = rows.path("/service-tickets/{ticket}/assign-mechanic/{free_mechanic}")

        response = shop.generic("PUT", path)

        assert response.status_code == 200


class TestOversizedBody:
    def test_body_of_exactly_the_limit_is_accepted(
        self, anonymous: APIClient, settings: LazySettings
    ) -> None:
        raw = b"{}".ljust(settings.MAX_BODY_BYTES)

        response = anonymous.post("/api/auth/login", raw, content_type=JSON)

        assert response.status_code == 400

    @pytest.mark.parametrize(
        "content_type",
        ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", JSON],
    )
    def test_oversized_body_of_any_type_is_a_413(
        self, shop: APIClient, settings: LazySettings, content_type: str
    ) -> None:
        raw = b"x" * (settings.MAX_BODY_BYTES + 1)

        response = shop.post("/api/mechanics", raw, content_type=content_type)

        assert response.status_code == 413

    def test_oversized_body_without_length_is_a_413(
        self, settings: LazySettings
    ) -> None:
        stream = io.BytesIO(b"{}".ljust(settings.MAX_BODY_BYTES * 3))

        with pytest.raises(ContentTooLarge):
            StrictJSONParser().parse(stream)

        assert stream.tell() == settings.MAX_BODY_BYTES + 1

    @pytest.mark.parametrize("length", ["", "many", "1e9", "²", "-1"])
    def test_body_with_invalid_length_is_not_read(
        self, shop: APIClient, settings: LazySettings, length: str
    ) -> None:
        raw = b"{}".ljust(settings.MAX_BODY_BYTES + 1)

        response = shop.post(
            "/api/mechanics", raw, content_type=JSON, CONTENT_LENGTH=length
        )

        assert response.status_code == 400
        assert "salary" in response.json()["fields"]


class TestFormBody:
    """What browsers send; the same rules hold for it."""

    FORM = "application/x-www-form-urlencoded"

    def test_form_body_creates_a_mechanic(self, shop: APIClient) -> None:
        raw = "full_name=Ann&email=ann@shop.example&phone=1&salary=50000"

        response = shop.post("/api/mechanics", raw, content_type=self.FORM)

        assert response.status_code == 201
        assert Mechanic.objects.get().salary == 50_000

    @pytest.mark.parametrize(
        "raw",
        [
            "full_name=%00&email=ann@shop.example&phone=1&salary=50000",
            "full_name=Ann&email=ann@shop.example&phone=1&salary=1e400",
            "full_name=Ann&email=ann@shop.example&phone=1&salary=5&wings=2",
            "%ED%A0%80=1",
            "&".join(f"x{n}=1" for n in range(900)),
        ],
    )
    def test_invalid_form_is_rejected_like_json(
        self, shop: APIClient, raw: str
    ) -> None:
        response = shop.post("/api/mechanics", raw, content_type=self.FORM)

        assert response.status_code == 400
        assert not Mechanic.objects.exists()

    @pytest.mark.parametrize("charset", ["nonsense", "utf-16", "idna", "base64"])
    def test_form_in_an_odd_charset_is_no_500(
        self, shop: APIClient, charset: str
    ) -> None:
        response = shop.post(
            "/api/mechanics",
            "full_name=x",
            content_type=f"{self.FORM}; charset={charset}",
        )

        assert response.status_code == 400

    def test_form_with_thousands_of_fields_is_rejected(self, shop: APIClient) -> None:
        raw = "&".join(f"x{n}=1" for n in range(1_001))

        response = shop.post("/api/mechanics", raw, content_type=self.FORM)

        assert response.status_code == 413

    @pytest.mark.parametrize(
        ("content_type", "raw"),
        [
            ("multipart/form-data", b"no boundary"),
            ("multipart/form-data; boundary=x", b"--x\r\nnonsense"),
            ("multipart/form-data; boundary=\xe9", b"--x--"),
            ("multipart/form-data; boundary=x", b""),
        ],
    )
    def test_broken_multipart_body_is_rejected(
        self, shop: APIClient, content_type: str, raw: bytes
    ) -> None:
        response = shop.post("/api/mechanics", raw, content_type=content_type)

        assert response.status_code == 400

    def test_form_with_hundreds_of_files_is_rejected(self, shop: APIClient) -> None:
        part = '--x\r\nContent-Disposition: form-data; name="f{0}"; filename="f{0}"'
        parts = [f"{part.format(n)}\r\n\r\nx\r\n" for n in range(101)]
        raw = "".join(parts) + "--x--\r\n"

        response = shop.post(
            "/api/mechanics", raw, content_type="multipart/form-data; boundary=x"
        )

        assert response.status_code == 413


class TestCredentials:
    @pytest.mark.parametrize("path", ["/api/auth/login", "/api/customers/login"])
    @pytest.mark.parametrize(
        ("password", "status"),
        [("\x00" * 8, 400), ("p" * 129, 400), (["p"], 400), (None, 400), (HUGE, 401)],
    )
    def test_login_rejects_impossible_passwords(
        self, anonymous: APIClient, path: str, password: Any, status: int
    ) -> None:
        response = anonymous.post(path, {"email": "a@b.example", "password": password})

        assert response.status_code == status

    @pytest.mark.parametrize(
        ("email", "status"),
        [
            ("\x00", 400),
            ("a" * 255, 400),
            (["a"], 400),
            ("é@é", 401),
            ("@", 401),
            (HUGE, 401),
        ],
    )
    def test_login_rejects_impossible_addresses(
        self, anonymous: APIClient, email: Any, status: int
    ) -> None:
        response = anonymous.post(
            "/api/auth/login", {"email": email, "password": PASSWORD}
        )

        assert response.status_code == status

    @pytest.mark.parametrize(
        ("token", "status"),
        [
            ("\x00", 400),
            (None, 400),
            (["x"], 400),
            ("x" * 5_000, 400),
            ("x", 401),
            ("a.b.c", 401),
            ("é", 401),
            (1, 401),
        ],
    )
    def test_refresh_rejects_impossible_tokens(
        self, anonymous: APIClient, token: Any, status: int
    ) -> None:
        response = anonymous.post("/api/auth/refresh", {"refresh_token": token})

        assert response.status_code == status
