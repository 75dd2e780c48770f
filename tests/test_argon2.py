"""What production stores of a password: Argon2id with OWASP's parameters."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import pytest
from argon2 import PasswordHasher
from django.conf import LazySettings, settings
from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher
from rest_framework.test import APIClient

from customers.services import register_customer
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.services import set_password
from mechanic_shop.accounts.tests.factories import PASSWORD, UserFactory
from mechanic_shop.settings import base

OURS = "argon2$argon2id$v=19$m=19456,t=2,p=1$"
ADDRESS = "ann@example.com"
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "mechanic_shop.settings.production",
    "SECRET_KEY": "a-key-that-hashes-one-password-for-a-test",
    "JWT_SECRET_KEY": "another-key-that-hashes-one-password-for-a-test",
    "ALLOWED_HOSTS": "shop.example",
}
HASH = f"""
import django; django.setup()
from django.contrib.auth.hashers import make_password
print(make_password({PASSWORD!r}))
"""
#: How older or default settings stored a password.
WEAK = [
    Argon2PasswordHasher().encode,
    partial(PBKDF2PasswordHasher().encode, iterations=1),
]


def register() -> None:
    register_customer(
        first_name="Ann", last_name="Lee", email=ADDRESS, phone="1", password=PASSWORD
    )


def create_superuser() -> None:
    User.objects.create_superuser(ADDRESS, PASSWORD)


def choose_a_new_one() -> None:
    set_password(user=UserFactory.create(email=ADDRESS), password=PASSWORD)


class TestProduction:
    def test_hashes_with_argon2id(self) -> None:
        done = subprocess.run(
            [sys.executable, "-c", HASH],
            env={"PATH": os.environ["PATH"], **PRODUCTION},
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            check=True,
        )

        assert done.stdout.startswith(OURS)
        hashed = done.stdout.strip().removeprefix("argon2")
        assert PasswordHasher().verify(hashed, PASSWORD)


@pytest.mark.django_db
class TestStoredPassword:
    @pytest.fixture(autouse=True)
    def _hashers_of_production(self, settings: LazySettings) -> None:
        settings.PASSWORD_HASHERS = base.PASSWORD_HASHERS

    @pytest.mark.parametrize("store", [register, create_superuser, choose_a_new_one])
    def test_is_argon2id(self, store: Callable[[], None]) -> None:
        store()

        user = User.objects.get(email=ADDRESS)
        assert user.password.startswith(OURS)
        assert PASSWORD not in user.password
        assert user.check_password(PASSWORD)
        assert not user.check_password(PASSWORD.upper())

    @pytest.mark.parametrize("encode", WEAK, ids=["argon2", "pbkdf2"])
    def test_is_brought_to_these_parameters_by_the_next_login(
        self, encode: Callable[[str, str], str], anonymous: APIClient
    ) -> None:
        weak = encode(PASSWORD, "salt" * 6)
        user = UserFactory.create(email=ADDRESS, password=weak)
        body = {"email": ADDRESS, "password": PASSWORD}

        token = anonymous.post("/api/auth/login", body).data["access_token"]

        user.refresh_from_db()
        assert user.password.startswith(OURS)
        assert user.check_password(PASSWORD)
        bearer = {"Authorization": f"Bearer {token}"}
        assert anonymous.get("/api/auth/me", headers=bearer).status_code == 200
