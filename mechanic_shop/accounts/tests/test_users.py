from __future__ import annotations

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


def create_superuser(email: str) -> None:
    call_command(
        "createsuperuser",
        "--noinput",
        email=email,
        first_name="Robin",
        last_name="Owner",
        verbosity=0,
    )


class TestUser:
    @pytest.mark.parametrize(
        "typed", ["ROBIN@EXAMPLE.COM", "  robin@Example.com ", "Robin@example.com\n"]
    )
    def test_keeps_the_email_in_one_spelling(self, typed: str) -> None:
        created = User.objects.create_user(typed, PASSWORD)
        saved = UserFactory.create(email=f"  x{typed.lstrip()}")

        created.refresh_from_db()
        saved.refresh_from_db()
        assert created.email == "robin@example.com"
        assert saved.email == "xrobin@example.com"

    def test_is_one_for_an_address_however_it_is_spelled(self) -> None:
        UserFactory.create(email="robin@example.com")

        with pytest.raises(IntegrityError), transaction.atomic():
            UserFactory.create(email=" ROBIN@example.COM")

        assert User.objects.count() == 1

    def test_signs_in_with_any_spelling_of_the_email(self) -> None:
        user = UserFactory.create(email="robin@example.com")

        assert authenticate(username=" Robin@EXAMPLE.com", password=PASSWORD) == user

    @pytest.mark.parametrize(
        "email",
        ["röbin@example.com", "robin@exämple.com", "робин@example.com", "robin"],
    )
    def test_refuses_an_address_that_is_malformed_or_not_ascii(
        self, email: str
    ) -> None:
        user = UserFactory.build(email=email)

        with pytest.raises(ValidationError) as refusal:
            user.full_clean()

        assert refusal.value.message_dict.keys() == {"email"}

    def test_takes_the_ascii_form_of_an_international_domain(self) -> None:
        UserFactory.build(email="robin@xn--exmple-cua.com").full_clean()

    def test_without_a_password_cannot_be_opened_by_one(self) -> None:
        user = User.objects.create_user("robin@example.com")

        assert not user.has_usable_password()
        assert authenticate(username=user.email, password="") is None


class TestCreateSuperuser:
    def test_makes_a_login_that_may_do_everything(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

        create_superuser("Robin@EXAMPLE.com")

        user = User.objects.get()
        assert (user.email, user.full_name) == ("robin@example.com", "Robin Owner")
        assert (user.is_staff, user.is_superuser, user.is_active) == (True, True, True)
        assert authenticate(username="robin@example.com", password=PASSWORD) == user

    def test_refuses_a_taken_address_in_another_spelling(self) -> None:
        UserFactory.create(email="robin@example.com")

        with pytest.raises((CommandError, IntegrityError)), transaction.atomic():
            create_superuser("ROBIN@example.com")

        assert not User.objects.get().is_superuser

    def test_asks_for_the_name_too(self) -> None:
        with pytest.raises(CommandError, match="first_name"):
            call_command("createsuperuser", "--noinput", email="robin@example.com")

        assert not User.objects.exists()
