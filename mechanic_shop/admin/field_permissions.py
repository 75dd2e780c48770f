"""Hide admin fields, columns and filters by permission."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest

from .error_messages import user_of


class FieldPermissionsMixin:
    """Hide columns, fields and URL filters that need a permission the user lacks."""

    #: Names of fields and columns, each with the permissions that show it together.
    guarded_fields: ClassVar[dict[str, tuple[str, ...]]] = {}

    def hidden_from(self, request: HttpRequest) -> set[str]:
        return {
            name
            for name, permissions in self.guarded_fields.items()
            if not user_of(request).has_perms(permissions)
        }

    def get_list_display(self, request: HttpRequest) -> Any:
        columns = super().get_list_display(request)  # type: ignore[misc]
        hidden = self.hidden_from(request)
        return [column for column in columns if column not in hidden]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        hidden = self.hidden_from(request)
        return [
            (title, {**options, "fields": remove_fields(options["fields"], hidden)})
            for title, options in fieldsets
        ]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Reject filters by hidden fields, which would reveal the value bit by bit."""
        if lookup.split("__")[0] in self.hidden_from(request):
            return False
        allowed: bool = super().lookup_allowed(lookup, value, request)  # type: ignore[misc]
        return allowed


def remove_fields(fields: Any, hidden: set[str]) -> list[Any]:
    """Remove names from a fieldset's fields, also where several share a line."""
    kept = [
        remove_fields(field, hidden) if isinstance(field, list | tuple) else field
        for field in fields
    ]
    return [
        field for field in kept if not isinstance(field, str) or field not in hidden
    ]
