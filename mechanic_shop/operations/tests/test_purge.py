"""``purge`` removes what means nothing any more, and nothing else, to the minute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session as CookieSession
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from mechanic_shop.accounts.models import Session, User
from mechanic_shop.accounts.services import (
    SessionEnded,
    end_session,
    rotate_session,
    start_session,
)
from mechanic_shop.accounts.tests.factories import UserFactory
from mechanic_shop.api.models import KnownAddress, RateCounter
from mechanic_shop.api.throttling import hit
from mechanic_shop.core.models import IdempotencyKey, QueuedTask
from mechanic_shop.operations import purging
from tests.support.captured_logs import captured_logs

pytestmark = pytest.mark.django_db

NOON = datetime(2030, 1, 1, 12, 0, 20, tzinfo=UTC)
MINUTE, HOUR, DAY = (timedelta(minutes=1), timedelta(hours=1), timedelta(days=1))
RATES = {"LOGIN": (5, 60), "REGISTER": (3, 3600), "CREATE_PART": None}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def purge(*options: str) -> str:
    output = StringIO()
    call_command("purge", *options, stdout=output)
    return output.getvalue()


def new_key(**fields: Any) -> IdempotencyKey:
    number = IdempotencyKey.objects.count()
    user = User.objects.first() or UserFactory.create()
    return IdempotencyKey.objects.create(user=user, digest=str(number), **fields)


class TestPurgeOfSessions:
    def test_keeps_one_whose_refresh_token_works_to_the_last_minute(
        self, clock: time_machine.Traveller
    ) -> None:
        tokens = start_session(user=UserFactory.create())

        clock.shift(7 * DAY - timedelta(seconds=1))
        purge()
        rotate_session(refresh_token=tokens.refresh_token)
        clock.shift(7 * DAY - timedelta(seconds=1))
        purge()

        assert Session.objects.count() == 1

    def test_removes_one_whose_tokens_have_expired(
        self, clock: time_machine.Traveller
    ) -> None:
        tokens = start_session(user=UserFactory.create())
        clock.shift(DAY)
        rotate_session(refresh_token=tokens.refresh_token)

        clock.shift(7 * DAY + 2 * MINUTE)

        assert "Removed 1 ended API sessions." in purge()
        assert not Session.objects.exists()

    def test_keeps_one_as_long_as_its_access_token_if_that_lives_longer(
        self, clock: time_machine.Traveller, settings: LazySettings
    ) -> None:
        settings.SIMPLE_JWT = {
            **settings.SIMPLE_JWT,
            "REFRESH_TOKEN_LIFETIME": HOUR,
            "ACCESS_TOKEN_LIFETIME": 2 * HOUR,
        }
        start_session(user=UserFactory.create())

        clock.shift(2 * HOUR)
        purge()

        assert Session.objects.count() == 1

    def test_removes_one_that_was_ended(self) -> None:
        tokens = start_session(user=UserFactory.create())
        end_session(session=Session.objects.get())

        assert "Removed 1 ended API sessions." in purge()
        with pytest.raises(SessionEnded):
            rotate_session(refresh_token=tokens.refresh_token)

    def test_leaves_the_reuse_of_a_refresh_token_detectable(self) -> None:
        stolen = start_session(user=UserFactory.create())
        rotate_session(refresh_token=stolen.refresh_token)
        purge()

        with captured_logs("security") as lines, pytest.raises(SessionEnded):
            rotate_session(refresh_token=stolen.refresh_token)

        assert [line["message"] for line in lines] == ["refresh_token_reused"]
        assert not Session.objects.still_alive().exists()

    def test_removes_cookie_sessions_that_have_expired(self) -> None:
        for age in (-60, 60):
            store = SessionStore()
            store.set_expiry(NOON + timedelta(seconds=age))
            store.create()

        assert "Removed 1 expired back-office sessions." in purge()
        assert CookieSession.objects.get().expire_date > NOON


class TestPurgeOfKeys:
    def test_keeps_an_answer_for_a_day(self) -> None:
        new_key(answered_at=NOON - DAY + MINUTE, created_at=NOON - 9 * DAY)
        new_key(answered_at=NOON - DAY, created_at=NOON - 9 * DAY)

        assert "Removed 1 old idempotency keys." in purge()
        assert IdempotencyKey.objects.get().answered_at == NOON - DAY + MINUTE

    def test_keeps_one_that_may_be_worked_on(self) -> None:
        new_key(created_at=NOON - DAY + MINUTE)
        new_key(created_at=NOON - DAY)

        assert "Removed 1 old idempotency keys." in purge()
        assert IdempotencyKey.objects.get().created_at == NOON - DAY + MINUTE

    def test_lets_a_late_retry_replay_until_then(
        self,
        clock: time_machine.Traveller,
        owner: User,
        client_of: Callable[[User], APIClient],
    ) -> None:
        part = {"name": "Filter", "current_cost_cents": 950}
        key = {"Idempotency-Key": "once"}
        first = client_of(owner).post("/api/inventory", part, headers=key)

        clock.shift(DAY - MINUTE)
        purge()
        second = client_of(owner).post("/api/inventory", part, headers=key)

        assert second["Idempotency-Replayed"] == "true"
        assert second.json() == first.json()


class TestPurgeOfCounters:
    @pytest.fixture(autouse=True)
    def rates(self, settings: LazySettings) -> None:
        settings.THROTTLES = {**dict.fromkeys(settings.THROTTLES), **RATES}

    def test_keeps_those_of_running_windows(
        self, clock: time_machine.Traveller
    ) -> None:
        for rule in ("LOGIN", "REGISTER"):
            for _ in range(3):
                hit(rule, "192.0.2.1")

        clock.shift(39.0)  # a minute of the clock has a second left
        purge()

        login, register = hit("LOGIN", "192.0.2.1"), hit("REGISTER", "192.0.2.1")
        assert login
        assert (login.allowed, login.remaining) == (True, 1)
        assert register
        assert not register.allowed

    def test_removes_those_of_windows_that_are_over_and_of_rules_that_are_off(
        self, clock: time_machine.Traveller
    ) -> None:
        hit("LOGIN", "192.0.2.1")
        hit("REGISTER", "192.0.2.1")
        RateCounter.objects.create(key="CREATE_PART:user:1", window=1, count=1)
        RateCounter.objects.create(key="LOGIN:other rate", window=2**40, count=1)

        clock.shift(2 * MINUTE)

        assert "Removed 3 idle rate counters." in purge()
        assert RateCounter.objects.get().key == "REGISTER:192.0.2.1"

    def test_leaves_a_window_to_servers_whose_clocks_differ(self) -> None:
        window = int(NOON.timestamp() // 60)
        for near in (window - 2, window - 1, window, window + 1, window + 2):
            RateCounter.objects.create(key=f"LOGIN:{near}", window=near, count=1)

        assert "Removed 2 idle rate counters." in purge()

    def test_keeps_an_account_that_is_under_attack_locked(
        self, clock: time_machine.Traveller, anonymous: Any
    ) -> None:
        body = {"email": UserFactory.create().email, "password": "x"}
        for _ in range(11):
            clock.shift(30.0)
            anonymous.post("/api/auth/login", body)

        purge()

        assert anonymous.post("/api/auth/login", body).status_code == 429


class TestPurgeOfAddresses:
    def test_keeps_them_as_long_as_they_are_known(self) -> None:
        for days in (89, 90):
            KnownAddress.objects.create(digest=str(days), seen_at=NOON - days * DAY)

        assert "Removed 1 addresses not seen for long." in purge()
        assert KnownAddress.objects.get().digest == "89"


class TestPurgeOfTasks:
    @pytest.mark.parametrize(
        ("state", "days"), [("done", 30), ("not_needed", 30), ("failed", 90)]
    )
    def test_keeps_them_as_long_as_somebody_may_ask(
        self, state: str, days: int
    ) -> None:
        for age in (days * DAY, days * DAY + MINUTE):
            QueuedTask.objects.create(state=state, finished_at=NOON - age)

        assert "Removed 1 finished tasks." in purge()
        assert QueuedTask.objects.get().finished_at == NOON - days * DAY

    def test_keeps_what_still_waits(self) -> None:
        QueuedTask.objects.create(created_at=NOON - 400 * DAY, due_at=NOON - 400 * DAY)

        assert "Removed 0 finished tasks." in purge()


class TestPurge:
    def test_only_counts_when_it_is_to(self) -> None:
        new_key(created_at=NOON - 2 * DAY)

        assert "Would remove 1 old idempotency keys." in purge("--dry-run")
        assert IdempotencyKey.objects.count() == 1

    def test_removes_so_many_at_a_time_until_none_is_left(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(purging, "BATCH_ROWS", 3)
        for _ in range(7):
            new_key(created_at=NOON - 2 * DAY)

        with CaptureQueriesContext(connection) as queries:
            said = purge()

        deletes = [q["sql"] for q in queries if "api_idempotencykey" in q["sql"]]
        deletes = [sql for sql in deletes if sql.startswith("DELETE")]
        assert "Removed 7 old idempotency keys." in said
        # The last one finds nothing, and each asks again whether the row is old.
        assert len(deletes) == 3
        assert all("answered_at" in sql for sql in deletes)

    def test_takes_a_whole_batch(self) -> None:
        keys = [
            RateCounter(key=f"LOGIN:{n}", window=1, count=1)
            for n in range(purging.BATCH_ROWS + 1)
        ]
        RateCounter.objects.bulk_create(keys)

        assert f"Removed {len(keys)} idle rate counters." in purge()

    def test_has_something_to_say_of_every_kind_and_can_be_run_again(self) -> None:
        assert purge().count("Removed 0 ") == len(purging.get_kinds())
        assert purge().count("Removed 0 ") == len(purging.get_kinds())
