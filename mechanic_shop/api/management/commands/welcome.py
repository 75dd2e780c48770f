"""Say where the development server's pages are."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

PAGES = (
    ("Start page", "/"),
    ("Back office", "/admin/"),
    ("Browse the API", "/api/"),
    ("API documentation", "/api/docs/"),
)


class Command(BaseCommand):
    help = "Print the addresses of the pages and where the demo logins are."

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000")
        self.stdout.write(f"\n{settings.SHOP_NAME} is starting:\n")
        for title, path in PAGES:
            self.stdout.write(f"  {title:<20} http://{host}:{port}{path}")
        self.stdout.write("\n")
