"""Users, and their sessions with the API."""

from __future__ import annotations

from hashlib import sha256
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, Permission, PermissionsMixin
from django.db import models, transaction
from django.utils import timezone

from mechanic_shop.core.emails import normalize_email, validate_ascii_email
from mechanic_shop.core.one_line import OneLineField
from mechanic_shop.core.prepared_queries import PreparedQuery

from . import permission_loading

if TYPE_CHECKING:
    from collections.abc import Iterator


class UserManager(BaseUserManager["User"]):
    def create_user(
        self, email: str, password: str | None = None, **fields: Any
    ) -> User:
        """Create a login; without a password it needs a mailed link to set one."""
        user = self.model(email=normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, email: str, password: str | None = None, **fields: Any
    ) -> User:
        """Create the login that ``manage.py createsuperuser`` asks for."""
        return self.create_user(
            email, password, is_staff=True, is_superuser=True, **fields
        )

    def get_by_natural_key(self, username: str | None) -> User:
        """Return the login of exactly this address, whatever the collation says.

        :raises User.DoesNotExist: if the database finds one by another spelling only
        """
        email = normalize_email(username or "")
        user: User = self.get(email=email)
        if user.email != email:
            raise User.DoesNotExist
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """The identity behind every request; customers and mechanics may be linked to one.

    ``email`` is the login. It is stored trimmed and lower-cased.
    """

    email = models.EmailField(validators=[validate_ascii_email])
    first_name = OneLineField(max_length=255)
    last_name = OneLineField(max_length=255)
    is_staff = models.BooleanField(
        "staff", default=False, help_text="May open the back office."
    )
    is_active = models.BooleanField(
        "active",
        default=True,
        help_text="Switch this off instead of deleting a login; it ends every session.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    session_salt = models.CharField(
        max_length=32, default="", db_default="", editable=False
    )

    objects = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["first_name", "last_name"]

    #: The ids of the user's permissions, if they were loaded with the user; empty for a
    #: user with neither permissions nor groups.
    permission_ids: list[int | None] | None = None
    #: The names of the user's groups, once they were loaded.
    group_names: list[str] | None = None
    #: The names of the user's permissions, once they were loaded.
    _perm_cache: set[str]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                name="user_email_unique",
                violation_error_message="This email address is already in use.",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def get_session_auth_hash(self) -> str:
        return self._salted(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        return map(self._salted, super().get_session_auth_fallback_hash())

    def _salted(self, auth_hash: str) -> str:
        """Bind a session to the salt; without one the password alone counts."""
        if not self.session_salt:
            return auth_hash
        # No second HMAC, whose key would be the new one for the fallbacks as well.
        return sha256(f"{self.session_salt}:{auth_hash}".encode()).hexdigest()

    def end_sessions(self) -> None:
        """End all sessions, also those with a cookie, whose rows name no user."""
        self.session_salt = token_hex(16)
        self.save(update_fields=["session_salt"])
        self.sessions.still_alive().revoke()

    def clean(self) -> None:
        self.email = normalize_email(self.email)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = normalize_email(self.email)
        fields = kwargs.get("update_fields")
        with transaction.atomic():
            super().save(*args, **kwargs)
            if fields is None or "email" in fields:
                self._sync_customer_email()
            if not self.is_active:
                self.sessions.still_alive().revoke()

    def _sync_customer_email(self) -> None:
        """Copy the login's address to the linked customer: both are always equal."""
        customer = getattr(self, "customer", None)
        if customer is not None and customer.email != self.email:
            customer.email = self.email
            customer.save(update_fields=["email", "updated_at"])


class SessionQuerySet(models.QuerySet["Session"]):
    def still_alive(self) -> Self:
        return self.filter(revoked_at=None)

    def load(self, identifier: str, user_id: int) -> Session | None:
        """Return a user's session with the user and their permissions, in one query."""
        return _with_permissions(SESSION_BY_IDENTIFIER.first(identifier, user_id))

    def load_by_number(self, pk: int, user_id: int) -> Session | None:
        """Return what ``load`` does, by the row number that tokens once carried.

        The caller has to make sure that the row is the one that the token was made for:
        databases give a number again.
        """
        return _with_permissions(SESSION_BY_NUMBER.first(pk, user_id))

    def revoke(self) -> int:
        """End these sessions now; their access and refresh tokens stop working."""
        return self.update(revoked_at=timezone.now())


def make_identifier() -> str:
    """Make a name that nobody can guess and that no session had before."""
    return token_hex(16)


class Session(models.Model):
    """One sign-in through the API, from login until logout.

    Its tokens name it by ``identifier``, which is random, because row numbers begin
    again where a database is restored; sessions of the release before have none.
    ``refresh_jti`` names the only refresh token that works; ``auth_hash`` is a
    fingerprint of the user's password and ``session_salt`` at sign-in, so any change of
    these, wherever it is made, ends the session.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    identifier = models.CharField(max_length=32, null=True, editable=False)
    refresh_jti = models.CharField(max_length=32)
    auth_hash = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["refresh_jti"], name="session_refresh_jti_unique"
            ),
            models.UniqueConstraint(
                fields=["identifier"], name="session_identifier_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"session {self.pk} of user {self.user_id}"


def _with_user(**conditions: Any) -> SessionQuerySet:
    return (
        Session.objects.select_related("user")
        .annotate(**permission_loading.permission_id_columns("user_id"))
        .filter(**conditions)
    )


def _with_permissions(session: Session | None) -> Session | None:
    if session is not None:
        session.user.permission_ids = permission_loading.parse_json_arrays(
            session.group_permission_ids,  # type: ignore[attr-defined]
            session.own_permission_ids,  # type: ignore[attr-defined]
        )
    return session


SESSION_BY_IDENTIFIER = PreparedQuery(
    lambda identifier, user_id: _with_user(identifier=identifier, user_id=user_id)
)
SESSION_BY_NUMBER = PreparedQuery(
    lambda pk, user_id: _with_user(pk=pk, user_id=user_id)
)


class GrantedPermission(models.Model):
    """A record that a group once got a permission of its role.

    It is kept when a shop takes the permission away, so that no later release grants it
    again: see ``roles.grant_role_permissions``.
    """

    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    permission = models.ForeignKey(Permission, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "permission"], name="permission_granted_once"
            )
        ]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.group_id}: {self.permission_id}"
