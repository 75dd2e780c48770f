"""How long uploaded files are kept."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from .models import Upload


def expired_uploads(now: datetime) -> QuerySet[Upload]:
    """Return the files whose import nobody confirmed in time, or that are done."""
    return Upload.objects.expired(now)
