from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from rest_framework.test import APIClient

from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import MANAGER, SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.accounts.tests.factories import UserFactory, user_in
from mechanics.tests.factories import MechanicFactory
from tickets.services import assign_mechanic
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

ClientOf = Callable[[User], APIClient]


class Verb(NamedTuple):
    method: str
    path: str
    body: dict[str, object]
    technician: int
    advisor: int
    manager: int


#: What each role gets for a verb on an open ticket that is not theirs.
VERBS = [
    Verb("get", "", {}, 200, 200, 200),
    Verb("get", "/events", {}, 200, 200, 200),
    Verb("patch", "", {"priority": 1}, 403, 200, 200),
    Verb("patch", "", {"status": "in_progress"}, 200, 200, 200),
    Verb("patch", "", {"status": "cancelled"}, 403, 200, 200),
    Verb("put", "", {"status": "open", "priority": 3}, 200, 200, 200),
    Verb("put", "/assign-mechanic/{mechanic}", {}, 403, 200, 200),
    Verb("put", "/edit", {}, 403, 200, 200),
    Verb("put", "/remove-mechanic/{assigned}", {}, 403, 200, 200),
    Verb("patch", "/mechanics/{assigned}", {"minutes_worked": 5}, 403, 200, 200),
    Verb("post", "/parts/{part}", {"quantity_used": 1}, 201, 201, 201),
    Verb("post", "/parts", {"inventory_id": "{part}"}, 201, 201, 201),
    Verb("post", "/add-part/{part}", {}, 201, 201, 201),
    Verb("delete", "/parts/{part}", {}, 404, 404, 404),
    Verb("post", "/notes", {"text": "Hm."}, 201, 201, 201),
    Verb("delete", "", {}, 403, 403, 204),
]


@pytest.fixture
def ids(owner: User) -> dict[str, int]:
    """The ids of an open ticket, of what is on it, and of what is not."""
    ticket, assigned = TicketFactory.create(), MechanicFactory.create()
    assign_mechanic(ticket=ticket, mechanic=assigned, by=owner)
    return {
        "ticket": ticket.pk,
        "assigned": assigned.pk,
        "mechanic": MechanicFactory.create().pk,
        "part": PartFactory.create().pk,
    }


def call(client: APIClient, verb: Verb, ids: dict[str, int]) -> int:
    path = f"/api/service-tickets/{ids['ticket']}{verb.path}".format(**ids)
    body = {
        name: value.format(**ids) if isinstance(value, str) else value
        for name, value in verb.body.items()
    }
    status_code: int = getattr(client, verb.method)(path, body or None).status_code
    return status_code


class TestRoles:
    @pytest.mark.parametrize("verb", VERBS, ids=lambda verb: " ".join(verb[:2]))
    @pytest.mark.parametrize(
        ("group", "role"),
        [(TECHNICIAN, 3), (SERVICE_ADVISOR, 4), (MANAGER, 5)],
    )
    def test_may_do_what_their_group_may(
        self,
        client_of: ClientOf,
        ids: dict[str, int],
        verb: Verb,
        group: str,
        role: int,
    ) -> None:
        assert call(client_of(user_in(group)), verb, ids) == verb[role]

    @pytest.mark.parametrize("verb", VERBS, ids=lambda verb: " ".join(verb[:2]))
    def test_are_asked_for_a_token(
        self, anonymous: APIClient, ids: dict[str, int], verb: Verb
    ) -> None:
        assert call(anonymous, verb, ids) == 401

    @pytest.mark.parametrize("verb", VERBS, ids=lambda verb: " ".join(verb[:2]))
    def test_have_no_rights_without_a_group(
        self, client_of: ClientOf, ids: dict[str, int], verb: Verb
    ) -> None:
        assert call(client_of(UserFactory.create(is_staff=True)), verb, ids) == 403

    @pytest.mark.parametrize("verb", VERBS, ids=lambda verb: " ".join(verb[:2]))
    def test_leave_customers_nothing_but_to_look_at_their_own(
        self, client_of: ClientOf, ids: dict[str, int], verb: Verb
    ) -> None:
        stranger = client_of(UserFactory.create())

        expected = 404 if verb.method == "get" else 403
        assert call(stranger, verb, ids) == expected


class TestOwnMinutes:
    def test_are_logged_by_the_technician(self, client_of: ClientOf) -> None:
        technician = user_in(TECHNICIAN)
        ticket = TicketFactory.create()
        mechanic = MechanicFactory.create(user=technician)
        assign_mechanic(ticket=ticket, mechanic=mechanic, by=technician)
        url = f"/api/service-tickets/{ticket.pk}/mechanics/{mechanic.pk}"

        minutes = client_of(technician).patch(url, {"minutes_worked": 30})
        role = client_of(technician).patch(url, {"role": "Lead"})

        assert (minutes.status_code, role.status_code) == (200, 403)
        assert ticket.ticket_mechanics.get().minutes_worked == 30


class TestReopening:
    @pytest.mark.parametrize(
        ("group", "status_code"),
        [(TECHNICIAN, 403), (SERVICE_ADVISOR, 200), (MANAGER, 200)],
    )
    def test_is_not_for_technicians(
        self, client_of: ClientOf, group: str, status_code: int
    ) -> None:
        ticket = TicketFactory.create(closed=True)

        answer = client_of(user_in(group)).patch(
            f"/api/service-tickets/{ticket.pk}", {"status": "in_progress"}
        )

        assert answer.status_code == status_code
