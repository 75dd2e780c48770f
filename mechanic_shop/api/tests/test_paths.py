"""Every address answers with and without a slash, tickets also with an underscore."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import UserFactory
from mechanic_shop.urls import router

pytestmark = pytest.mark.django_db

ID = re.compile(r"\(\?P<\w+>\[0-9\]\+\)")


def methods_of(view: Any) -> list[str]:
    actions = getattr(view, "actions", None) or {}
    return [method for method in actions if method in view.cls.http_method_names]


#: (method, path without slash) of everything the routers serve; no id exists.
OPERATIONS = [
    (method, ID.sub("0", "/api/" + pattern.strip("^").removesuffix("/?$")))
    for url in router.urls
    if (pattern := url.pattern.regex.pattern)
    for method in methods_of(url.callback)
]
every_operation = pytest.mark.parametrize(
    ("method", "path"),
    [(m, p.replace("service[-_]tickets", "service-tickets")) for m, p in OPERATIONS],
)


def told(response: Any) -> tuple[int, Any]:
    """Return what an answer says, without what differs between any two requests."""
    body = response.json() if response.content else None
    if isinstance(body, dict):
        body.pop("request_id", None)
    return response.status_code, body


class TestEveryPath:
    def test_is_found_in_the_url_map(self) -> None:
        paths = {path for _, path in OPERATIONS}

        assert len(paths) > 30
        assert {"/api/inventory/0", "/api/service[-_]tickets/0/edit"} <= paths
        assert not any("?" in path or "(" in path for path in paths)

    @every_operation
    def test_answers_the_same_with_and_without_a_slash(
        self,
        owner: User,
        client_of: Callable[[User], APIClient],
        method: str,
        path: str,
    ) -> None:
        bare = told(getattr(client_of(owner), method)(path))
        slashed = told(getattr(client_of(owner), method)(f"{path}/"))

        assert bare == slashed
        assert bare[0] in {200, 201, 204, 400, 404, 405}
        assert "nothing at this address" not in str(bare[1])

    @every_operation
    def test_is_closed_to_strangers_with_and_without_a_slash(
        self, anonymous: APIClient, method: str, path: str
    ) -> None:
        bare, slashed = (getattr(anonymous, method)(p) for p in (path, f"{path}/"))

        public = ("login", "register", "refresh", "password-reset", "confirm")
        assert told(bare) == told(slashed)
        assert bare.status_code == (400 if path.endswith(public) else 401)

    @pytest.mark.parametrize(
        ("method", "path"), [(m, p) for m, p in OPERATIONS if "[-_]" in p]
    )
    @pytest.mark.parametrize("slash", ["", "/"])
    def test_takes_an_underscore_for_the_hyphen(
        self, shop: APIClient, method: str, path: str, slash: str
    ) -> None:
        hyphen, underscore = (
            told(getattr(shop, method)(path.replace("[-_]", sign) + slash))
            for sign in "-_"
        )

        assert hyphen == underscore
        assert hyphen[0] in {200, 400, 404}

    @pytest.mark.parametrize(
        "path", ["/api", "/api/schema", "/api/docs", "/api/redoc", "/api/login"]
    )
    def test_includes_the_pages_under_api(
        self, anonymous: APIClient, path: str
    ) -> None:
        bare, slashed = anonymous.get(path), anonymous.get(f"{path}/")

        assert (bare.status_code, slashed.status_code) == (200, 200)

    @pytest.mark.parametrize("path", ["/api/customers", "/api/customers/"])
    def test_keeps_the_body_of_a_post(self, shop: APIClient, path: str) -> None:
        body = {"first_name": "Ann", "last_name": "Lee", "phone": "1"}

        response = shop.post(path, body)

        assert response.status_code == 201
        assert response.json()["last_name"] == "Lee"

    @pytest.mark.parametrize(
        "path", ["/api//customers", "/api/customers//", "/api/Customers", "/api//"]
    )
    def test_is_spelled_in_no_third_way(self, shop: APIClient, path: str) -> None:
        response = shop.get(path)

        assert response.status_code == 404
        assert response.json()["code"] == "not_found"

    def test_takes_no_digits_but_ascii_ones(self, shop: APIClient) -> None:
        user = UserFactory.create()

        response = shop.get(f"/api/customers/{chr(0x660 + user.pk % 10)}")

        assert response.status_code == 404
        assert response.json()["message"] == "There is nothing at this address."
