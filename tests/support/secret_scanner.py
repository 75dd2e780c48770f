"""No test may leave a password or a token in a log; the root conftest sees to it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from mechanic_shop.core.log_formatters import TOKEN, JsonFormatter

#: Every password of the suite that is long enough to be told from other words; a test
#: looks for those that are missing.
PASSWORDS = (
    "SecurePass123!",
    "password123",
    "correct-horse-battery",
    "correct horse battery",
    "another horse battery",
    "a-different-staple-horse",
    "wrong-horse-battery",
    "padded horse",
    "chosen-by-the-owner",
    "set-in-the-meantime",
    "short-7",
    "8402957103",
    "an-own-horse-battery",
    "seven-lazy-otters-hum",
)
SECRET = re.compile("|".join([*map(re.escape, PASSWORDS), TOKEN.pattern]), re.ASCII)


class SecretLogged(AssertionError):
    """A password or a token was about to be written into a log."""


class SecretScanner(logging.Handler):
    """Read each record as production writes it, and our own as they were handed in.

    The formatter conceals tokens. That is for what Django and libraries say of a path;
    our own code has no business to log one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.formatter = JsonFormatter()
        self.leaks: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if not record.name.startswith("django"):
            text = f"{text} {record.getMessage()} {vars(record)}"
        if found := SECRET.search(text):
            self.leaks.append(f"{found[0]!r} in {text}")


@contextmanager
def no_secrets_logged() -> Iterator[None]:
    """Read along in every logger.

    :raises SecretLogged: at the end, if a record held a password or a token
    """
    finder = SecretScanner()
    loggers = [logging.getLogger(), *_loggers_apart()]
    for logger in loggers:
        logger.addHandler(finder)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(finder)
    if finder.leaks:
        raise SecretLogged("\n".join(finder.leaks))


def _loggers_apart() -> list[logging.Logger]:
    """Collect those whose records never reach the root logger."""
    return [
        logger
        for logger in list(logging.Logger.manager.loggerDict.values())
        if isinstance(logger, logging.Logger) and not logger.propagate
    ]
