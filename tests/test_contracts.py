"""Every operation of the API is held by the contract of its resource."""

from __future__ import annotations

from typing import Any

from mechanic_shop.testing import guard
from mechanic_shop.testing.contract import ResourceContract
from mechanic_shop.testing.facts import contracts


class TestContracts:
    def test_each_operation_has_one_contract(self) -> None:
        assert sorted(guard.operations_with_a_contract()) == sorted(guard.operations())

    def test_each_test_of_the_contract_runs_somewhere(self) -> None:
        tests = {
            name: test.for_each
            for name, test in _attributes(ResourceContract).items()
            if hasattr(test, "for_each")
        }
        idle = {
            name
            for name, facts in tests.items()
            if not any(getattr(kind, facts)() for kind in contracts())
        }

        assert len(tests) > 25
        assert idle == set()

    def test_only_pages_have_no_contract(self) -> None:
        anything_else = "(?:/.*)?"
        assert guard.pages() == {
            "/",
            "/schema",
            "/docs",
            "/redoc",
            "/redoc/bundle.js",
            "/login",
            "/login/out",
            anything_else,
        }


def _attributes(kind: type) -> dict[str, Any]:
    return {name: getattr(kind, name) for name in dir(kind)}
