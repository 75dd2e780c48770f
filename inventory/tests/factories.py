from __future__ import annotations

from typing import Any

import factory
from factory.django import DjangoModelFactory

from inventory.models import Part
from inventory.services import add_part
from mechanic_shop.accounts.tests.factories import UserFactory


class PartFactory(DjangoModelFactory[Part]):
    """A part whose stock came in by a movement, as it always does."""

    class Meta:
        model = Part

    part_number = factory.Sequence(lambda n: f"PART-{n}")
    name = factory.Sequence(lambda n: f"Part {n}")
    category = "Brakes"
    current_cost_cents = 4_500
    quantity_in_stock = 10

    @classmethod
    def create(cls, **kwargs: Any) -> Part:
        part: Part = super().create(**kwargs)
        return part

    @classmethod
    def _create(cls, model_class: type[Part], *args: Any, **kwargs: Any) -> Part:
        return add_part(by=UserFactory.create(is_staff=True), **kwargs)
