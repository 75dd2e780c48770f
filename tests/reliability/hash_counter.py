from __future__ import annotations

import logging

from mechanic_shop.accounts.hashers import ShopArgon2PasswordHasher

HASHED = "hashed a password"

logger = logging.getLogger(__name__)


class CountingHasher(ShopArgon2PasswordHasher):
    """The shop's hasher; whoever counts these lines in the log knows what it did."""

    def encode(self, password: str, salt: str) -> str:
        logger.info(HASHED)
        return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        logger.info(HASHED)
        return super().verify(password, encoded)
