"""The security log: who tried to come in, who was turned away, whose rights changed.

Each record is one JSON object of the logger ``security``. Its ``message`` is a stable
word for what happened, and the facts are beside it:

===================== ================================================================
login_ok              ``user_id``; ``session_id`` where tokens were given out
login_failed          ``account``, if what was typed is an email address; ``user_id``
                      where the password was right and the login still not let in
logout                ``user_id``, ``session_id``
denied, throttled     ``status`` (403, 429), ``user_id`` of a caller who is known
refresh_token_reused  ``user_id``, ``session_id`` of the session that ends for it
password_requested    ``account``, ``user_id`` if a login has that address
password_refused      ``user_id`` of somebody signed in who typed a wrong password
password_changed      ``user_id``, ``by_id`` of an administrator, ``sessions_ended``
email_changed         ``user_id`` of the login, ``by_id`` of who changed it
roles_changed         ``user_id`` or ``group_id``, ``by_id``, ``before``, ``after``
===================== ================================================================

``address``, ``method`` and ``path`` say where the request came from and went to; the
middleware in ``mechanic_shop.api`` knows them. There is no query string, no body, and
nothing that may be a password.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from .emails import normalize_email

logger = logging.getLogger("security")

LONGEST_ACCOUNT = 254
#: What the owner may want to be woken up for; the rest is the daily round.
WARNINGS = frozenset(
    {
        "login_failed",
        "denied",
        "throttled",
        "refresh_token_reused",
        "password_refused",
    }
)

#: Describes the present request; outside of requests there is nothing to describe.
describe_request: ContextVar[Callable[[], Mapping[str, str]]] = ContextVar(
    "describe_request", default=dict
)


def record(event: str, **facts: Any) -> None:
    """Write an event into the security log; facts that are None are left out."""
    everything = {**facts, **describe_request.get()()}
    known = {name: fact for name, fact in everything.items() if fact is not None}
    level = logging.WARNING if event in WARNINGS else logging.INFO
    logger.log(level, event, extra=known)


def account_of(typed: str) -> str | None:
    """Return what was typed as an address, if it is one.

    People type their password into the wrong field, so everything else is not written.
    """
    account = normalize_email(typed)
    try:
        validate_email(account)
    except ValidationError:
        return None
    return account if len(account) <= LONGEST_ACCOUNT and account.isascii() else None
