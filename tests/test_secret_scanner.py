"""The guard that reads the logs of all tests: it notices, and knows every secret."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.services import send_set_password_link, start_session
from mechanic_shop.accounts.tests.factories import PASSWORD, UserFactory

from .support.secret_scanner import PASSWORDS, SecretLogged, no_secrets_logged

NAMES = re.compile(r"(\w*_)?password[12]?|NEW|WRONG|PASSWORD", re.ASCII)


@pytest.fixture
def logger(monkeypatch: pytest.MonkeyPatch) -> logging.Logger:
    """A logger that the guard around this test does not read; its own guard does."""
    logger = logging.getLogger("tests.secret_scanner")
    monkeypatch.setattr(logger, "propagate", False)
    logger.setLevel("INFO")
    return logger


@pytest.fixture
def user(db: None) -> User:
    return UserFactory.create()


class TestNoLeaks:
    def test_notices_a_password_in_the_words(self, logger: logging.Logger) -> None:
        with pytest.raises(SecretLogged, match=PASSWORD), no_secrets_logged():
            logger.info("Somebody tried %s", PASSWORD)

    def test_notices_a_password_in_a_fact(self, logger: logging.Logger) -> None:
        with pytest.raises(SecretLogged, match=PASSWORD), no_secrets_logged():
            logger.info("Refused", extra={"body": {"password": PASSWORD}})

    def test_notices_a_password_in_a_traceback(self, logger: logging.Logger) -> None:
        with pytest.raises(SecretLogged, match=PASSWORD), no_secrets_logged():
            logger.error("Broken", exc_info=ValueError(PASSWORD))

    @pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
    def test_notices_a_token(
        self, user: User, logger: logging.Logger, kind: str
    ) -> None:
        token = getattr(start_session(user=user), kind)

        with pytest.raises(SecretLogged, match="eyJ"), no_secrets_logged():
            logger.info("Given out: %s", token)

    def test_notices_a_mailed_link(
        self,
        user: User,
        logger: logging.Logger,
        sent_mails: Callable[[], list[object]],
    ) -> None:
        send_set_password_link(user=user)
        (mail,) = sent_mails()

        with pytest.raises(SecretLogged), no_secrets_logged():
            logger.info("Mailed: %s", mail.body)  # type: ignore[attr-defined]

    def test_reads_the_security_log_too(self) -> None:
        security = logging.getLogger("security")

        with no_secrets_logged():
            watched = len(security.handlers)

        assert watched == len(security.handlers) + 1

    def test_has_nothing_against_other_words(self, logger: logging.Logger) -> None:
        with no_secrets_logged():
            logger.info("The password of user %s was changed", 7)


class TestPasswords:
    def test_are_all_known_to_the_guard(self) -> None:
        files = [
            path
            for app in pytest_paths()
            for path in (settings.BASE_DIR / app).rglob("*.py")
            if "tests" in path.parts
        ]

        used = {word for path in files for word in passwords_in(path)}

        assert PASSWORD in used
        assert {word for word in used if word.strip() not in PASSWORDS} == set()


def pytest_paths() -> list[str]:
    return [
        "mechanic_shop",
        "customers",
        "mechanics",
        "inventory",
        "tickets",
        "dashboard",
        "demo",
        "tests",
    ]


def passwords_in(path: Path) -> Iterator[str]:
    """Find the texts that a test file calls a password, if they are no short words."""
    for node in ast.walk(ast.parse(path.read_text())):
        for name, value in named_values(node):
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                text = value.value
                if NAMES.fullmatch(name) and len(text) > 9 and "@" not in text:
                    yield text


def named_values(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Give each name with its value: of keywords, dictionaries and assignments."""
    match node:
        case ast.keyword(arg=str(name), value=value):
            yield name, value
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant):
                    yield str(key.value), value
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield name, value
