"""System checks of the project, each with an id that stays the same."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core import checks
from django.core.checks import CheckMessage, Tags, register

OPEN_ACCESS = "SHOP_OPEN_ACCESS is on: every signed-in user may do nearly everything."


@register()
def warn_of_open_access(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    if not settings.SHOP_OPEN_ACCESS:
        return []
    return [checks.Warning(OPEN_ACCESS, id="mechanic_shop.W001")]


@register()
def warn_of_missing_logo(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    name = settings.SHOP_LOGO.removeprefix(settings.STATIC_URL)
    # What lies elsewhere is served by a proxy, whose files nobody here can see.
    if name == settings.SHOP_LOGO or finders.find(name):
        return []
    text = f"SHOP_LOGO: there is no file {name} in mechanic_shop/static."
    return [checks.Warning(text, id="mechanic_shop.W002")]


@register()
def warn_of_misspelled_variables(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    return [
        checks.Warning(
            f"Nothing reads the environment variable {name}; is {close} meant?",
            id="mechanic_shop.W003",
        )
        for name, close in settings.FIND_MISSPELLED().items()
    ]


def warnings() -> list[str]:
    """Return what a server has to say at its start, which runs no checks of Django."""
    found = [
        *warn_of_open_access(None),
        *warn_of_missing_logo(None),
        *warn_of_misspelled_variables(None),
    ]
    return [str(warning.msg) for warning in found]


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
