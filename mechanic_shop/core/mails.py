"""Mails as tasks of the queue: an app says how one is made, a worker sends it.

``@mail("password_link", "Password link")`` in an app's ``tasks.py`` decorates a
function of the payload, which returns the mail. It is made anew for each attempt: links
in it are made then, and are stored nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from email.utils import parseaddr
from smtplib import SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone

from .models import QueuedTask
from .outbox import SHORT, TaskDropped, TaskFailed, task

MakeMail = Callable[..., EmailMessage]


def mail(
    name: str, title: str, *, per_hour: int | None = None
) -> Callable[[MakeMail], MakeMail]:
    """Register a function as what makes a kind of mail.

    ``per_hour`` is for mails that strangers can ask for: one is not sent if its address
    got so many of this kind within the last hour. Other kinds do not count: whoever
    asks for links keeps no warning from the owner of the address.
    """

    def register(make: MakeMail) -> MakeMail:
        @task(name, title, queue=SHORT)
        def make_and_send(queued: QueuedTask) -> None:
            message = make(**queued.payload)
            if per_hour is not None:
                _check_limit(queued.kind, message, per_hour)
            send(queued, message)

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


def _check_limit(kind: str, message: EmailMessage, per_hour: int) -> None:
    """:raises TaskDropped: if the address got too many such mails within an hour"""
    an_hour_ago = timezone.now() - timedelta(hours=1)
    sent = QueuedTask.objects.filter(
        kind=kind,
        recipient=", ".join(message.to),
        state=QueuedTask.State.DONE,
        finished_at__gt=an_hour_ago,
    )
    if sent.count() >= per_hour:
        raise TaskDropped(
            f"The address got {per_hour} such mails within the last hour."
        )


def _sender_domain() -> str:
    _, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return address.partition("@")[2] or "localhost"
