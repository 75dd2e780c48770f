"""The server with a Redis client that forgets each failure and tries again at once."""

from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

from .server_settings import *  # noqa: F403
from .server_settings import CACHES

#: What redis-py's own client does when nobody says otherwise.
DEFAULT_RETRY = Retry(ExponentialWithJitterBackoff(base=0.01, cap=1), 10)

OPTIONS = CACHES["default"]["OPTIONS"]
del OPTIONS["REDIS_CLIENT_CLASS"]
OPTIONS["CONNECTION_POOL_KWARGS"] = {"retry": DEFAULT_RETRY}
