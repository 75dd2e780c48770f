from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from rest_framework.response import Response
from rest_framework.test import APIClient

from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import MANAGER, SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.accounts.tests.factories import UserFactory, user_in
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from tickets.services import assign_mechanic, install_part, remove_mechanic
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

BODY = {
    "full_name": "Sam Torque",
    "email": "sam@shop.example",
    "phone": "555 0201",
    "salary": 72_000,
}
ALL_FIELDS = [
    "mechanic_id",
    "full_name",
    "email",
    "phone",
    "salary",
    "is_active",
    "ticket_count",
    "created_at",
    "updated_at",
]
STAFF_FIELDS = [name for name in ALL_FIELDS if name != "salary"]
PUBLIC_FIELDS = ["mechanic_id", "full_name", "is_active", "ticket_count"]


def hire(shop: APIClient, **changes: Any) -> Response:
    return shop.post("/api/mechanics", {**BODY, **changes})


def user_with(*codenames: str) -> User:
    user = UserFactory.create(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


class TestCreateMechanic:
    def test_needs_name_email_phone_and_salary(self, shop: APIClient) -> None:
        answer = hire(shop)

        mechanic = Mechanic.objects.get()
        assert answer.status_code == 201
        assert list(answer.data) == ALL_FIELDS
        assert answer.data == {
            **BODY,
            "mechanic_id": mechanic.pk,
            "is_active": True,
            "ticket_count": 0,
            "created_at": answer.data["created_at"],
            "updated_at": answer.data["updated_at"],
        }
        assert mechanic.salary == 72_000

    @pytest.mark.parametrize("name", list(BODY))
    def test_names_a_missing_field(self, shop: APIClient, name: str) -> None:
        body = {key: value for key, value in BODY.items() if key != name}

        answer = shop.post("/api/mechanics", body)

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {name}

    @pytest.mark.parametrize("typed", ["sam@shop.example", " SAM@Shop.Example "])
    def test_refuses_a_taken_email_however_it_is_spelled(
        self, shop: APIClient, typed: str
    ) -> None:
        hire(shop, email=" Sam@SHOP.example")

        answer = hire(shop, email=typed)

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"email"}
        assert Mechanic.objects.get().email == "sam@shop.example"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("salary", 0),
            ("full_name", "é" * 255),
            ("phone", "5" * 50),
            ("is_active", False),
        ],
    )
    def test_takes_a_value_at_its_limit(
        self, shop: APIClient, name: str, value: object
    ) -> None:
        answer = hire(shop, **{name: value})

        assert answer.status_code == 201
        assert answer.data[name] == value

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("salary", -1),
            ("salary", 72_000.5),
            ("salary", "a lot"),
            ("salary", True),
            ("salary", None),
            ("salary", 10**30),
            ("full_name", " "),
            ("full_name", "x" * 256),
            ("phone", "5" * 51),
            ("email", ""),
            ("email", None),
            ("email", "sam"),
            ("email", "säm@shop.example"),
            ("is_active", "perhaps"),
            ("is_active", None),
            ("mechanic_id", 7),
            ("user", 1),
            ("nickname", "Sam"),
        ],
    )
    def test_refuses_a_bad_value(
        self, shop: APIClient, name: str, value: object
    ) -> None:
        answer = hire(shop, **{name: value})

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {name}
        assert not Mechanic.objects.exists()


class TestUpdateMechanic:
    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_keeps_what_is_left_out(self, shop: APIClient, method: str) -> None:
        mechanic = MechanicFactory.create(salary=50_000)

        answer = getattr(shop, method)(
            f"/api/mechanics/{mechanic.pk}", {"is_active": False}
        )

        assert answer.status_code == 200
        mechanic.refresh_from_db()
        assert (mechanic.is_active, mechanic.salary) == (False, 50_000)
        assert answer.data["full_name"] == mechanic.full_name

    def test_takes_back_what_it_gave(self, shop: APIClient) -> None:
        path = f"/api/mechanics/{MechanicFactory.create().pk}"
        given = shop.get(path).data

        answer = shop.put(path, {**given, "ticket_count": 99})

        assert answer.status_code == 200
        assert {**answer.data, "updated_at": None} == {**given, "updated_at": None}

    def test_refuses_the_email_of_a_colleague(self, shop: APIClient) -> None:
        MechanicFactory.create(email="taken@shop.example")
        mechanic = MechanicFactory.create()

        answer = shop.put(
            f"/api/mechanics/{mechanic.pk}", {"email": "Taken@shop.example"}
        )

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"email"}

    @pytest.mark.parametrize("method", ["get", "put", "delete"])
    def test_has_nothing_under_an_id_that_is_none(
        self, shop: APIClient, method: str
    ) -> None:
        assert getattr(shop, method)("/api/mechanics/0").status_code == 404


class TestDeleteMechanic:
    def test_deletes_one_who_never_worked_on_a_ticket(self, shop: APIClient) -> None:
        mechanic = MechanicFactory.create()

        assert shop.delete(f"/api/mechanics/{mechanic.pk}/").status_code == 204

        assert not Mechanic.objects.exists()

    def test_refuses_one_who_is_on_a_ticket(self, shop: APIClient, owner: User) -> None:
        mechanic = MechanicFactory.create()
        assign_mechanic(ticket=TicketFactory.create(), mechanic=mechanic, by=owner)

        answer = shop.delete(f"/api/mechanics/{mechanic.pk}")

        assert answer.status_code == 409
        assert answer.data["code"] == "in_use"
        assert "Deactivate" in answer.data["message"]
        assert Mechanic.objects.get() == mechanic

    def test_refuses_one_who_installed_a_part(
        self, shop: APIClient, owner: User
    ) -> None:
        mechanic = MechanicFactory.create()
        install_part(
            ticket=TicketFactory.create(),
            part=PartFactory.create(),
            quantity_used=1,
            by=owner,
            installed_by=mechanic,
        )

        answer = shop.delete(f"/api/mechanics/{mechanic.pk}")

        assert answer.status_code == 409
        assert answer.data["code"] == "in_use"

    def test_deletes_one_who_was_taken_off_the_ticket(
        self, shop: APIClient, owner: User
    ) -> None:
        ticket, mechanic = TicketFactory.create(), MechanicFactory.create()
        assign_mechanic(ticket=ticket, mechanic=mechanic, by=owner)
        remove_mechanic(ticket=ticket, mechanic=mechanic, by=owner)

        assert shop.delete(f"/api/mechanics/{mechanic.pk}").status_code == 204


class TestMechanicDetail:
    @pytest.mark.parametrize(
        ("make", "fields"),
        [
            (lambda: UserFactory.create(), PUBLIC_FIELDS),
            (lambda: UserFactory.create(is_staff=True), PUBLIC_FIELDS),
            (lambda: user_in(TECHNICIAN), STAFF_FIELDS),
            (lambda: user_in(SERVICE_ADVISOR), STAFF_FIELDS),
            (lambda: user_in(MANAGER), ALL_FIELDS),
            (lambda: user_with("view_mechanic", "view_salary"), ALL_FIELDS),
        ],
        ids=["customer", "staff", "technician", "advisor", "manager", "own mix"],
    )
    def test_shows_what_the_caller_may_see(
        self,
        make: Callable[[], User],
        fields: list[str],
        client_of: Callable[[User], APIClient],
    ) -> None:
        mechanic = MechanicFactory.create()

        answer = client_of(make()).get(f"/api/mechanics/{mechanic.pk}")

        assert answer.status_code == 200
        assert list(answer.data) == fields

    def test_counts_tickets_whatever_their_status(
        self, shop: APIClient, owner: User
    ) -> None:
        mechanic = MechanicFactory.create()
        for _ in range(2):
            assign_mechanic(ticket=TicketFactory.create(), mechanic=mechanic, by=owner)
        done = TicketFactory.create(closed=True)
        done.ticket_mechanics.create(mechanic=mechanic)

        answer = shop.get(f"/api/mechanics/{mechanic.pk}")

        assert answer.data["ticket_count"] == 3


class TestSalary:
    def test_cannot_be_changed_by_who_cannot_see_it(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        mechanic = MechanicFactory.create(salary=50_000)
        client = client_of(user_with("view_mechanic", "change_mechanic"))
        path = f"/api/mechanics/{mechanic.pk}"

        refused = client.patch(path, {"phone": "1", "salary": 90_000})

        assert refused.status_code == 403
        mechanic.refresh_from_db()
        assert (mechanic.phone, mechanic.salary) == ("555-0200", 50_000)
        allowed = client.patch(path, {"phone": "1"})
        assert allowed.status_code == 200
        assert "salary" not in allowed.data

    @pytest.mark.parametrize("given", [{"salary": 72_000}, {}], ids=str)
    def test_cannot_be_given_by_who_cannot_see_it(
        self, given: dict[str, int], client_of: Callable[[User], APIClient]
    ) -> None:
        client = client_of(user_with("view_mechanic", "add_mechanic"))
        person = {name: BODY[name] for name in ("full_name", "email", "phone")}

        answer = client.post("/api/mechanics", {**person, **given})

        assert answer.status_code == 403
        assert not Mechanic.objects.exists()

    def test_is_changed_by_a_manager(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        mechanic = MechanicFactory.create(salary=50_000)

        answer = client_of(user_in(MANAGER)).put(
            f"/api/mechanics/{mechanic.pk}", {"salary": 90_000}
        )

        assert answer.status_code == 200
        assert answer.data["salary"] == 90_000


class TestVerb:
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("post", "mechanics", BODY),
            ("put", "mechanics/{}", {"phone": "1"}),
            ("patch", "mechanics/{}", {"phone": "1"}),
            ("delete", "mechanics/{}", {}),
        ],
    )
    @pytest.mark.parametrize(
        "make",
        [
            lambda: UserFactory.create(),
            lambda: UserFactory.create(is_staff=True),
            lambda: user_in(TECHNICIAN),
            lambda: user_in(SERVICE_ADVISOR),
        ],
        ids=["customer", "staff", "technician", "advisor"],
    )
    def test_that_writes_is_a_managers(
        self,
        method: str,
        path: str,
        body: dict[str, Any],
        make: Callable[[], User],
        client_of: Callable[[User], APIClient],
    ) -> None:
        mechanic = MechanicFactory.create()
        url = f"/api/{path.format(mechanic.pk)}"

        refused = getattr(client_of(make()), method)(url, body)
        allowed = getattr(client_of(user_in(MANAGER)), method)(url, body)

        assert refused.status_code == 403
        assert allowed.status_code in {200, 201, 204}

    @pytest.mark.parametrize(
        "path", ["", "/{}", "/by-activity", "/top", "/leaderboard"]
    )
    def test_that_reads_needs_a_sign_in(self, path: str, anonymous: APIClient) -> None:
        mechanic = MechanicFactory.create()

        answer = anonymous.get(f"/api/mechanics{path.format(mechanic.pk)}")

        assert answer.status_code == 401
