"""``manage.py end_sessions``: let everybody sign in again."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.models import Session as CookieSession
from django.core.management.base import BaseCommand
from django.db import connection
from django.utils import timezone

from mechanic_shop.accounts.models import Session, User


class Command(BaseCommand):
    help = (
        "End every session of the API and of the back office, and every mailed password"
        " link. Everybody has to sign in again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """End what there is, also in the tables of an older release."""
        tables = connection.introspection.table_names()
        api = cookies = 0
        if Session._meta.db_table in tables:
            api = Session.objects.still_alive().revoke()
        if CookieSession._meta.db_table in tables:
            cookies, _ = CookieSession.objects.all().delete()
        if User._meta.db_table in tables:
            # A link is made for the time of the last sign-in, and dies with a new one.
            User.objects.update(last_login=timezone.now())
        self.stdout.write(
            f"Ended {api} sessions of the API, {cookies} of the back office,"
            " and all mailed password links."
        )
