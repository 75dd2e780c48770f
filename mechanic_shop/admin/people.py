"""Columns that name people."""

from __future__ import annotations

from typing import Any

from django.contrib import admin


@admin.display(description="By", ordering="by")
def by_name(row: Any) -> str:
    """Name who did it; a login without a name has an email address."""
    return row.by.full_name or row.by.email if row.by else ""
