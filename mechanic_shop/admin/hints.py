"""Ask before saving what is probably a mistake; it is never refused."""

from __future__ import annotations

from django.http import HttpRequest

from .double_submit import FIELD as TOKEN_FIELD
from .rejected_forms import ACCEPTED, SAVE_ANYWAY, Hint


def give_hints(request: HttpRequest, hints: dict[str, str]) -> None:
    """Show a form again with hints, once. Scripts, which post no token, get none.

    :raises Hint: unless the person has seen them already
    """
    if not hints or TOKEN_FIELD not in request.POST:
        return
    if SAVE_ANYWAY not in request.POST.getlist(ACCEPTED):
        raise Hint(hints)
