"""Mark the views that take files; all other bodies end at ``MAX_BODY_BYTES``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from django.http import HttpRequest

V = TypeVar("V", bound=Callable[..., object])
#: The attribute of a view that takes files: who may send one.
MAY_UPLOAD = "may_upload"


def allow_uploads(view: V, may_upload: Callable[[HttpRequest], bool]) -> V:
    """Let a view take up to ``MAX_UPLOAD_BYTES`` from those whom the function names.

    It is asked before anything of the body is read.
    """
    setattr(view, MAY_UPLOAD, may_upload)
    return view
