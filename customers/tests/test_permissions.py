from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.response import Response
from rest_framework.test import APIClient

from customers.models import Customer, Vehicle
from customers.tests.factories import CustomerFactory, VehicleFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import MANAGER, SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.accounts.tests.factories import UserFactory, user_in

pytestmark = pytest.mark.django_db

PERSON = {"first_name": "Jordan", "last_name": "Rivera", "phone": "1"}
CAR = {"make": "Honda", "model": "Fit", "year": 2019}

#: Each verb on a customer {c} and a vehicle {v} of theirs, with the statuses of
#: technician, service advisor, manager, staff without group, a stranger, the owner.
TABLE: list[tuple[str, str, dict[str, Any], list[int]]] = [
    ("get", "customers", {}, [200, 200, 200, 403, 200, 200]),
    ("post", "customers", PERSON, [403, 201, 201, 403, 403, 403]),
    ("get", "customers/{c}", {}, [200, 200, 200, 403, 404, 200]),
    ("put", "customers/{c}", {"city": "Elko"}, [403, 200, 200, 403, 404, 200]),
    ("patch", "customers/{c}", {"city": "Elko"}, [403, 200, 200, 403, 404, 200]),
    ("delete", "customers/{c}", {}, [403, 403, 204, 403, 404, 204]),
    ("get", "customers/{c}/vehicles", {}, [200, 200, 200, 403, 404, 200]),
    ("post", "customers/{c}/vehicles", CAR, [403, 201, 201, 403, 404, 201]),
    ("get", "customers/{c}/vehicles/{v}", {}, [200, 200, 200, 403, 404, 200]),
    (
        "put",
        "customers/{c}/vehicles/{v}",
        {"color": "red"},
        [403, 200, 200, 403, 404, 200],
    ),
    ("delete", "customers/{c}/vehicles/{v}", {}, [403, 403, 204, 403, 404, 204]),
    ("get", "vehicles", {}, [200, 200, 200, 403, 200, 200]),
    ("get", "vehicles/{v}", {}, [200, 200, 200, 403, 404, 200]),
    ("patch", "vehicles/{v}", {"color": "red"}, [403, 200, 200, 403, 404, 200]),
]
WHO = ["technician", "service advisor", "manager", "staff", "stranger", "owner"]


@pytest.fixture
def vehicle(db: None) -> Vehicle:
    return VehicleFactory.create()


def login_of(customer: Customer) -> User:
    assert customer.user is not None
    return customer.user


def make(who: str, vehicle: Vehicle) -> User:
    match who:
        case "owner":
            return login_of(vehicle.customer)
        case "stranger":
            return login_of(CustomerFactory.create())
        case "staff":
            return UserFactory.create(is_staff=True)
    groups = {"technician": TECHNICIAN, "service advisor": SERVICE_ADVISOR}
    return user_in(groups.get(who, MANAGER))


def send(
    client: APIClient, method: str, path: str, body: dict[str, Any], vehicle: Vehicle
) -> Response:
    url = "/api/" + path.format(c=vehicle.customer_id, v=vehicle.pk)
    answer: Response = getattr(client, method)(url, body)
    return answer


class TestVerb:
    @pytest.mark.parametrize(
        ("method", "path", "body", "who", "status"),
        [
            pytest.param(method, path, body, who, status, id=f"{who}-{method}-{path}")
            for method, path, body, statuses in TABLE
            for who, status in zip(WHO, statuses, strict=True)
        ],
    )
    def test_is_allowed_to_whom_the_table_says(
        self,
        method: str,
        path: str,
        body: dict[str, Any],
        who: str,
        status: int,
        vehicle: Vehicle,
        client_of: Callable[[User], APIClient],
    ) -> None:
        client = client_of(make(who, vehicle))

        answer = send(client, method, path, body, vehicle)

        assert answer.status_code == status
        if status == 403:
            assert answer.data["code"] == "permission_denied"

    @pytest.mark.parametrize(
        ("method", "path", "body"), [(row[0], row[1], row[2]) for row in TABLE]
    )
    def test_needs_a_sign_in(
        self,
        method: str,
        path: str,
        body: dict[str, Any],
        vehicle: Vehicle,
        anonymous: APIClient,
    ) -> None:
        answer = send(anonymous, method, path, body, vehicle)

        assert answer.status_code == 401
        assert answer.data["code"] == "not_authenticated"
        assert Customer.objects.get().vehicles.get() == vehicle

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("delete", "customers/0"),
            ("put", "customers/0"),
            ("post", "customers/0/vehicles"),
            ("patch", "vehicles/0"),
        ],
    )
    def test_is_judged_before_the_row(
        self, method: str, path: str, client_of: Callable[[User], APIClient]
    ) -> None:
        client = client_of(user_in(TECHNICIAN))

        assert getattr(client, method)(f"/api/{path}", {}).status_code == 403


class TestCustomer:
    def test_sees_only_own_rows_in_lists(
        self, vehicle: Vehicle, client_of: Callable[[User], APIClient]
    ) -> None:
        client = client_of(login_of(vehicle.customer))
        other = VehicleFactory.create(license_plate="OTHER")

        customers = client.get("/api/customers").data
        vehicles = client.get("/api/vehicles").data

        assert [row["customer_id"] for row in customers["customers"]] == [
            vehicle.customer_id
        ]
        assert customers["pagination"]["total_customers"] == 1
        assert [row["vehicle_id"] for row in vehicles["vehicles"]] == [vehicle.pk]
        for query in ({"customer_id": other.customer_id}, {"license_plate": "OTHER"}):
            assert client.get("/api/vehicles", query).data["vehicles"] == []

    @pytest.mark.parametrize(
        ("foreign", "missing"),
        [
            ("customers/{c}", "customers/0"),
            ("customers/{c}/vehicles", "customers/0/vehicles"),
            ("customers/{c}/vehicles/{v}", "customers/0/vehicles/0"),
            ("vehicles/{v}", "vehicles/0"),
            ("customers/{c}/service-tickets", "customers/0/service-tickets"),
        ],
    )
    def test_cannot_tell_a_foreign_row_from_a_missing_one(
        self,
        foreign: str,
        missing: str,
        vehicle: Vehicle,
        client_of: Callable[[User], APIClient],
    ) -> None:
        client = client_of(login_of(CustomerFactory.create()))

        answers = [
            send(client, "get", path, {}, vehicle) for path in (foreign, missing)
        ]

        assert [answer.status_code for answer in answers] == [404, 404]
        for answer in answers:
            answer.data.pop("request_id")
        assert answers[0].data == answers[1].data

    def test_cannot_reach_a_foreign_vehicle_under_the_own_id(
        self, vehicle: Vehicle, client_of: Callable[[User], APIClient]
    ) -> None:
        me = CustomerFactory.create()
        path = f"/api/customers/{me.pk}/vehicles/{vehicle.pk}"
        client = client_of(login_of(me))

        assert client.get(path).status_code == 404
        assert client.delete(path).status_code == 404
        assert Vehicle.objects.get() == vehicle

    def test_cannot_give_a_vehicle_away(
        self, vehicle: Vehicle, client_of: Callable[[User], APIClient]
    ) -> None:
        other, before = CustomerFactory.create(), vehicle.customer
        client = client_of(login_of(vehicle.customer))

        answer = client.patch(
            f"/api/vehicles/{vehicle.pk}", {"customer_id": other.pk, "color": "red"}
        )

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"customer_id"}
        vehicle.refresh_from_db()
        assert (vehicle.customer, vehicle.color) == (before, "")

    def test_may_repeat_being_the_owner(
        self, vehicle: Vehicle, client_of: Callable[[User], APIClient]
    ) -> None:
        client = client_of(login_of(vehicle.customer))
        body = {"customer_id": vehicle.customer_id, "color": "red"}

        answer = client.patch(f"/api/vehicles/{vehicle.pk}", body)

        assert answer.status_code == 200
        assert answer.data["color"] == "red"

    def test_may_search_only_among_own_rows(
        self, vehicle: Vehicle, client_of: Callable[[User], APIClient]
    ) -> None:
        other = CustomerFactory.create(phone="555-9999")
        client = client_of(login_of(vehicle.customer))

        answer = client.get("/api/customers", {"search": other.phone})

        assert answer.data["customers"] == []


class TestStaffWhoAreCustomersToo:
    def test_may_change_their_own_record_and_no_other(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        user = user_in(TECHNICIAN)
        own = CustomerFactory.create(user=user, email=user.email)
        other = CustomerFactory.create()
        client = client_of(user)

        changes = [
            client.patch(f"/api/customers/{customer.pk}", {"city": "Elko"})
            for customer in (own, other)
        ]

        assert [answer.status_code for answer in changes] == [200, 403]
        other.refresh_from_db()
        assert other.city == ""

    def test_keep_their_login_when_they_delete_their_record(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        user = user_in(TECHNICIAN)
        own = CustomerFactory.create(user=user, email=user.email)
        client = client_of(user)

        assert client.delete(f"/api/customers/{own.pk}").status_code == 204

        assert client.get("/api/auth/me").data["customer_id"] is None
