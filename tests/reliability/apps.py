from __future__ import annotations

from django.apps import AppConfig


class NaiveConfig(AppConfig):
    """Turn a server into a naive one; ``naive_settings`` installs it."""

    name = "tests.reliability"
    label = "naive"

    def ready(self) -> None:
        from .naive_server import take_over

        take_over()


class CrashConfig(AppConfig):
    """Let workers die on demand; ``crash_settings`` installs it."""

    name = "tests.reliability"
    label = "crash"

    def ready(self) -> None:
        from .crash_injection import take_over

        take_over()


class NaiveCrashConfig(CrashConfig):
    def ready(self) -> None:
        from .crash_injection import store_keys_first

        store_keys_first()
        super().ready()
