"""Say where the development server's pages are."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from mechanic_shop.settings.addresses import own_hosts, own_url

PAGES = (
    ("Start page", "/"),
    ("Back office", "/admin/"),
    ("Browse the API", "/api/"),
    ("API documentation", "/api/docs/"),
)


class Command(BaseCommand):
    help = "Print the addresses of the pages and where the demo logins are."

    def handle(self, *args: Any, **options: Any) -> None:
        nearest, *others = own_hosts()
        self.stdout.write(f"\n{settings.SHOP_NAME} is starting:\n")
        for title, path in PAGES:
            self.stdout.write(f"  {title:<20} {own_url(nearest)}{path}")
        for host in others:
            self.stdout.write(f"  {'On other machines':<20} {own_url(host)}/")
        self.stdout.write("\n")
