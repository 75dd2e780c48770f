"""Every place of the shop has a name, and nobody can invent another one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import RequestFactory
from django.urls import URLPattern, get_resolver
from django.urls.resolvers import ResolverMatch

from mechanic_shop.core.route_names import STATIC, UNMATCHED, route_of

NAME = re.compile(r"/[a-z0-9_./-]*({[a-z0-9_]+}[a-z0-9_./-]*)*")
#: Under these anything is unknown, so what was asked for there names no place.
ANYTHING = {"^api(?:/.*)?$", "admin/(?P<url>.*)$"}


def patterns(resolver: object = None, prefix: str = "") -> Iterator[str]:
    for pattern in (resolver or get_resolver()).url_patterns:  # type: ignore[attr-defined]
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from patterns(pattern, route)


def name_of(route: str) -> str:
    request = RequestFactory().get("/whatever")
    request.resolver_match = ResolverMatch(print, (), {}, route=route)
    return route_of(request)


class TestRoutes:
    @pytest.mark.parametrize(
        ("route", "name"),
        [
            ("", "/"),
            ("api/^inventory/(?P<pk>[0-9]+)/?$", "/api/inventory/{pk}"),
            (
                "api/^service[-_]tickets/(?P<pk>[0-9]+)/parts/(?P<part_id>[0-9]+)/?$",
                "/api/service-tickets/{pk}/parts/{part_id}",
            ),
            (
                "admin/inventory/part/<path:object_id>/change/",
                "/admin/inventory/part/{object_id}/change",
            ),
            ("^api(?:/.*)?$", UNMATCHED),
        ],
    )
    def test_are_named_as_people_write_them(self, route: str, name: str) -> None:
        assert name_of(route) == name

    def test_all_have_one(self) -> None:
        named = [name_of(route) for route in patterns() if route not in ANYTHING]

        assert len(named) > 100
        assert [name for name in named if not NAME.fullmatch(name)] == []

    def test_are_not_invented_by_who_asks(self) -> None:
        assert route_of(RequestFactory().get("/api/nothing/7")) == UNMATCHED

    def test_are_one_for_all_static_files(self) -> None:
        assert route_of(RequestFactory().get("/static/shop.css")) == STATIC
