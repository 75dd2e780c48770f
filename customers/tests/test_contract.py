from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from customers.models import Customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from mechanic_shop.accounts.tests.factories import PASSWORD
from mechanic_shop.testing.contract import ResourceContract
from mechanic_shop.testing.garage import Garage

CREDENTIALS = {"email": "{address}", "password": PASSWORD}


class TestAuthContract(ResourceContract):
    """Whoever comes may sign up and in; who is in may ask who they are."""

    path = "/auth"
    access = """
    own other tech adv mgr staff
    201                             POST   /register  newcomer
    200                             POST   /login  credentials
    200 200   200  200 200 200      GET    /me
    """
    bodies = {
        "newcomer": {
            "first_name": "Nora",
            "last_name": "New",
            "email": "nora@example.com",
            "phone": "555-0300",
            "password": PASSWORD,
        },
        "credentials": CREDENTIALS,
    }
    fields_of = {
        "newcomer": (
            "first_name last_name email phone address city state postal_code password"
        ),
        "credentials": "email password",
    }
    takes_keys = False
    single_objects = ("GET /me",)
    limits = {"POST /register": "REGISTER", "POST /login": "LOGIN"}

    def make_rows(self, customer: Customer, garage: Garage) -> Mapping[str, Any]:
        return {"address": customer.email}


class TestLoginContract(ResourceContract):
    """System B's clients sign in among the customers."""

    path = "/customers/login"
    access = """
    own other tech adv mgr staff
    200                             POST   /  credentials
    """
    bodies = {"credentials": CREDENTIALS}
    fields_of = {"credentials": "email password"}
    takes_keys = False
    limits = {"POST /": "LOGIN"}

    def make_rows(self, customer: Customer, garage: Garage) -> Mapping[str, Any]:
        return {"address": customer.email}


class TestCustomerContract(ResourceContract):
    """Customers have their own record; technicians look, advisors write."""

    path = "/customers"
    access = """
    own other tech adv mgr staff open
    200 200   200  200 200 403   200  GET    /
    403 403   403  201 201 403   201  POST   /
    200 404   200  200 200 403   200  GET    /{customer}
    200 404   403  200 200 403   403  PUT    /{customer}
    200 404   403  200 200 403   403  PATCH  /{customer}
    204 404   403  403 204 403   403  DELETE /{customer}
    """
    factory = CustomerFactory
    create_body = {"first_name": "Ann", "last_name": "Lee", "phone": "555-0301"}
    change_body = {"city": "Elko"}
    fields = "first_name last_name email phone address city state postal_code"
    fields_of = {
        "PUT /{customer}": f"{fields} current_password",
        "PATCH /{customer}": f"{fields} current_password",
    }
    read_only_fields = "customer_id created_at updated_at"
    limits = {"POST /": "CREATE_CUSTOMER"}

    def make_rows(self, customer: Customer, garage: Garage) -> Mapping[str, Any]:
        return {"customer": customer}


class VehicleContract(ResourceContract):
    """The vehicles of a customer and those of the shop are the same rows."""

    factory = VehicleFactory
    create_body = {"make": "Honda", "model": "Fit", "year": 2019}
    change_body = {"color": "red"}
    fields = "vin make model year color license_plate mileage"
    ignored_fields = "vin_check"
    read_only_fields = "vehicle_id customer_id created_at updated_at"

    def make_rows(self, customer: Customer, garage: Garage) -> Mapping[str, Any]:
        return {
            "customer": customer,
            "vehicle": VehicleFactory.create(customer=customer),
            "newcomer": CustomerFactory.create(walk_in=True),
        }

    def add_rows(self, garage: Garage) -> None:
        VehicleFactory.create(customer=garage.own_customer)


class TestCustomerVehicleContract(VehicleContract):
    """Below the customer's path: who may see the record may see the vehicles."""

    path = "/customers/{customer}/vehicles"
    access = """
    own other tech adv mgr staff open
    200 404   200  200 200 403   200  GET    /
    201 404   403  201 201 403   201  POST   /
    200 404   200  200 200 403   200  GET    /{vehicle}
    200 404   403  200 200 403   403  PUT    /{vehicle}
    200 404   403  200 200 403   403  PATCH  /{vehicle}
    204 404   403  403 204 403   403  DELETE /{vehicle}
    """
    nested = "vehicle"
    unpaginated = ("GET /",)
    queries = {"GET /": 3}


class TestVehicleContract(VehicleContract):
    """Across the shop; only the house gives a vehicle to another owner."""

    path = "/vehicles"
    access = """
    own other tech adv mgr staff open
    200 200   200  200 200 403   200  GET    /
    200 404   200  200 200 403   200  GET    /{vehicle}
    200 404   403  200 200 403   403  PATCH  /{vehicle}
    400 404   403  200 200 403   403  PATCH  /{vehicle}  new owner
    """
    bodies = {"new owner": {"customer_id": "{newcomer}"}}
    fields = f"{VehicleContract.fields} customer_id"
