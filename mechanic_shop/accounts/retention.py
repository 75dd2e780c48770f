"""Retention rules of sessions."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.models import Session as CookieSession
from django.db.models import Q, QuerySet

from .models import Session

#: A token is issued shortly after its session was saved.
LEEWAY = timedelta(minutes=1)


def ended_sessions(now: datetime) -> QuerySet[Session]:
    """Return sessions that were revoked, or whose last tokens have expired.

    Reuse of an old refresh token is detected by comparing it with the session's current
    one, so no older tokens have to be kept.
    """
    lifetimes = (
        settings.SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"],
        settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"],
    )
    issued_by = now - max(lifetimes) - LEEWAY
    expired = Q(refreshed_at=None, created_at__lt=issued_by)
    expired |= Q(refreshed_at__lt=issued_by)
    return Session.objects.filter(expired | Q(revoked_at__isnull=False))


def expired_cookie_sessions(now: datetime) -> QuerySet[CookieSession]:
    """Return the expired sessions of the admin site."""
    return CookieSession.objects.filter(expire_date__lt=now)
