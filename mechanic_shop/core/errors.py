"""What services raise: facts about the shop, without a word about HTTP.

``mechanic_shop.api.errors`` gives each kind its status, and the back office shows the
message. What is wrong with a value is Django's own ``ValidationError``, by field.
"""

from __future__ import annotations

from typing import Any, ClassVar


class ShopError(Exception):
    """Why a service did not do what was asked; base of the kinds below.

    ``code`` is stable and for machines, the message is one sentence for a person, and
    ``extra`` holds what a client needs to do better next time.
    """

    code: ClassVar[str]
    default_message: ClassVar[str] = ""

    def __init__(self, message: str = "", **extra: Any) -> None:
        self.message = message or self.default_message
        self.extra = extra
        super().__init__(self.message)


class Conflict(ShopError):
    """A rule of the shop, or the present state of things, forbids what was asked."""

    code = "conflict"


class InUse(Conflict):
    """Something cannot be deleted because history depends on it."""

    code = "in_use"


class NotFound(ShopError):
    """What the service was asked to change is not there, or no longer."""

    code = "not_found"
    default_message = "Not found."


class NotAuthenticated(ShopError):
    """Nobody is signed in by what was sent: a password, a token."""

    code = "not_authenticated"
