"""Fixtures for the whole suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache, caches
from django.core.mail import EmailMessage
from django.db import connection
from hypothesis import settings as hypothesis_settings
from rest_framework.test import APIClient

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.permission_loading import permission_names
from mechanic_shop.accounts.services import start_session
from mechanic_shop.accounts.tests.factories import UserFactory
from mechanic_shop.core import outbox
from tests.support.named_time_zones import reject_named_time_zones
from tests.support.secret_scanner import no_secrets_logged

# So that a broken contract shows what was compared.
pytest.register_assert_rewrite("mechanic_shop.testing")

# How long an example takes says something of the machine, and nothing of the code.
hypothesis_settings.register_profile("shop", deadline=None)
hypothesis_settings.load_profile("shop")


@pytest.fixture(autouse=True)
def _no_secret_in_a_log() -> Iterator[None]:
    with no_secrets_logged():
        yield


@pytest.fixture(autouse=True)
def _no_time_zone_tables() -> Iterator[None]:
    """Behave like a server without time zone tables, whatever it has loaded."""
    with connection.execute_wrapper(reject_named_time_zones):
        yield


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    caches["process"].clear()
    # Not clear(): on Redis that would empty what everybody else stored.
    if hasattr(cache, "delete_pattern"):
        cache.delete_pattern("*")
    else:
        cache.clear()


@pytest.fixture(autouse=True)
def _known_permissions(request: pytest.FixtureRequest) -> None:
    """Read what a process reads once, so that no test alone pays a query for it."""
    if request.node.get_closest_marker("django_db"):
        permission_names(Permission.objects.values_list("pk", flat=True))


@pytest.fixture
def run_queue(db: None) -> Callable[[], int]:
    """Do what is due, as a worker does; tell how many tasks that were."""

    def run() -> int:
        done = 0
        for queue in outbox.QUEUES:
            while outbox.run_next(queue):
                done += 1
        return done

    return run


@pytest.fixture
def sent_mails(
    run_queue: Callable[[], int], mailoutbox: list[EmailMessage]
) -> Callable[[], list[EmailMessage]]:
    """Send what is due, as a worker does; give all mails of the test."""

    def send() -> list[EmailMessage]:
        run_queue()
        return mailoutbox

    return send


@pytest.fixture
def client_of() -> Callable[[User], APIClient]:
    """Give an API client that is signed in the way clients are: with a token."""

    def sign_in(user: User) -> APIClient:
        client = APIClient()
        token = start_session(user=user).access_token
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return client

    return sign_in


@pytest.fixture
def owner(db: None) -> User:
    """The owner of the shop: a superuser."""
    return UserFactory.create(superuser=True)


@pytest.fixture
def shop(owner: User, client_of: Callable[[User], APIClient]) -> APIClient:
    """A client of the shop's owner."""
    return client_of(owner)


@pytest.fixture
def anonymous() -> APIClient:
    return APIClient()
