"""Two servers are one shop: what one was told, the other knows."""

from __future__ import annotations

import re
from collections import Counter
from itertools import count, cycle, islice
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from ..reliability.load import Answer, Client, at_once, counted
from ..reliability.test_limits import assert_exactly, within_a_minute
from ..reliability.test_production_form import Browser
from ..support.server import OWNER
from .front import Front

LOGINS, AT_ONCE = 5, 64
WRONG = "wrong-horse-battery"
IMPORT = "//admin/inventory/part/import/"
CONFIRM = "//admin/inventory/part/process_import/"
BOUNDARY = "a-boundary"
HASHED = re.compile(r'"(/static/[^"]+\.[0-9a-f]{12}\.\w+)"')

numbers = count(1)


@pytest.fixture
def one(front: Front) -> Client:
    """A client of the first server, who has not signed in."""
    return front.direct(front.servers[0])


@pytest.fixture
def two(front: Front) -> Client:
    return front.direct(front.servers[1])


@pytest.fixture
def owners(front: Front, one: Client) -> list[Client]:
    """The owner at each server, with the token that one of them gave out."""
    token = one.post("/auth/login", OWNER).expect(200)["access_token"]
    return [front.direct(server, token) for server in front.servers]


class TestBoth:
    def test_get_their_share(self, front: Front) -> None:
        assert front.served_by(20, lambda: front.shop.owner.get("/inventory")) == {
            "one",
            "two",
        }

    def test_have_the_same_static_files(self, one: Client, two: Client) -> None:
        pages = [client.get("//admin/login/").body.decode() for client in (one, two)]

        paths = set(HASHED.findall(pages[0]))

        assert len(paths) > 3
        assert paths == set(HASHED.findall(pages[1]))
        for path in paths:
            files = [client.get(f"/{path}") for client in (one, two)]
            assert counted(files) == {200: 2}
            assert files[0].body == files[1].body
            assert "immutable" in files[0].headers["Cache-Control"]


class TestLimit:
    def test_is_exact_across_servers_and_believes_no_claim(
        self, limited: Front
    ) -> None:
        served: Counter[str] = Counter()

        def scenario() -> list[Answer]:
            client = limited.client_at(f"127.0.4.{next(numbers)}")
            person = {"email": "nobody@example.com", "password": WRONG}

            def knock(i: int) -> Answer:
                claim = {"X-Forwarded-For": f"10.0.0.{i}"}
                return client.post("/auth/login", person, headers=claim)

            answers = at_once(AT_ONCE, knock)
            ids = [answer.headers["X-Request-ID"] for answer in answers]
            served.update(str(limited.record_of(each)["server"]) for each in ids)
            return answers

        answers = within_a_minute(scenario)

        assert_exactly(LOGINS, 401, answers)
        assert served.keys() == {"one", "two"}

    def test_belongs_to_an_address(self, limited: Front) -> None:
        def scenario() -> list[Answer]:
            person = {"email": f"{uuid4().hex}@example.com", "password": WRONG}
            clients = [limited.client_at(f"127.0.4.{next(numbers)}") for _ in "ab"]
            turns = islice(cycle(clients), 2 * LOGINS)
            return [client.post("/auth/login", person) for client in turns]

        assert counted(within_a_minute(scenario)) == {401: 2 * LOGINS}


class TestToken:
    def test_of_one_server_opens_the_other_until_it_is_given_back(
        self, owners: list[Client]
    ) -> None:
        before = [owner.get("/auth/me") for owner in owners]
        owners[1].post("/auth/logout").expect(204)
        after = [owner.get("/auth/me") for owner in owners]

        assert counted(before) == {200: 2}
        assert counted(after) == {401: 2}

    def test_for_a_new_one_works_once_on_either(self, one: Client, two: Client) -> None:
        pair = one.post("/auth/login", OWNER).expect(200)
        body = {"refresh_token": pair["refresh_token"]}

        answers = at_once(16, lambda i: (one, two)[i % 2].post("/auth/refresh", body))

        assert counted(answers) == {200: 1, 401: 15}


class TestKeyOfARetry:
    def test_is_known_to_the_other_server(self, owners: list[Client]) -> None:
        key = {"Idempotency-Key": uuid4().hex}
        part = {"name": "Filter", "price": 1}

        first, again = (own.post("/inventory", part, headers=key) for own in owners)

        assert (first.status, again.status) == (201, 201)
        assert first.json() == again.json()
        assert again.headers["Idempotency-Replayed"] == "true"


class TestCachedList:
    def test_shows_what_the_other_server_has_just_written(
        self, front: Front, owners: list[Client]
    ) -> None:
        mechanic = front.shop.new_mechanic()
        stale = []

        for turn in range(100):
            writer, reader = owners if turn % 2 else owners[::-1]
            name = f"Max {turn}"
            for owner in owners:
                owner.get("/mechanics").expect(200)  # so that both have it in a cache
            writer.patch(f"/mechanics/{mechanic}", {"full_name": name}).expect(200)
            rows = reader.get("/mechanics").expect(200)
            stale += [
                row["full_name"]
                for row in rows
                if row["mechanic_id"] == mechanic and row["full_name"] != name
            ]

        assert stale == []


# --- The back office ------------------------------------------------------------------


class TestBackOffice:
    """Somebody whose every request meets the other server than the one before."""

    @pytest.fixture
    def browsers(self, one: Client, two: Client) -> tuple[Browser, Browser]:
        here, there = Browser(one), Browser(two)
        here.sign_in()
        # The session cookie is secure, and each server has its own name for itself.
        there.cookies = here.cookies
        return here, there

    def test_knows_who_signed_in_on_either(
        self, browsers: tuple[Browser, Browser]
    ) -> None:
        assert [browser.get("//admin/").status for browser in browsers] == [200, 200]

    def test_imports_on_one_what_was_uploaded_to_the_other(
        self, front: Front, browsers: tuple[Browser, Browser]
    ) -> None:
        here, there = browsers
        number = f"TWO-{uuid4().hex[:8]}"
        file = f"Part number,Name,Cost,Quantity in stock\r\n{number},Pad,1.50,7\r\n"

        plan = here.post(IMPORT, *upload_of(file, here.csrf))
        [token] = re.findall(rb'name="token" value="([^"]+)"', plan.body)
        fields = {"token": token.decode(), "csrfmiddlewaretoken": there.csrf}
        done = there.post(
            CONFIRM,
            urlencode(fields),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        told = here.get("//admin/inventory/part/")

        assert done.status == 302
        assert b"Import finished: 1 parts added" in told.body
        found = front.shop.owner.get(f"/inventory?search={number}").expect(200)
        assert [part["quantity_in_stock"] for part in found["parts"]] == [7]


def upload_of(file: str, csrf: str) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of the import's form."""
    fields = {"csrfmiddlewaretoken": csrf, "resource": "0"}
    parts = [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        'Content-Disposition: form-data; name="import_file"; filename="parts.csv"\r\n'
        f"Content-Type: text/csv\r\n\r\n{file}\r\n"
    )
    body = "".join(f"--{BOUNDARY}\r\n{part}" for part in parts) + f"--{BOUNDARY}--\r\n"
    content_type = f"multipart/form-data; boundary={BOUNDARY}"
    return body.encode(), {"Content-Type": content_type}
