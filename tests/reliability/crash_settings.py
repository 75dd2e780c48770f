"""The production server, whose workers die when a file says so."""

from .server_settings import *  # noqa: F403
from .server_settings import INSTALLED_APPS

INSTALLED_APPS.append("tests.reliability.apps.CrashConfig")
