"""Paths have two spellings, with and without a slash, and no third one."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from mechanic_shop.accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


class TestPaths:
    @pytest.mark.parametrize(
        "path", ["/api", "/api/schema", "/api/docs", "/api/redoc", "/api/login"]
    )
    def test_pages_under_api_answer_with_and_without_slash(
        self, anonymous: APIClient, path: str
    ) -> None:
        bare, slashed = anonymous.get(path), anonymous.get(f"{path}/")

        assert (bare.status_code, slashed.status_code) == (200, 200)

    @pytest.mark.parametrize("path", ["/api/customers", "/api/customers/"])
    def test_post_keeps_its_body_with_a_slash(self, shop: APIClient, path: str) -> None:
        body = {"first_name": "Ann", "last_name": "Lee", "phone": "1"}

        response = shop.post(path, body)

        assert response.status_code == 201
        assert response.json()["last_name"] == "Lee"

    @pytest.mark.parametrize(
        "path", ["/api//customers", "/api/customers//", "/api/Customers", "/api//"]
    )
    def test_path_in_any_other_spelling_is_a_404(
        self, shop: APIClient, path: str
    ) -> None:
        response = shop.get(path)

        assert response.status_code == 404
        assert response.json()["code"] == "not_found"

    def test_id_in_digits_of_another_script_is_a_404(self, shop: APIClient) -> None:
        user = UserFactory.create()

        response = shop.get(f"/api/customers/{chr(0x660 + user.pk % 10)}")

        assert response.status_code == 404
        assert response.json()["message"] == "There is nothing at this address."
