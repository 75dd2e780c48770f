from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher

#: The only thread of a process that hashes passwords. A hash takes 19 MiB, which the
#: thread keeps afterwards; more threads would only compete for the same cores.
_hashing = ThreadPoolExecutor(1, thread_name_prefix="hashing")


class ShopArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id with the parameters of OWASP's password storage cheat sheet.

    Django's defaults take 100 MiB for every concurrent login; 19 MiB and two passes are
    the recommended equivalent for a server with other work to do.
    """

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1

    def encode(self, *args: Any, **kwargs: Any) -> str:
        return str(_hashing.submit(super().encode, *args, **kwargs).result())

    def verify(self, *args: Any, **kwargs: Any) -> bool:
        return bool(_hashing.submit(super().verify, *args, **kwargs).result())
