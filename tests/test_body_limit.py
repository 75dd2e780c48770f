"""Bodies outside of the API: small, or from somebody who may import."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import TECHNICIAN

pytestmark = pytest.mark.django_db

IMPORT = "/admin/inventory/part/import/"
HEAD = b'--x\r\nContent-Disposition: form-data; name="a"; filename="a.csv"\r\n\r\n'
FOOT = b"\r\n--x--\r\n"
PATHS = ("/", "/admin/login/", "/admin/", "/admin/inventory/part/add/", "/nowhere")


class Body(io.BytesIO):
    """A body that tells how much of it was read."""

    def __init__(self, size: int = settings.MAX_UPLOAD_BYTES) -> None:
        super().__init__(HEAD + b"x" * (size - len(HEAD) - len(FOOT)) + FOOT)

    @property
    def read_bytes(self) -> int:
        return self.tell()


def post(client: Client, path: str, body: Body, **headers: str) -> Any:
    extra: dict[str, Any] = {
        "CONTENT_TYPE": "multipart/form-data; boundary=x",
        "CONTENT_LENGTH": str(len(body.getbuffer())),
        "wsgi.input": body,
        **headers,
    }
    return client.generic("POST", path, **extra)


def browser(*, checks_csrf: bool = True) -> Client:
    """Return a client whose token against forged requests is looked for in the body."""
    client = Client(enforce_csrf_checks=checks_csrf)
    client.cookies["csrftoken"] = "t" * 32
    return client


def signed_in(
    *, group: str = "", is_superuser: bool = False, checks_csrf: bool = True
) -> Client:
    user = User.objects.create_user(
        "somebody@shop.test", "correct horse battery", is_staff=True
    )
    user.is_superuser = is_superuser
    user.save()
    if group:
        user.groups.add(*user.groups.model.objects.filter(name=group))
    client = browser(checks_csrf=checks_csrf)
    client.force_login(user)
    return client


class TestLargeBody:
    @pytest.mark.parametrize("path", PATHS)
    def test_is_refused_before_it_is_read(self, path: str) -> None:
        body = Body()

        assert post(browser(), path, body).status_code == 413
        assert body.read_bytes == 0

    @pytest.mark.parametrize("path", [*PATHS, IMPORT])
    def test_without_a_length_is_read_to_the_limit(self, path: str) -> None:
        body = Body()
        chunked = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}

        assert (
            post(signed_in(is_superuser=True), path, body, **chunked).status_code == 413
        )
        assert body.read_bytes == settings.MAX_BODY_BYTES + 1

    def test_is_refused_on_a_page(self) -> None:
        page = post(Client(), "/admin/login/", Body()).content.decode()

        assert "No more than 1&nbsp;MB" in page

    def test_of_just_the_limit_is_let_in(self) -> None:
        body = Body(settings.MAX_BODY_BYTES)

        assert post(Client(), "/admin/login/", body).status_code != 413


class TestUpload:
    def test_from_a_stranger_is_refused_unread(self) -> None:
        body = Body()

        assert post(browser(), IMPORT, body).status_code == 403
        assert body.read_bytes == 0

    def test_without_the_permission_is_refused_unread(self) -> None:
        body = Body()

        assert post(signed_in(group=TECHNICIAN), IMPORT, body).status_code == 403
        assert body.read_bytes == 0

    def test_with_the_permission_is_read(self) -> None:
        body = Body()

        post(signed_in(is_superuser=True, checks_csrf=False), IMPORT, body)

        assert body.read_bytes > settings.MAX_BODY_BYTES

    def test_over_the_limit_of_uploads_is_refused_unread(self) -> None:
        body = Body(settings.MAX_UPLOAD_BYTES + 1)

        assert post(signed_in(is_superuser=True), IMPORT, body).status_code == 413
        assert body.read_bytes == 0
