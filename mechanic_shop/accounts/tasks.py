"""The mails about logins: links that set a password, and changed addresses."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from mechanic_shop.core.mails import mail
from mechanic_shop.core.outbox import TaskDropped

from .models import User
from .services import find_or_invite

#: To one address; whoever asks for them may be a stranger.
LINKS_PER_HOUR = 5
#: To an old address, which nobody had to prove to be theirs.
CHANGES_PER_HOUR = 5


@mail("password_link", "Password link", per_hour=LINKS_PER_HOUR)
def make_password_link(user_id: int) -> EmailMessage:
    """Make the mail that invites somebody, or that staff sends on request."""
    return make_link_mail(User.objects.filter(pk=user_id).first())


@mail("password_reset", "Forgotten password", per_hour=LINKS_PER_HOUR)
def make_password_reset(email: str) -> EmailMessage:
    """Make the mail to an address that somebody typed; it may belong to nobody."""
    return make_link_mail(find_or_invite(email=email))


@mail("email_changed", "Changed address", per_hour=CHANGES_PER_HOUR)
def make_email_changed(old_email: str) -> EmailMessage:
    """Make the mail to the old address of a login that has another one now."""
    context = {"shop_name": settings.SHOP_NAME}
    return EmailMessage(
        f"Your email address at {settings.SHOP_NAME} was changed",
        render_to_string("accounts/email_changed_email.txt", context),
        to=[old_email],
    )


def make_link_mail(user: User | None) -> EmailMessage:
    """Make a mail with a new link.

    :raises TaskDropped: if there is no such login, or it is closed
    """
    if user is None:
        raise TaskDropped("No login has this address.")
    if not user.is_active:
        raise TaskDropped("The login is closed.")
    path = reverse(
        "password-set",
        kwargs={
            "uidb64": urlsafe_base64_encode(force_bytes(user.pk)),
            "token": default_token_generator.make_token(user),
        },
    )
    # Without the name, which anybody can type: the address may be a stranger's.
    context = {"shop_name": settings.SHOP_NAME, "link": f"{settings.PUBLIC_URL}{path}"}
    return EmailMessage(
        f"Set your password at {settings.SHOP_NAME}",
        render_to_string("accounts/set_password_email.txt", context),
        to=[user.email],
    )
