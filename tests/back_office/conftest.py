"""Whoever sits at the desk of the back office in these tests."""

from __future__ import annotations

import pytest
from django.test import Client

from mechanic_shop.accounts.models import User
from tests.support.back_office import browser_of, make_ticket, make_user
from tickets.models import ServiceTicket


@pytest.fixture
def boss() -> User:
    return make_user("boss", is_superuser=True)


@pytest.fixture
def desk(boss: User) -> Client:
    return browser_of(boss)


@pytest.fixture
def ticket(boss: User) -> ServiceTicket:
    return make_ticket(boss)
