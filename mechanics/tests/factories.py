from __future__ import annotations

from typing import Any

import factory
from factory.django import DjangoModelFactory

from mechanics.models import Mechanic


class MechanicFactory(DjangoModelFactory[Mechanic]):
    class Meta:
        model = Mechanic

    full_name = factory.Sequence(lambda n: f"Mechanic {n}")
    email = factory.Sequence(lambda n: f"mechanic{n}@shop.example")
    phone = "555-0200"
    salary = 60_000

    @classmethod
    def create(cls, **kwargs: Any) -> Mechanic:
        mechanic: Mechanic = super().create(**kwargs)
        return mechanic
