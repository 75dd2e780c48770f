"""The production form with a hasher that writes down each of its calls."""

from .server_settings import *  # noqa: F403

PASSWORD_HASHERS = ["tests.reliability.hash_counter.CountingHasher"]
