"""Services for sessions and passwords, and for erasing users."""

from dataclasses import dataclass
from secrets import token_hex
from typing import Protocol

from django.contrib.admin.models import LogEntry
from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, ProtectedError
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.http import urlsafe_base64_decode

from mechanic_shop.core import security_log
from mechanic_shop.core.emails import normalize_email
from mechanic_shop.core.errors import NotAuthenticated
from mechanic_shop.core.outbox import enqueue, erase_recipients
from mechanic_shop.core.transactions import retry_on_deadlock

from .models import Session, User, make_identifier
from .roles import is_staff_login
from .tokens import INVALID, ShopRefreshToken, read_claims


class UnknownEmailHook(Protocol):
    def __call__(self, *, email: str) -> User | None: ...


#: Called when a reset is requested for an unknown address, and return a login if one is
#: due to it; ``customers`` adds a hook.
unknown_email_hooks: list[UnknownEmailHook] = []


@dataclass(frozen=True)
class TokenPair:
    access_token: str
    refresh_token: str


class WrongCredentials(NotAuthenticated):
    """The email address and the password match no active login."""

    code = "wrong_credentials"
    default_message = "The email address or the password is wrong."


class SessionEnded(NotAuthenticated):
    """A token is malformed, expired, used or revoked."""

    code = "token_not_valid"
    default_message = "This token is not valid any more. Please sign in again."


def check_credentials(*, email: str, password: str) -> User:
    """Return the user behind an email address and password.

    An unknown address, a wrong password and a deactivated login take the same time and
    raise the same error. Callers throttle the attempts: see ``login_throttling`` of the
    API.

    :raises WrongCredentials: if they match no active login
    """
    user = authenticate(username=normalize_email(email), password=password)
    if user is None:
        raise WrongCredentials
    assert isinstance(user, User)
    return user


def sign_in(*, user: User) -> TokenPair:
    """Start a session, and end the links that set a password and were mailed before.

    A link is made for the last sign-in, as Django's own are.
    """
    _save_last_login(user)
    return start_session(user=user)


@retry_on_deadlock
def _save_last_login(user: User) -> None:
    User.objects.filter(pk=user.pk).update(last_login=timezone.now())


@retry_on_deadlock
def start_session(*, user: User) -> TokenPair:
    """Create a session and its two tokens, which are valid as long as the session."""
    session = Session(
        user=user,
        identifier=make_identifier(),
        refresh_jti=token_hex(16),
        auth_hash=user.get_session_auth_hash(),
    )
    session.save()
    security_log.record("login_ok", user_id=user.pk, session_id=session.pk)
    return _issue(session)


@retry_on_deadlock
def rotate_session(*, refresh_token: str) -> TokenPair:
    """Exchange a refresh token for a new pair; each token works exactly once.

    The exchange is one UPDATE, so only one of many concurrent requests succeeds. A
    token that was exchanged before must be a copy: its whole session ends.

    :raises SessionEnded: if the token is malformed, expired, used or revoked
    """
    token = _parse(refresh_token)
    claims = read_claims(token)
    session = claims and claims.find()
    if session is None or not is_alive(session):
        raise SessionEnded
    session.identifier = session.identifier or make_identifier()
    if not _replace_refresh_token(session, token["jti"]):
        # If many copies arrive at once, only the one that ends the session is logged.
        if Session.objects.still_alive().filter(pk=session.pk).revoke():
            security_log.record(
                "refresh_token_reused", user_id=session.user_id, session_id=session.pk
            )
        raise SessionEnded
    return _issue(session)


def _replace_refresh_token(session: Session, used_jti: str) -> bool:
    """Return whether this call is the one that exchanged the used token."""
    session.refresh_jti = token_hex(16)
    rows = Session.objects.still_alive().filter(pk=session.pk, refresh_jti=used_jti)
    changed = rows.update(
        refresh_jti=session.refresh_jti,
        identifier=session.identifier,
        refreshed_at=timezone.now(),
    )
    return bool(changed)


def is_alive(session: Session) -> bool:
    """Return whether a session is still valid; ``session.user`` has to be loaded."""
    return (
        session.revoked_at is None
        and session.user.is_active
        and constant_time_compare(
            session.auth_hash, session.user.get_session_auth_hash()
        )
    )


@retry_on_deadlock
def end_session(*, session: Session) -> None:
    """Sign out: the session's access and refresh tokens stop working."""
    if Session.objects.still_alive().filter(pk=session.pk).revoke():
        security_log.record("logout", user_id=session.user_id, session_id=session.pk)


def set_password(*, user: User, password: str) -> None:
    """Give a user a new password and end all their sessions."""
    # Hash before the transaction: it takes tens of milliseconds.
    user.set_password(password)
    save_password(user=user)


def save_password(*, user: User, by_id: int | None = None) -> None:
    """Store a password that is set already, and end all sessions of the API.

    Those of the back office end by themselves: they hold the password's fingerprint.
    """
    ended = _save_password(user)
    security_log.record(
        "password_changed", user_id=user.pk, by_id=by_id, sessions_ended=ended
    )


def check_current_password(*, user: User, password: str) -> None:
    """:raises ValidationError: if it is not the user's password, which is logged"""
    if not user.check_password(password):
        security_log.record("password_refused", user_id=user.pk)
        raise ValidationError({"current_password": ["This password is wrong."]})


def report_new_email(*, user: User, old_email: str, by: User) -> None:
    """Tell the old address that the login has another one, and end staff's sessions.

    Who reads the new address can set a password. The owner of the login learns of it
    where they can still read it. An invitation that nobody has accepted is not told of:
    its address may be a stranger's.
    """
    security_log.record("email_changed", user_id=user.pk, by_id=by.pk)
    if is_staff_login(user):
        user.end_sessions()
    if user.has_usable_password():
        payload = {"old_email": old_email}
        enqueue(kind="email_changed", payload=payload, recipient=old_email)


def check_new_password(password: str, *, user: User, field: str) -> None:
    """:raises ValidationError: on ``field``, if the password validators reject it"""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({field: error.messages}) from error


def send_set_password_link(*, user: User) -> None:
    """Have a link mailed to the page on which the user chooses a password."""
    payload = {"user_id": user.pk}
    enqueue(kind="password_link", payload=payload, recipient=user.email)


def request_password_reset(*, email: str) -> None:
    """Have a set-password link mailed, if the address belongs to an active login.

    Whose address it is, the worker finds out: here, one of nobody takes as long.
    """
    email = normalize_email(email)
    security_log.record(
        "password_requested",
        account=security_log.account_of(email),
        user_id=User.objects.filter(email=email).values_list("pk", flat=True).first(),
    )
    enqueue(kind="password_reset", payload={"email": email}, recipient=email)


def find_or_invite(*, email: str) -> User | None:
    """Return the login of an address, which ``unknown_email_hooks`` may make."""
    user = User.objects.filter(email=email).first()
    invited = (hook(email=email) for hook in unknown_email_hooks)
    return user or next(filter(None, invited), None)


def confirm_password_reset(*, uid: str, token: str, password: str) -> User:
    """Set the password of the user who got the mailed link; the link works once.

    :raises ValidationError: if the link is invalid or used, or the password weak
    """
    user = _get_link_user(uid)
    if user is None or not default_token_generator.check_token(user, token):
        raise ValidationError({"token": ["This link is not valid any more."]})
    check_new_password(password, user=user, field="new_password")
    set_password(user=user, password=password)
    return user


def anonymize_admin_log(*rows: Model) -> None:
    """Blank the names of these rows in the admin log; its entries are kept."""
    for row in rows:
        LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(row), object_id=str(row.pk)
        ).update(object_repr="(erased)", change_message="")


@transaction.atomic
def erase_user(*, user: User) -> None:
    """Delete a login, or blank all personal data in it.

    If stock movements or events refer to the user, an empty and inactive login is kept
    for them.
    """
    anonymize_admin_log(user)
    erase_recipients(user.email)
    # The caller's object may still hold a customer that was deleted just now.
    user = User.objects.get(pk=user.pk)
    try:
        with transaction.atomic():
            user.delete()
    except ProtectedError:
        user.email = f"erased-{user.pk}@erased.invalid"
        user.first_name = user.last_name = ""
        user.is_active = False
        user.set_unusable_password()
        user.save()
        user.groups.clear()
        user.sessions.all().delete()
        user.idempotency_keys.all().delete()


@retry_on_deadlock
@transaction.atomic
def _save_password(user: User) -> int:
    """Store a password and end all sessions; return how many ended."""
    user.save(update_fields=["password"])
    return user.sessions.still_alive().revoke()


def _get_link_user(uid: str) -> User | None:
    try:
        pk = int(urlsafe_base64_decode(uid).decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        return None
    return User.objects.filter(pk=pk, is_active=True).first()


def _parse(refresh_token: str) -> ShopRefreshToken:
    try:
        return ShopRefreshToken(refresh_token)  # type: ignore[arg-type]
    except INVALID as error:
        raise SessionEnded from error


def _issue(session: Session) -> TokenPair:
    refresh = ShopRefreshToken.for_session(session)
    refresh["jti"] = session.refresh_jti
    return TokenPair(str(refresh.access_token), str(refresh))
