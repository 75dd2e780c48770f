from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from customers.models import Customer
from mechanic_shop.accounts.services import start_session
from mechanic_shop.accounts.tests.factories import PASSWORD, UserFactory
from mechanic_shop.testing.contract import ResourceContract
from mechanic_shop.testing.garage import Garage

NEW_PASSWORD = "a-different-staple-horse"


class TestSessionContract(ResourceContract):
    """Tokens and mailed links speak for themselves; the rest needs a sign-in."""

    path = "/auth"
    access = """
    own other tech adv mgr staff
    200                             POST   /refresh  refresh token
    200                             POST   /password-reset  address
    204                             POST   /password-reset/confirm  mailed link
    204 204   204  204 204 204      POST   /logout
    204 204   204  204 204 204      POST   /password  new password
    """
    bodies = {
        "refresh token": {"refresh_token": "{refresh_token}"},
        "address": {"email": "{address}"},
        "mailed link": {
            "uid": "{uid}",
            "token": "{token}",
            "new_password": NEW_PASSWORD,
        },
        "new password": {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
    }
    fields_of = {
        "refresh token": "refresh_token",
        "address": "email",
        "mailed link": "uid token new_password",
        "POST /logout": "refresh_token",
        "new password": "current_password new_password",
    }
    takes_keys = False
    limits = {"POST /password": "PASSWORD", "POST /password-reset": "PASSWORD_RESET"}

    def make_rows(self, customer: Customer, garage: Garage) -> Mapping[str, Any]:
        user = UserFactory.create()
        return {
            "address": user.email,
            "refresh_token": start_session(user=user).refresh_token,
            "uid": urlsafe_base64_encode(force_bytes(user.pk)),
            "token": default_token_generator.make_token(user),
        }
