"""Which models have values that somebody else may have taken."""

from __future__ import annotations

import pytest
from django.db.models import Model

from customers.models import Customer, Vehicle
from inventory.models import Part
from mechanic_shop.api.unique_errors import has_unique_values
from mechanics.models import Mechanic
from tickets.models import ServiceTicket


class TestUniqueValues:
    @pytest.mark.parametrize("model", [Customer, Vehicle, Part, Mechanic])
    def test_may_be_taken(self, model: type[Model]) -> None:
        assert has_unique_values(model)

    def test_are_no_matter_of_tickets(self) -> None:
        assert not has_unique_values(ServiceTicket)
