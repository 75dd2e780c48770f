"""Every operation of the API is held by the contract of its resource."""

from __future__ import annotations

from mechanic_shop.testing import guard


class TestContracts:
    def test_each_operation_has_one_contract(self) -> None:
        assert sorted(guard.operations_with_a_contract()) == sorted(guard.operations())

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
