"""The mail to somebody who registers with an address that the shop knows."""

from __future__ import annotations

from django.core.mail import EmailMessage

from mechanic_shop.accounts.tasks import LINKS_PER_HOUR, make_link_mail
from mechanic_shop.core.mails import mail

from .services import invite_walk_in


@mail("registration", "Registration with a known address", per_hour=LINKS_PER_HOUR)
def make_invitation(email: str) -> EmailMessage:
    """Make the mail that joins a customer whom the shop entered with a login."""
    return make_link_mail(invite_walk_in(email=email))
