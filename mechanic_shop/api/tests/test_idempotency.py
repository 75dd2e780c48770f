"""A request with an ``Idempotency-Key`` can be sent again and takes effect once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from copy import copy
from datetime import UTC, datetime
from threading import Event
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.conf import LazySettings
from django.db import connection, connections
from rest_framework.test import APIClient

from customers.models import Customer
from customers.tests.factories import VehicleFactory
from inventory.models import Part, StockMovement
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import PASSWORD, UserFactory
from mechanic_shop.core.models import IdempotencyKey
from tickets import services
from tickets.models import TicketEvent
from tickets.tests.factories import TicketFactory

NOON = datetime(2030, 1, 1, 12, 0, 20, tzinfo=UTC)
PART = {"name": "Filter", "current_cost_cents": 950}
SECONDS = 30

ClientOf = Callable[[User], APIClient]
Limit = Callable[..., None]
Write = tuple[str, str, dict[str, Any]]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def limit(settings: LazySettings) -> Limit:
    """Switch on the named rules and no other, e.g. ``limit(CREATE_PART=(5, 60))``."""

    def switch_on(**rates: tuple[int, int]) -> None:
        settings.THROTTLES = {**dict.fromkeys(settings.THROTTLES), **rates}

    return switch_on


def send(
    client: APIClient,
    key: str,
    path: str = "/api/inventory",
    body: Any = None,
    method: str = "post",
    **extra: Any,
) -> Any:
    """Send a request with a key; without a body it creates a part."""
    body = PART if body is None else body
    return getattr(client, method)(path, body, HTTP_IDEMPOTENCY_KEY=key, **extra)


def is_replay(answer: Any) -> bool:
    return bool(answer.headers.get("Idempotency-Replayed") == "true")


def on_ticket(path: str) -> str:
    return f"/api/service-tickets/{TicketFactory.create().pk}/{path}"


def create_ticket() -> Write:
    vehicle = VehicleFactory.create()
    body = {
        "vehicle_id": vehicle.pk,
        "problem_description": "It rattles.",
        "odometer_miles": 10,
    }
    return "post", "/api/service-tickets", body


@pytest.mark.django_db
class TestIdempotencyKey:
    def test_key_replays_the_response_despite_changes(self, shop: APIClient) -> None:
        first = send(shop, "k")
        Part.objects.update(name="Renamed")

        again = send(shop, "k")

        assert (again.status_code, again.json()["name"]) == (201, "Filter")
        assert again["ETag"] == first["ETag"]
        assert again["Content-Type"] == "application/json"

    def test_requests_without_key_take_effect_each_time(self, shop: APIClient) -> None:
        answers = [shop.post("/api/inventory", PART) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [201, 201]
        assert Part.objects.count() == 2
        assert not any("Idempotency-Replayed" in answer for answer in answers)
        assert not IdempotencyKey.objects.exists()

    def test_key_with_another_body_is_a_422(self, shop: APIClient) -> None:
        send(shop, "k")

        answer = send(shop, "k", body={**PART, "name": "Other"})

        assert answer.status_code == 422
        assert answer.json()["code"] == "idempotency_key_reused"
        assert answer.json()["error"].startswith("422 ")
        assert Part.objects.get().name == "Filter"

    def test_key_with_another_path_is_a_422(self, shop: APIClient) -> None:
        tickets = TicketFactory.create_batch(2)
        paths = [f"/api/service-tickets/{ticket.pk}/notes" for ticket in tickets]

        statuses = [send(shop, "k", path, {"text": "x"}).status_code for path in paths]

        assert statuses == [201, 422]
        assert not tickets[1].events.exists()

    def test_key_with_another_method_is_a_422(self, shop: APIClient) -> None:
        ticket, part = TicketFactory.create(), PartFactory.create()
        path = f"/api/service-tickets/{ticket.pk}/parts/{part.pk}"

        installed = send(shop, "k", path, {"quantity_used": 1})
        changed = send(shop, "k", path, {"quantity_used": 1}, "patch")

        assert (installed.status_code, changed.status_code) == (201, 422)

    def test_replay_ignores_the_order_of_fields(self, shop: APIClient) -> None:
        send(shop, "k")

        again = send(shop, "k", body=dict(reversed(PART.items())))

        assert is_replay(again)

    @pytest.mark.parametrize(
        "spelling",
        ["/api/service_tickets", "/api/service_tickets/", "/api/service-tickets/"],
    )
    def test_replay_knows_a_path_in_any_spelling(
        self, shop: APIClient, spelling: str
    ) -> None:
        _, path, body = create_ticket()
        send(shop, "k", path, body)

        assert is_replay(send(shop, "k", spelling, body))

    def test_key_works_for_multipart_forms(self, shop: APIClient) -> None:
        answers = [send(shop, "k", format="multipart") for _ in range(2)]
        other = send(shop, "k", body={**PART, "name": "Other"}, format="multipart")

        assert [answer.status_code for answer in (*answers, other)] == [201, 201, 422]
        assert [is_replay(answer) for answer in answers] == [False, True]
        assert Part.objects.count() == 1

    def test_key_works_for_urlencoded_forms(self, shop: APIClient) -> None:
        form = {"content_type": "application/x-www-form-urlencoded"}

        answers = [send(shop, "k", body=urlencode(PART), **form) for _ in range(2)]
        other = send(shop, "k", body=urlencode({**PART, "name": "Other"}), **form)

        assert [answer.status_code for answer in (*answers, other)] == [201, 201, 422]
        assert [is_replay(answer) for answer in answers] == [False, True]

    def test_key_belongs_to_one_user(self, client_of: ClientOf) -> None:
        users = UserFactory.create_batch(2, superuser=True)

        answers = [send(client_of(user), "k") for user in users]

        assert not any(is_replay(answer) for answer in answers)
        assert Part.objects.count() == 2

    @pytest.mark.parametrize("other", ["KEY", "key ", " key", "kéy", "key\xa0"])
    def test_keys_are_compared_exactly(self, shop: APIClient, other: str) -> None:
        send(shop, "key")

        assert not is_replay(send(shop, other))
        assert is_replay(send(shop, other))
        assert Part.objects.count() == 2

    @pytest.mark.parametrize("key", ["", "x" * 256])
    def test_key_of_wrong_length_is_a_400(self, shop: APIClient, key: str) -> None:
        answer = send(shop, key)

        assert answer.status_code == 400
        assert "Idempotency-Key" in answer.json()["fields"]
        assert not Part.objects.exists()
        assert not IdempotencyKey.objects.exists()

    def test_key_may_have_255_characters(self, shop: APIClient) -> None:
        assert not is_replay(send(shop, "x" * 255))
        assert is_replay(send(shop, "x" * 255))

    def test_response_is_replayed_for_a_day(
        self, client_of: ClientOf, owner: User, clock: time_machine.Traveller
    ) -> None:
        send(client_of(owner), "k")

        clock.shift(86_399)
        kept = send(client_of(owner), "k")
        clock.shift(1)
        forgotten = send(client_of(owner), "k", body={**PART, "name": "Other"})
        again = send(client_of(owner), "k", body={**PART, "name": "Other"})

        assert [is_replay(a) for a in (kept, forgotten, again)] == [True, False, True]
        assert forgotten.status_code == 201
        assert again.content == forgotten.content

    def test_put_and_delete_ignore_the_key(self, shop: APIClient) -> None:
        part = PartFactory.create()
        path = f"/api/inventory/{part.pk}"

        answers = [send(shop, "k", path, {"name": name}, "put") for name in "ab"]
        gone = [send(shop, "k", path, {}, "delete").status_code for _ in range(2)]

        assert [answer.json()["name"] for answer in answers] == ["a", "b"]
        assert gone == [204, 404]

    def test_key_and_effect_are_committed_together(
        self, shop: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(self: IdempotencyKey, *args: Any, **kwargs: Any) -> None:
            raise RuntimeError("disk full")

        with monkeypatch.context() as patch:
            patch.setattr("mechanic_shop.api.atomic_writes.store_response", full)
            failed = send(shop, "k")
        assert not Part.objects.exists()
        assert not StockMovement.objects.exists()

        again = send(shop, "k")

        assert (failed.status_code, again.status_code) == (500, 201)
        assert not is_replay(again)


@pytest.mark.django_db
class TestRejectedRequest:
    """It leaves nothing behind that binds its key."""

    @pytest.mark.parametrize(
        ("status", "method", "path", "body"),
        [
            (400, "post", "/api/inventory", {"name": ""}),
            (404, "patch", "/api/inventory/0", {"name": "x"}),
            (409, "patch", "/api/inventory/{part}/adjust-quantity", {"adjustment": -9}),
            (415, "post", "/api/inventory", None),
        ],
    )
    def test_rejected_request_frees_the_key(
        self, shop: APIClient, status: int, method: str, path: str, body: Any
    ) -> None:
        part = PartFactory.create(quantity_in_stock=1)
        path = path.format(part=part.pk)
        extra = {"content_type": "text/csv"} if body is None else {}

        refused = send(
            shop, "k", path, "a;b" if body is None else body, method, **extra
        )
        other = send(shop, "k")

        assert (refused.status_code, other.status_code) == (status, 201)
        assert not is_replay(other)
        assert is_replay(send(shop, "k"))

    def test_forbidden_request_frees_the_key(
        self, owner: User, client_of: ClientOf
    ) -> None:
        user = UserFactory.create()
        refused = send(client_of(user), "k")

        user.is_staff = user.is_superuser = True
        user.save()
        allowed = send(client_of(user), "k")

        assert (refused.status_code, allowed.status_code) == (403, 201)
        assert not is_replay(allowed)

    def test_failed_if_match_frees_the_key(self, shop: APIClient) -> None:
        path = f"/api/inventory/{PartFactory.create().pk}"
        stale = send(shop, "k", path, {"name": "x"}, "patch", HTTP_IF_MATCH='"old"')

        fresh = send(shop, "k", path, {"name": "x"}, "patch")

        assert (stale.status_code, fresh.status_code) == (412, 200)
        assert not is_replay(fresh)

    def test_rejected_request_may_succeed_later(self, shop: APIClient) -> None:
        part = PartFactory.create(quantity_in_stock=1)
        path = f"/api/service-tickets/{TicketFactory.create().pk}/parts/{part.pk}"
        refused = send(shop, "k", path, {"quantity_used": 2})
        shop.patch(f"/api/inventory/{part.pk}/adjust-quantity", {"adjustment": 1})

        again = send(shop, "k", path, {"quantity_used": 2})

        assert (refused.status_code, again.status_code) == (409, 201)
        assert again.json()["remaining_stock"] == 0

    def test_rejection_keeps_the_stored_response(self, shop: APIClient) -> None:
        send(shop, "k")
        reused = send(shop, "k", body={"name": ""})

        assert reused.status_code == 422
        assert is_replay(send(shop, "k"))


@pytest.mark.django_db
class TestAuthPaths:
    """The doors ignore keys: a kept answer would hold tokens."""

    @pytest.mark.parametrize("path", ["/api/auth/login", "/api/customers/login"])
    def test_auth_paths_ignore_keys(self, anonymous: APIClient, path: str) -> None:
        user = UserFactory.create()
        bodies = [
            {"email": user.email, "password": password}
            for password in (PASSWORD, "wrong", PASSWORD)
        ]

        answers = [send(anonymous, "k", path, body) for body in bodies]

        assert [answer.status_code for answer in answers] == [200, 401, 200]
        assert user.sessions.count() == 2
        assert not IdempotencyKey.objects.exists()

    def test_auth_paths_ignore_invalid_keys(self, anonymous: APIClient) -> None:
        answer = send(anonymous, "x" * 256, "/api/auth/login", {})

        assert answer.status_code == 400
        assert set(answer.json()["fields"]) == {"email", "password"}

    def test_auth_paths_ignore_keys_over_the_limit(
        self, anonymous: APIClient, limit: Limit
    ) -> None:
        limit(LOGIN=(1, 10**9))

        statuses = [
            send(anonymous, "k", "/api/auth/login", {}).status_code for _ in range(2)
        ]

        assert statuses == [400, 429]

    def test_registration_with_a_key_is_not_replayed(
        self, anonymous: APIClient
    ) -> None:
        body = {
            "first_name": "Ada",
            "last_name": "King",
            "phone": "1",
            "email": "ada@example.com",
            "password": PASSWORD,
        }

        statuses = [
            send(anonymous, "k", "/api/auth/register", body).status_code
            for _ in range(2)
        ]

        assert statuses == [201, 400]
        assert Customer.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("clock")
class TestReplay:
    def test_replay_does_not_count_for_the_limit(
        self, shop: APIClient, limit: Limit
    ) -> None:
        limit(CREATE_PART=(2, 60))
        send(shop, "one")

        replays = [send(shop, "one") for _ in range(5)]
        second, third = send(shop, "two"), send(shop, "three")

        assert all(is_replay(replay) for replay in replays)
        assert second.status_code == 201
        assert second["RateLimit-Remaining"] == "0"
        assert third.status_code == 429

    def test_replay_works_over_the_limit(self, shop: APIClient, limit: Limit) -> None:
        limit(CREATE_PART=(1, 60))
        send(shop, "one")

        replays = [send(shop, "one") for _ in range(2)]

        assert all(is_replay(replay) for replay in replays)
        assert Part.objects.count() == 1
        assert send(shop, "two").status_code == 429

    def test_replay_refunds_only_its_own_request(
        self, shop: APIClient, limit: Limit
    ) -> None:
        limit(CREATE_PART=(2, 60))
        send(shop, "one")
        send(shop, "two")

        for _ in range(3):
            send(shop, "one")

        assert send(shop, "three").status_code == 429
        assert shop.post("/api/inventory", PART).status_code == 429

    def test_new_key_over_the_limit_is_a_429(
        self, shop: APIClient, limit: Limit
    ) -> None:
        limit(CREATE_PART=(1, 60))
        send(shop, "one")

        refused = send(shop, "two")

        assert refused.status_code == 429
        assert refused.json()["code"] == "throttled"
        assert refused["Retry-After"] == "40"
        assert refused["RateLimit-Remaining"] == "0"
        assert IdempotencyKey.objects.count() == 1

    def test_unanswered_key_over_the_limit_is_a_429(
        self, shop: APIClient, limit: Limit
    ) -> None:
        limit(CREATE_PART=(1, 60))
        send(shop, "one", body={})

        refused = send(shop, "one")

        assert refused.status_code == 429
        assert not Part.objects.exists()

    def test_key_is_no_way_around_the_limit(
        self, shop: APIClient, limit: Limit
    ) -> None:
        limit(CREATE_PART=(1, 60))
        send(shop, "one")

        answer = send(shop, "one", body={**PART, "name": "Other"})

        assert answer.status_code == 422
        assert Part.objects.count() == 1

    def test_replay_needs_the_permission_still(self, client_of: ClientOf) -> None:
        user = UserFactory.create(superuser=True)
        send(client_of(user), "k")

        user.is_superuser = False
        user.save()

        assert send(client_of(user), "k").status_code == 403


@contextmanager
def announcing(queued: Event) -> Iterator[None]:
    """Set an event when this thread is about to wait for its turn."""

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("BEGIN") or "FOR UPDATE" in sql:
            queued.set()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield


@pytest.mark.django_db(transaction=True)
class TestDuplicateInFlight:
    @pytest.fixture(autouse=True)
    def _notes_that_wait(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Let the first note wait in its transaction, after its effect."""
        self.working, self.go, self.doubled = Event(), Event(), Event()
        add_note = services.add_note

        def patient(**note: Any) -> TicketEvent:
            if self.working.is_set():
                self.doubled.set()
            event = add_note(**note)
            self.working.set()
            assert self.go.wait(SECONDS)
            return event

        monkeypatch.setattr(services, "add_note", patient)
        with ThreadPoolExecutor(2) as self.pool:
            yield
            self.go.set()

    def start(
        self, client: APIClient, path: str, prepare: str, queued: Event
    ) -> Future[Any]:
        def one() -> Any:
            try:
                with connection.cursor() as cursor:
                    cursor.execute(prepare)
                with announcing(queued):
                    return send(client, "k", path, {"text": "x"})
            finally:
                connections.close_all()

        return self.pool.submit(one)

    def test_duplicate_waits_and_replays(
        self, client_of: ClientOf, owner: User
    ) -> None:
        path, queued, client = on_ticket("notes"), Event(), client_of(owner)
        first = self.start(client, path, "SELECT 1", Event())
        assert self.working.wait(SECONDS)

        twin = self.start(copy(client), path, "SELECT 1", queued)
        assert queued.wait(SECONDS)
        assert not self.doubled.wait(0.3)
        self.go.set()
        answers = [future.result(SECONDS) for future in (first, twin)]

        assert [answer.status_code for answer in answers] == [201, 201]
        assert [is_replay(answer) for answer in answers] == [False, True]
        assert TicketEvent.objects.filter(kind="note").count() == 1

    def test_duplicate_gets_in_progress_after_waiting(
        self, client_of: ClientOf, owner: User
    ) -> None:
        # SQLite locks the whole file: there it is the database that is busy.
        impatient, status, code = {
            "mysql": ("SET innodb_lock_wait_timeout=1", 409, "in_progress"),
            "sqlite": ("PRAGMA busy_timeout=10", 503, "database_busy"),
        }[connection.vendor]
        path, client = on_ticket("notes"), client_of(owner)
        first = self.start(client, path, "SELECT 1", Event())
        assert self.working.wait(SECONDS)

        twin = self.start(copy(client), path, impatient, Event()).result(SECONDS)
        self.go.set()

        assert (twin.status_code, twin.json()["code"]) == (status, code)
        assert first.result(SECONDS).status_code == 201
        assert is_replay(send(client_of(owner), "k", path, {"text": "x"}))
        assert TicketEvent.objects.filter(kind="note").count() == 1


@pytest.mark.django_db
class TestErasedCustomer:
    def test_erased_customer_is_in_no_stored_response(self, shop: APIClient) -> None:
        person = {"first_name": "Ann", "last_name": "Lee", "phone": "555-0100"}
        kept, erased = (
            send(shop, key, "/api/customers", person).json() for key in ("one", "two")
        )

        shop.delete(f"/api/customers/{erased['customer_id']}")

        [answer] = IdempotencyKey.objects.all()
        assert f'"customer_id":{kept["customer_id"]},' in answer.body
