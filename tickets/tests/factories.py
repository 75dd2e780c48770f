from __future__ import annotations

from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from customers.tests.factories import VehicleFactory
from tickets.models import ServiceTicket


class TicketFactory(DjangoModelFactory[ServiceTicket]):
    """An open ticket of a vehicle and its owner; ``closed=True`` completes it."""

    class Meta:
        model = ServiceTicket

    class Params:
        closed = factory.Trait(
            status=ServiceTicket.Status.COMPLETED,
            closed_at=factory.LazyFunction(timezone.now),
        )

    vehicle = factory.SubFactory(VehicleFactory)
    customer = factory.SelfAttribute("vehicle.customer")
    vehicle_year = factory.SelfAttribute("vehicle.year")
    vehicle_make = factory.SelfAttribute("vehicle.make")
    vehicle_model = factory.SelfAttribute("vehicle.model")
    vehicle_license_plate = factory.SelfAttribute("vehicle.license_plate")
    vehicle_vin = factory.SelfAttribute("vehicle.vin")
    problem_description = "It rattles."
    odometer_miles = 45_000

    @classmethod
    def create(cls, **kwargs: Any) -> ServiceTicket:
        ticket: ServiceTicket = super().create(**kwargs)
        return ticket
