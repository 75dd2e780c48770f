"""System checks of the project, each with an id that stays the same."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register

OPEN_ACCESS = "SHOP_OPEN_ACCESS is on: every signed-in user may do everything."


@register()
def warn_of_open_access(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    if not settings.SHOP_OPEN_ACCESS:
        return []
    return [checks.Warning(OPEN_ACCESS, id="mechanic_shop.W001")]


@register(Tags.security, deploy=True)
def refuse_open_access_in_production(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    if not settings.SHOP_OPEN_ACCESS:
        return []
    return [
        checks.Error(
            OPEN_ACCESS,
            hint="Give people groups in the admin and switch SHOP_OPEN_ACCESS off.",
            id="mechanic_shop.E001",
        )
    ]
