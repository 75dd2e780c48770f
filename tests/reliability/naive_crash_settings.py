"""The same for a server that stores a key before the work that it stands for."""

from .server_settings import *  # noqa: F403
from .server_settings import INSTALLED_APPS

INSTALLED_APPS.append("tests.reliability.apps.NaiveCrashConfig")
