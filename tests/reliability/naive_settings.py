"""The server as somebody would build it who never heard of two at once."""

from .server_settings import *  # noqa: F403
from .server_settings import INSTALLED_APPS

INSTALLED_APPS.append("tests.reliability.apps.NaiveConfig")
