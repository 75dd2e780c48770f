"""Which writes are one transaction with a key, a tag and retries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import get_resolver

from mechanic_shop.api.routers import router

#: They hash a password, or write one row in one statement of their own.
LOGINS = {
    *("auth.register", "auth.login", "customer.login"),
    *("session.refresh", "session.logout", "session.password"),
    *("session.password_reset", "session.password_reset_confirm"),
}


def find_writes_that_are_not_atomic() -> Iterator[str]:
    assert get_resolver().url_patterns  # imports the views
    for pattern in router.urls:
        view: Any = pattern.callback
        for method, action in view.actions.items():
            is_atomic = getattr(getattr(view.cls, action), "is_atomic", False)
            if method in {"post", "put", "patch", "delete"} and not is_atomic:
                yield f"{view.initkwargs['basename']}.{action}"


class TestAtomicWrites:
    def test_are_all_writes_but_those_of_logins(self) -> None:
        assert set(find_writes_that_are_not_atomic()) == LOGINS
