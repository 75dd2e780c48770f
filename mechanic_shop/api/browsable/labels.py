"""What the pages call things, and what they say of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst

if TYPE_CHECKING:
    from django.utils.safestring import SafeString
    from rest_framework.views import APIView

BACKTICKS = re.compile("`+")
KINDS = ("{}", "<code>{}</code>")


def page_name(view: APIView) -> str:
    """Call a page *Service tickets*, where DRF would say *Service Ticket List*.

    What is no page of its own, like a part of a path, has no name.
    """
    name: str | None = getattr(view, "name", None)
    queryset = getattr(view, "queryset", None)
    if name or queryset is None:
        return name or ""
    words = queryset.model._meta
    is_list = getattr(view, "suffix", None) == "List"
    return capfirst(str(words.verbose_name_plural if is_list else words.verbose_name))


def description_of(view: Any) -> SafeString | str:
    """Say of a page what the OpenAPI document says of reading it, or else of writing.

    Pages outside of that document say what their class does.
    """
    actions = getattr(view, "action_map", None)
    if not actions:
        return in_paragraphs(type(view).__doc__ or "")
    action = actions.get("get") or next(iter(actions.values()))
    # Where a method of a view set has words of its own, it carries its own schema.
    of_action = getattr(getattr(view, action), "kwargs", {}).get("schema")
    schema = of_action() if of_action else type(view.schema)()
    schema.view = view
    with acting(view, action):
        return in_paragraphs(f"{schema.get_summary()}.\n\n{schema.get_description()}")


def name_of_patch(view: Any) -> str:
    """Name it for its action: POST and DELETE of its page may be other ones."""
    action = (getattr(view, "action_map", None) or {}).get("patch", "")
    return str(capfirst(action.replace("_", " ")))


@contextmanager
def acting(view: Any, action: str) -> Iterator[None]:
    """Let a view believe that it was asked for another of its actions."""
    present, view.action = view.action, action
    try:
        yield
    finally:
        view.action = present


def in_paragraphs(text: str) -> SafeString:
    """Turn words into HTML; where their lines break means nothing."""
    paragraphs = ((with_code(part),) for part in text.split("\n\n") if part.strip())
    return format_html_join("", "<p>{}</p>", paragraphs)


def with_code(text: str) -> SafeString:
    """Mark what stands between backticks."""
    pieces = enumerate(BACKTICKS.split(text))
    return format_html_join(
        "", "{}", ((format_html(KINDS[at % 2], piece),) for at, piece in pieces)
    )
