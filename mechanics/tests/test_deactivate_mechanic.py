from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import UserFactory
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def mechanic() -> Mechanic:
    return MechanicFactory.create(user=UserFactory.create(is_staff=True))


class TestDeactivatedMechanic:
    def test_cannot_sign_in_any_more(
        self,
        shop: APIClient,
        client_of: Callable[[User], APIClient],
        mechanic: Mechanic,
    ) -> None:
        assert mechanic.user is not None
        theirs = client_of(mechanic.user)

        answer = shop.patch(f"/api/mechanics/{mechanic.pk}", {"is_active": False})

        assert (answer.status_code, answer.json()["is_active"]) == (200, False)
        assert theirs.get("/api/auth/me").status_code == 401

    def test_can_sign_in_again_after_coming_back(
        self, shop: APIClient, mechanic: Mechanic
    ) -> None:
        for is_active in (False, True):
            shop.patch(f"/api/mechanics/{mechanic.pk}", {"is_active": is_active})

        mechanic.refresh_from_db()
        assert mechanic.is_active
        assert mechanic.user is not None
        assert mechanic.user.is_active

    def test_does_not_take_the_owner_along(
        self, client_of: Callable[[User], APIClient], owner: User
    ) -> None:
        mechanic = MechanicFactory.create(user=owner)

        answer = client_of(owner).patch(
            f"/api/mechanics/{mechanic.pk}", {"is_active": False}
        )

        assert (answer.status_code, answer.json()["code"]) == (
            409,
            "login_out_of_reach",
        )
        mechanic.refresh_from_db()
        assert mechanic.is_active
