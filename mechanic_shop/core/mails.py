"""Mails as tasks of the queue: an app says how one is made, a worker sends it.

``@mail("password_link", "Password link")`` in an app's ``tasks.py`` decorates a
function of the payload, which returns the mail. It is made anew for each attempt: links
in it are made then, and are stored nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parseaddr
from smtplib import SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import EmailMessage

from .models import QueuedTask
from .outbox import SHORT, TaskFailed, task

MakeMail = Callable[..., EmailMessage]


def mail(name: str, title: str) -> Callable[[MakeMail], MakeMail]:
    """Register a function as what makes a kind of mail."""

    def register(make: MakeMail) -> MakeMail:
        @task(name, title, queue=SHORT)
        def make_and_send(queued: QueuedTask) -> None:
            send(queued, make(**queued.payload))

        return make

    return register


def send(queued: QueuedTask, message: EmailMessage) -> None:
    """Send a mail under the Message-ID of its task.

    Each attempt has the same, so that a mailbox can tell that it has the mail already.

    :raises TaskFailed: if the mail server knows no such mailbox
    """
    message.extra_headers["Message-ID"] = f"<{queued.key}@{_sender_domain()}>"
    queued.recipient = ", ".join(message.to)[:320]
    try:
        message.send()
    except SMTPRecipientsRefused as error:
        answers = [code for code, _ in error.recipients.values()]
        if min(answers) < 500:  # RFC 5321: what begins with a 4 may pass
            raise
        raise TaskFailed(f"The mail server refused the address: {error}") from error


def _sender_domain() -> str:
    _, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return address.partition("@")[2] or "localhost"
