"""What a page may load is the least that it needs."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def policy_of(path: str, **headers: str) -> dict[str, set[str]]:
    answer = Client().get(path, headers={"Accept": "text/html", **headers})
    directives = answer["Content-Security-Policy"].split("; ")
    pairs = (directive.split(" ", 1) for directive in directives)
    return {name: set(sources.split()) for name, sources in pairs}


class TestContentSecurityPolicy:
    @pytest.mark.parametrize("path", ["/api/inventory", "/api/schema/", "/healthz"])
    def test_allows_nothing_to_what_is_no_page(self, path: str) -> None:
        policy = policy_of(path, Accept="application/json")

        assert policy["default-src"] == {"'none'"}
        assert "script-src" not in policy

    @pytest.mark.parametrize(
        "path", ["/", "/api/", "/api/docs/", "/api/redoc/", "/admin/login/"]
    )
    def test_names_no_other_host_and_no_inline_script(self, path: str) -> None:
        policy = policy_of(path)

        sources = set().union(*policy.values())
        assert sources <= {
            *("'none'", "'self'", "data:", "blob:"),
            *("'unsafe-inline'", "'unsafe-eval'"),
        }
        assert "'unsafe-inline'" not in policy["script-src"]
        assert policy["default-src"] == policy["frame-ancestors"] == {"'none'"}

    def test_lets_the_back_office_alone_compile_expressions(self) -> None:
        assert "'unsafe-eval'" in policy_of("/admin/login/")["script-src"]
        assert policy_of("/api/docs/")["script-src"] == {"'self'"}
        assert policy_of("/")["style-src"] == {"'self'"}
