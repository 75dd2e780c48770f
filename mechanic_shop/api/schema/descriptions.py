"""Names and sentences of operations."""

from __future__ import annotations

from inspect import getdoc
from typing import TYPE_CHECKING

from drf_spectacular.openapi import AutoSchema

from .path_names import noun_of

if TYPE_CHECKING:
    from typing import Any

#: Operation id and sentence for a person, by DRF's name of the action.
STANDARD_ACTIONS = {
    "list": ("list_{nouns}", "List {nouns}"),
    "create": ("create_{noun}", "Create a {noun}"),
    "retrieve": ("get_{noun}", "Show a {noun}"),
    "partial_update": ("update_{noun}", "Update a {noun}"),
    "update": ("put_{noun}", "Update a {noun} by PUT"),
    "destroy": ("delete_{noun}", "Delete a {noun}"),
}


class OperationWords(AutoSchema):
    """Verb first in ids, the docstring of an action as its summary, tags by path.

    Descriptions, and what cannot be guessed, come from the apps' ``schema.py``.
    """

    if TYPE_CHECKING:
        view: Any

    def get_tags(self) -> list[str]:
        """Tag by the first part of the path behind ``/api``."""
        parts = [part for part in self.path.split("/") if part and part != "api"]
        return parts[:1]

    def get_operation_id(self) -> str:
        """Name an operation verb first: ``install_part``."""
        name, _ = STANDARD_ACTIONS.get(self.view.action, (self.view.action, ""))
        return self._with_noun(name).replace(" ", "_")

    def get_summary(self) -> str:
        _, sentence = STANDARD_ACTIONS.get(self.view.action, ("", self._docstring()[0]))
        return self._with_noun(sentence).rstrip(".")

    def get_description(self) -> str:  # type: ignore[override]
        """Take the rest of an action's docstring; its first line is the summary."""
        return "" if self.view.action in STANDARD_ACTIONS else self._docstring()[1]

    def _with_noun(self, text: str) -> str:
        noun = noun_of(self.view)
        return text.replace("{nouns}", f"{noun}s").replace("{noun}", noun)

    def _docstring(self) -> tuple[str, str]:
        text = getdoc(getattr(self.view, self.view.action)) or ""
        first_line, _, rest = text.partition("\n\n")
        return first_line, rest
