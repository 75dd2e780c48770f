from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from mechanic_shop.accounts.models import User
from mechanics.tests.factories import MechanicFactory
from tickets.models import ServiceTicket
from tickets.services import assign_mechanic
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(db: None) -> ServiceTicket:
    return TicketFactory.create()


def edit(
    shop: APIClient, ticket: ServiceTicket, **body: object
) -> tuple[int, dict[str, Any]]:
    answer = shop.put(f"/api/service-tickets/{ticket.pk}/edit", body)
    return answer.status_code, answer.json()


def on(ticket: ServiceTicket) -> set[int]:
    return set(ticket.ticket_mechanics.values_list("mechanic_id", flat=True))


class TestEditMechanics:
    def test_adds_some_and_removes_others(
        self, shop: APIClient, ticket: ServiceTicket, owner: User
    ) -> None:
        leaving, coming = MechanicFactory.create(), MechanicFactory.create()
        assign_mechanic(ticket=ticket, mechanic=leaving, by=owner)

        status_code, answer = edit(
            shop, ticket, add_ids=[coming.pk], remove_ids=[leaving.pk], role="Lead"
        )

        assert status_code == 200
        assert answer["added_mechanics"] == [coming.pk]
        assert answer["removed_mechanics"] == [leaving.pk]
        assert answer["unchanged"] == []
        assert answer["ticket"]["ticket_mechanics"][0]["role"] == "Lead"
        assert on(ticket) == {coming.pk}

    def test_lists_what_was_so_already(
        self, shop: APIClient, ticket: ServiceTicket, owner: User
    ) -> None:
        present, absent = MechanicFactory.create(), MechanicFactory.create()
        assign_mechanic(ticket=ticket, mechanic=present, by=owner, role="Lead")

        status_code, answer = edit(
            shop, ticket, add_ids=[present.pk, present.pk], remove_ids=[absent.pk]
        )

        assert status_code == 200
        assert answer["added_mechanics"] == answer["removed_mechanics"] == []
        assert answer["unchanged"] == sorted([present.pk, absent.pk])
        assert ticket.ticket_mechanics.get().role == "Lead"

    def test_takes_somebody_off_who_left_the_shop(
        self, shop: APIClient, ticket: ServiceTicket, owner: User
    ) -> None:
        mechanic = MechanicFactory.create()
        assign_mechanic(ticket=ticket, mechanic=mechanic, by=owner)
        mechanic.is_active = False
        mechanic.save()

        status_code, _ = edit(shop, ticket, remove_ids=[mechanic.pk])

        assert status_code == 200
        assert on(ticket) == set()

    @pytest.mark.parametrize("wrong", ["unknown", "inactive", "in both"])
    def test_changes_nothing_when_one_id_is_wrong(
        self, shop: APIClient, ticket: ServiceTicket, owner: User, wrong: str
    ) -> None:
        leaving, good = MechanicFactory.create(), MechanicFactory.create()
        bad = MechanicFactory.create(is_active=wrong != "inactive")
        assign_mechanic(ticket=ticket, mechanic=leaving, by=owner)
        bad_id = bad.pk + 1 if wrong == "unknown" else bad.pk
        remove_ids = [leaving.pk, *([bad.pk] if wrong == "in both" else [])]

        status_code, answer = edit(
            shop, ticket, add_ids=[good.pk, bad_id], remove_ids=remove_ids
        )

        assert status_code == 400
        assert str(bad_id) in answer["fields"]["add_ids"][0]
        assert on(ticket) == {leaving.pk}
        assert ticket.events.count() == 1

    @pytest.mark.parametrize(
        "ids", ["1", [1.5], [True], ["x"], [0], [10**30], None, {}]
    )
    def test_wants_lists_of_ids(
        self, shop: APIClient, ticket: ServiceTicket, ids: object
    ) -> None:
        status_code, answer = edit(shop, ticket, add_ids=ids)

        assert status_code == 400
        assert list(answer["fields"]) == ["add_ids"]

    def test_may_ask_for_nothing(self, shop: APIClient, ticket: ServiceTicket) -> None:
        status_code, answer = edit(shop, ticket)

        assert status_code == 200
        assert answer["unchanged"] == []
