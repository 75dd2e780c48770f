from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.test import APIClient

from customers.models import Customer, Vehicle
from customers.tests.factories import CustomerFactory, VehicleFactory
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

VIN = "1M8GDM9AXKP042788"
BODY = {"make": "Honda", "model": "Civic", "year": 2019}
FIELDS = [
    "vehicle_id",
    "customer_id",
    "vin",
    "make",
    "model",
    "year",
    "color",
    "license_plate",
    "mileage",
    "vin_check",
    "created_at",
    "updated_at",
]


@pytest.fixture
def customer(db: None) -> Customer:
    return CustomerFactory.create()


def add(shop: APIClient, customer: Customer, **changes: Any) -> Response:
    return shop.post(f"/api/customers/{customer.pk}/vehicles", {**BODY, **changes})


def listed(shop: APIClient, **query: str | int) -> list[int]:
    answer = shop.get("/api/vehicles", query)
    assert answer.status_code == 200, answer.data
    return [vehicle["vehicle_id"] for vehicle in answer.data["vehicles"]]


def path_of(vehicle: Vehicle) -> str:
    return f"/api/customers/{vehicle.customer_id}/vehicles/{vehicle.pk}"


class TestAddVehicle:
    def test_needs_make_model_and_year(
        self, shop: APIClient, customer: Customer
    ) -> None:
        answer = add(shop, customer)

        assert answer.status_code == 201
        assert list(answer.data) == FIELDS
        vehicle = Vehicle.objects.get()
        assert answer.data["vehicle_id"] == vehicle.pk
        assert answer.data["customer_id"] == vehicle.customer_id == customer.pk
        assert (answer.data["vin"], answer.data["mileage"]) == (None, None)
        assert (answer.data["color"], answer.data["license_plate"]) == ("", "")
        assert answer.data["vin_check"] == "not_applicable"

    @pytest.mark.parametrize("name", list(BODY))
    def test_names_a_missing_field(
        self, shop: APIClient, customer: Customer, name: str
    ) -> None:
        body = {key: value for key, value in BODY.items() if key != name}

        answer = shop.post(f"/api/customers/{customer.pk}/vehicles", body)

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {name}

    @pytest.mark.parametrize(
        "typed", [VIN, VIN.lower(), " 1m8-gdm9a XKP-042788 ", "1M8GDM9AX\tKP 042788"]
    )
    def test_reads_a_vin_leniently(
        self, shop: APIClient, customer: Customer, typed: str
    ) -> None:
        answer = add(shop, customer, vin=typed)

        assert answer.status_code == 201
        assert answer.data["vin"] == Vehicle.objects.get().vin == VIN
        assert answer.data["vin_check"] == "valid"

    def test_reports_a_wrong_check_digit_and_takes_it(
        self, shop: APIClient, customer: Customer
    ) -> None:
        answer = add(shop, customer, vin="WVWZZZ1JZXW000010")

        assert answer.status_code == 201
        assert answer.data["vin_check"] == "invalid"

    @pytest.mark.parametrize("vin", ["12-34 5", "A", "1M8GDM9AXKP042788"])
    def test_takes_any_length_before_1981(
        self, shop: APIClient, customer: Customer, vin: str
    ) -> None:
        answer = add(shop, customer, vin=vin, year=1980)

        assert answer.status_code == 201
        assert answer.data["vin"] == vin.replace("-", "").replace(" ", "")

    @pytest.mark.parametrize(
        ("vin", "year"),
        [
            (VIN[:-1], 1981),
            (VIN + "1", 1981),
            (VIN + "1", 1980),
            (VIN.replace("1", "I", 1), 2019),
            (VIN.replace("0", "O", 1), 2019),
            (VIN.replace("0", "q", 1), 2019),
            (VIN.replace("0", ".", 1), 2019),
            (VIN.replace("0", "é", 1), 2019),
            (VIN.replace("1", "１", 1), 2019),
            (VIN.replace("8", "ſ", 1), 2019),
            (VIN[:-2] + "ß", 2019),
            ("1" * 65, 2019),
            (True, 2019),
            ([VIN], 2019),
        ],
    )
    def test_refuses_what_is_no_vin(
        self, shop: APIClient, customer: Customer, vin: object, year: int
    ) -> None:
        answer = add(shop, customer, vin=vin, year=year)

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"vin"}
        assert not Vehicle.objects.exists()

    def test_refuses_a_vin_that_another_vehicle_has(
        self, shop: APIClient, customer: Customer
    ) -> None:
        VehicleFactory.create(vin=VIN)

        answer = add(shop, customer, vin=f" {VIN[:5].lower()}-{VIN[5:]}")

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"vin"}
        assert Vehicle.objects.count() == 1

    @pytest.mark.parametrize("vin", [None, "", " - "])
    def test_keeps_any_number_of_absent_vins_as_null(
        self, shop: APIClient, customer: Customer, vin: str | None
    ) -> None:
        answers = [add(shop, customer, vin=vin) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [201, 201]
        assert Vehicle.objects.filter(vin=None).count() == 2

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("year", 1900),
            ("year", timezone.now().year + 1),
            ("mileage", 0),
            ("mileage", 2_000_000),
            ("mileage", None),
            ("make", "é" * 100),
            ("model", "é" * 100),
            ("color", "é" * 50),
            ("license_plate", "é" * 20),
        ],
    )
    def test_takes_a_value_at_its_limit(
        self, shop: APIClient, customer: Customer, name: str, value: object
    ) -> None:
        answer = add(shop, customer, **{name: value})

        assert answer.status_code == 201
        assert answer.data[name] == value

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("year", 1899),
            ("year", timezone.now().year + 2),
            ("year", 2019.5),
            ("year", "MMXX"),
            ("year", True),
            ("year", 10**30),
            ("year", None),
            ("mileage", -1),
            ("mileage", 2_000_001),
            ("mileage", 2.9),
            ("mileage", "x"),
            ("mileage", True),
            ("mileage", 10**30),
            ("make", " "),
            ("make", "x" * 101),
            ("model", "x" * 101),
            ("color", "x" * 51),
            ("color", None),
            ("license_plate", "x" * 21),
            ("wheels", 4),
            ("vehicle_id", 7),
        ],
    )
    def test_refuses_a_bad_value(
        self, shop: APIClient, customer: Customer, name: str, value: object
    ) -> None:
        answer = add(shop, customer, **{name: value})

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {name}
        assert not Vehicle.objects.exists()


class TestVehiclesOfACustomer:
    def test_are_a_plain_array_by_id(self, shop: APIClient, customer: Customer) -> None:
        mine = [VehicleFactory.create(customer=customer).pk for _ in range(12)]
        VehicleFactory.create()

        answer = shop.get(f"/api/customers/{customer.pk}/vehicles")

        assert [row["vehicle_id"] for row in answer.data] == mine

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_are_not_found_without_the_customer(
        self, shop: APIClient, method: str
    ) -> None:
        assert getattr(shop, method)("/api/customers/0/vehicles").status_code == 404

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    def test_are_not_found_under_another_customer(
        self, shop: APIClient, customer: Customer, method: str
    ) -> None:
        vehicle = VehicleFactory.create(color="red")
        path = f"/api/customers/{customer.pk}/vehicles/{vehicle.pk}"

        answer = getattr(shop, method)(path, {"color": "blue"})

        assert answer.status_code == 404
        vehicle.refresh_from_db()
        assert vehicle.color == "red"


class TestVehicleOfNobody:
    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    @pytest.mark.parametrize("nobody", [2**63, 10**30])
    def test_is_not_found(self, shop: APIClient, method: str, nobody: int) -> None:
        vehicle = VehicleFactory.create()

        answer = getattr(shop, method)(
            f"/api/customers/{nobody}/vehicles/{vehicle.pk}", {}
        )

        assert answer.status_code == 404


class TestUpdateVehicle:
    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_keeps_what_is_left_out(self, shop: APIClient, method: str) -> None:
        vehicle = VehicleFactory.create(vin=VIN, color="red")
        path = path_of(vehicle)

        answer = getattr(shop, method)(path, {"mileage": 12, "color": ""})

        assert answer.status_code == 200
        vehicle.refresh_from_db()
        assert (vehicle.mileage, vehicle.color) == (12, "")
        assert (vehicle.vin, vehicle.make, vehicle.year) == (VIN, "Honda", 2020)

    def test_takes_back_what_it_gave(self, shop: APIClient) -> None:
        vehicle = VehicleFactory.create(vin=VIN)
        path = path_of(vehicle)
        given = shop.get(path).data

        answer = shop.put(path, given)

        assert answer.status_code == 200
        assert {**answer.data, "updated_at": None} == {**given, "updated_at": None}

    @pytest.mark.parametrize("name", ["vehicle_id", "customer_id", "created_at"])
    def test_refuses_to_change_a_read_only_field(
        self, shop: APIClient, name: str
    ) -> None:
        vehicle = VehicleFactory.create()
        path = path_of(vehicle)

        answer = shop.patch(path, {name: CustomerFactory.create().pk + 1000})

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {name}

    def test_ignores_the_derived_vin_check(self, shop: APIClient) -> None:
        vehicle = VehicleFactory.create(vin=VIN)
        path = path_of(vehicle)

        answer = shop.patch(path, {"vin_check": "invalid"})

        assert answer.status_code == 200
        assert answer.data["vin_check"] == "valid"

    def test_refuses_a_year_that_the_vin_is_too_short_for(
        self, shop: APIClient
    ) -> None:
        vehicle = VehicleFactory.create(vin="12345", year=1980)
        path = f"/api/vehicles/{vehicle.pk}"

        answer = shop.patch(path, {"year": 1981})

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"vin"}
        assert shop.patch(path, {"year": 1981, "vin": VIN}).status_code == 200

    def test_refuses_a_vin_that_another_vehicle_has(self, shop: APIClient) -> None:
        VehicleFactory.create(vin=VIN)
        vehicle = VehicleFactory.create()

        answer = shop.patch(f"/api/vehicles/{vehicle.pk}", {"vin": VIN.lower()})

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"vin"}

    def test_can_take_the_vin_away(self, shop: APIClient) -> None:
        vehicle = VehicleFactory.create(vin=VIN)

        answer = shop.patch(f"/api/vehicles/{vehicle.pk}", {"vin": ""})

        assert (answer.data["vin"], answer.data["vin_check"]) == (
            None,
            "not_applicable",
        )


class TestDeleteVehicle:
    def test_deletes_one_without_tickets(self, shop: APIClient) -> None:
        vehicle = VehicleFactory.create()

        answer = shop.delete(
            f"/api/customers/{vehicle.customer_id}/vehicles/{vehicle.pk}"
        )

        assert answer.status_code == 204
        assert not Vehicle.objects.exists()

    def test_refuses_one_with_a_ticket_of_any_age(self, shop: APIClient) -> None:
        vehicle = TicketFactory.create(closed=True).vehicle

        answer = shop.delete(
            f"/api/customers/{vehicle.customer_id}/vehicles/{vehicle.pk}"
        )

        assert answer.status_code == 409
        assert answer.data["code"] == "in_use"
        assert Vehicle.objects.get() == vehicle


class TestVehiclesOfTheShop:
    def test_are_paginated_by_id(self, shop: APIClient) -> None:
        ids = [VehicleFactory.create().pk for _ in range(3)]

        answer = shop.get("/api/vehicles", {"per_page": 2})

        assert [row["vehicle_id"] for row in answer.data["vehicles"]] == ids[:2]
        assert answer.data["pagination"]["total_vehicles"] == 3

    @pytest.mark.parametrize(
        ("parameter", "typed"),
        [
            ("vin", "042788"),
            ("vin", "kp042788"),
            ("vin", "KP-0427 88"),
            ("vin", VIN),
            ("search", "042788"),
            ("search", "kp042788"),
            ("search", VIN.lower()),
        ],
    )
    def test_are_found_by_the_end_of_the_vin(
        self, shop: APIClient, parameter: str, typed: str
    ) -> None:
        vehicle = VehicleFactory.create(vin=VIN)
        VehicleFactory.create(vin="1HGCM82633A004352")
        VehicleFactory.create()

        assert listed(shop, **{parameter: typed}) == [vehicle.pk]

    def test_are_not_found_by_the_start_of_the_vin(self, shop: APIClient) -> None:
        VehicleFactory.create(vin=VIN)

        assert listed(shop, vin=VIN[:8]) == []

    @pytest.mark.parametrize("words", ["civic", "BLUE-1", "honda civic", "civic blue"])
    def test_are_searched_by_plate_make_and_model(
        self, shop: APIClient, words: str
    ) -> None:
        vehicle = VehicleFactory.create(model="Civic", license_plate="BLUE-1")
        VehicleFactory.create(model="Accord", license_plate="RED-1")

        assert listed(shop, search=words) == [vehicle.pk]

    def test_are_filtered_by_plate_and_customer(self, shop: APIClient) -> None:
        vehicle = VehicleFactory.create(license_plate="BLUE-1")
        other = VehicleFactory.create(license_plate="BLUE-11")

        assert listed(shop, license_plate="blue-1") == [vehicle.pk]
        assert listed(shop, customer_id=other.customer_id) == [other.pk]
        assert listed(shop, customer_id=other.customer_id, license_plate="x") == []

    @pytest.mark.parametrize("value", ["x", "1.5", "0", "-1", "1" + "0" * 30])
    def test_are_not_filtered_by_a_customer_id_that_is_none(
        self, shop: APIClient, value: str
    ) -> None:
        answer = shop.get("/api/vehicles", {"customer_id": value})

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"customer_id"}

    @pytest.mark.parametrize("method", ["put", "delete"])
    def test_are_only_read_and_patched(self, shop: APIClient, method: str) -> None:
        vehicle = VehicleFactory.create()

        answer = getattr(shop, method)(f"/api/vehicles/{vehicle.pk}", {})

        assert answer.status_code == 405
        assert answer.data["code"] == "method_not_allowed"


class TestChangeOwner:
    def test_hands_the_vehicle_over_and_leaves_old_tickets_with_theirs(
        self, shop: APIClient, customer: Customer
    ) -> None:
        ticket = TicketFactory.create(closed=True)
        seller, vehicle = ticket.customer, ticket.vehicle

        answer = shop.patch(
            f"/api/vehicles/{vehicle.pk}", {"customer_id": customer.pk, "color": "red"}
        )

        assert answer.status_code == 200
        assert answer.data["customer_id"] == customer.pk
        assert answer.data["color"] == "red"
        vehicle.refresh_from_db()
        ticket.refresh_from_db()
        assert (vehicle.customer, ticket.customer) == (customer, seller)

    def test_is_refused_while_a_ticket_is_open(
        self, shop: APIClient, customer: Customer
    ) -> None:
        vehicle = TicketFactory.create().vehicle
        seller = vehicle.customer

        answer = shop.patch(
            f"/api/vehicles/{vehicle.pk}", {"customer_id": customer.pk, "color": "red"}
        )

        assert answer.status_code == 409
        assert answer.data["code"] == "in_use"
        vehicle.refresh_from_db()
        assert (vehicle.customer, vehicle.color) == (seller, "")

    def test_is_no_change_when_the_owner_is_repeated(self, shop: APIClient) -> None:
        vehicle = TicketFactory.create().vehicle
        body = {"customer_id": vehicle.customer_id, "color": "red"}

        answer = shop.patch(f"/api/vehicles/{vehicle.pk}", body)

        assert answer.status_code == 200
        assert answer.data["color"] == "red"

    @pytest.mark.parametrize("value", [0, 10**30, "x", None, True, 2.5])
    def test_is_refused_towards_nobody(self, shop: APIClient, value: object) -> None:
        vehicle = VehicleFactory.create()

        answer = shop.patch(f"/api/vehicles/{vehicle.pk}", {"customer_id": value})

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"customer_id"}

    def test_is_refused_towards_an_erased_customer(self, shop: APIClient) -> None:
        erased = TicketFactory.create(closed=True).customer
        shop.delete(f"/api/customers/{erased.pk}")
        vehicle = VehicleFactory.create()

        answer = shop.patch(f"/api/vehicles/{vehicle.pk}", {"customer_id": erased.pk})

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"customer_id"}
