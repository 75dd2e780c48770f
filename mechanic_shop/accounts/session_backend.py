"""The session backend of the admin site; it retries writes after deadlocks."""

from __future__ import annotations

from functools import partial

from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.db import OperationalError

from mechanic_shop.core.transactions import run_with_retries


class SessionStore(DatabaseSessions):
    def save(self, must_create: bool = False) -> None:
        run_with_retries(partial(self._save, must_create))

    def delete(self, session_key: str | None = None) -> None:
        run_with_retries(partial(super().delete, session_key))

    def _save(self, must_create: bool) -> None:
        try:
            super().save(must_create)
        except UpdateError as error:
            # Django reports every database error as a session that was deleted.
            if isinstance(error.__context__, OperationalError):
                raise error.__context__ from None
            raise
