from __future__ import annotations

from django.apps import AppConfig


class NaiveConfig(AppConfig):
    """Turn a server into a naive one; ``naive_settings`` installs it."""

    name = "tests.reliability"
    label = "naive"

    def ready(self) -> None:
        from .naive import take_over

        take_over()
