"""What an app of the shop says of itself, as data, in its ``AppConfig``.

Settings read it before any model is loaded, so nothing here may import one. What an app
contributes as code is found by the names of its modules: see ``registry``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import ClassVar

from django.apps import AppConfig, apps

#: Stands for every codename of an app, as ``inventory.*``.
ANY_CODENAME = "*"
#: In ``role_permissions``: every permission of the app's models.
ALL_PERMISSIONS = (ANY_CODENAME,)


class Role(StrEnum):
    """The names of the shop's three groups, from the lowest role to the highest."""

    TECHNICIAN = "Technician"
    SERVICE_ADVISOR = "Service advisor"
    MANAGER = "Manager"


class ShopAppConfig(AppConfig):
    """The base of every app of the shop.

    Permissions are codenames of the app's own models, such as ``view_part``.
    """

    # An ``apps.py`` imports this class, too, and Django takes the one it finds there.
    default = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.default = True

    #: Description of each OpenAPI tag; a tag is the first word of the paths behind it.
    api_tags: ClassVar[Mapping[str, str]] = {}
    #: OpenAPI name of choices that several serializers share, and their dotted path.
    api_enums: ClassVar[Mapping[str, str]] = {}
    #: What each role starts with, beside everything that the lower roles have.
    role_permissions: ClassVar[Mapping[Role, Iterable[str]]] = {}
    #: What customers may do with rows of their own.
    own_row_permissions: ClassVar[Iterable[str]] = ()
    #: What everybody who is signed in may do; serializers hide what is not public.
    public_permissions: ClassVar[Iterable[str]] = ()
    #: Rate of each limit, which the variable ``THROTTLE_<name>`` overrides.
    throttles: ClassVar[Mapping[str, str]] = {}
    #: What ``purge`` removes, in words, and the dotted path of the function that takes
    #: the present time and returns those rows.
    retention: ClassVar[Mapping[str, str]] = {}


def read_app_configs(names: Iterable[str]) -> list[type[ShopAppConfig]]:
    """Read the declarations of apps that are not loaded yet; settings need them."""
    return [
        config
        for name in names
        for config in vars(import_module(f"{name}.apps")).values()
        # Not isinstance, which would ask Django's lazy settings for their class.
        if issubclass(type(config), type)
        and issubclass(config, ShopAppConfig)
        and config is not ShopAppConfig
    ]


def get_shop_apps() -> list[ShopAppConfig]:
    """Return the installed apps of the shop, in the order of ``INSTALLED_APPS``."""
    return [app for app in apps.get_app_configs() if isinstance(app, ShopAppConfig)]


def get_role_permissions(app: ShopAppConfig, role: Role) -> set[str]:
    """Return what a role starts with in an app: full names, or ``<app>.*`` for all."""
    roles = list(Role)
    return {
        f"{app.label}.{codename}"
        for lower in roles[: roles.index(role) + 1]
        for codename in app.role_permissions.get(lower, ())
    }


@cache
def get_own_row_permissions() -> frozenset[str]:
    """Return the full names of what customers may do with rows of their own."""
    return _full_names("own_row_permissions")


@cache
def get_public_permissions() -> frozenset[str]:
    """Return the full names of what everybody who is signed in may do."""
    return _full_names("public_permissions")


def _full_names(attribute: str) -> frozenset[str]:
    return frozenset(
        f"{app.label}.{codename}"
        for app in get_shop_apps()
        for codename in getattr(app, attribute)
    )
