from __future__ import annotations

from typing import Any

import factory
from factory.django import DjangoModelFactory

from customers.models import Customer, Vehicle
from mechanic_shop.accounts.tests.factories import UserFactory


class CustomerFactory(DjangoModelFactory[Customer]):
    """A customer with a login; ``walk_in=True`` makes one without."""

    class Meta:
        model = Customer

    class Params:
        walk_in = factory.Trait(user=None)

    first_name = "Casey"
    last_name = factory.Sequence(lambda n: f"Customer{n}")
    email = factory.Sequence(lambda n: f"customer{n}@example.com")
    phone = "555-0100"
    user = factory.SubFactory(UserFactory, email=factory.SelfAttribute("..email"))

    @classmethod
    def create(cls, **kwargs: Any) -> Customer:
        customer: Customer = super().create(**kwargs)
        return customer


class VehicleFactory(DjangoModelFactory[Vehicle]):
    class Meta:
        model = Vehicle

    customer = factory.SubFactory(CustomerFactory)
    make = "Honda"
    model = "Accord"
    year = 2020

    @classmethod
    def create(cls, **kwargs: Any) -> Vehicle:
        vehicle: Vehicle = super().create(**kwargs)
        return vehicle
