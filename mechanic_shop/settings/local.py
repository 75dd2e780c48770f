"""Settings for a developer's machine and for a first look: no service, no secrets."""

from pathlib import Path

from .addresses import LOOPBACK, own_hosts
from .env import EXAMPLE_PREFIX, read_dotenv, read_list, read_text

read_dotenv(Path(__file__).resolve().parent.parent.parent / ".env")

from .base import *  # noqa: F403
from .base import SIMPLE_JWT
from .mail import *  # noqa: F403

DEBUG = True
SECRET_KEY = (
    read_text("SECRET_KEY") or f"{EXAMPLE_PREFIX}local-key-for-sessions-and-forms"
)
JWT_SECRET_KEY = (
    read_text("JWT_SECRET_KEY") or f"{EXAMPLE_PREFIX}local-key-for-signing-tokens"
)
SIMPLE_JWT["SIGNING_KEY"] = JWT_SECRET_KEY
ALLOWED_HOSTS = read_list("ALLOWED_HOSTS", [*LOOPBACK, *own_hosts()])
