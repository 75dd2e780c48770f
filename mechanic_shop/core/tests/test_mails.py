"""Mails of the queue: one Message-ID for all attempts, and no attempt too many."""

from __future__ import annotations

from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core.mail import EmailMessage
from pytest_django import Settings

from mechanic_shop.core import mails
from mechanic_shop.core.models import QueuedTask
from mechanic_shop.core.outbox import TaskFailed

ADDRESS = "ada@example.com"


class RefusedMail(EmailMessage):
    """A mail whose recipients the server refuses, each with a code."""

    def __init__(self, *codes: int) -> None:
        super().__init__(to=[f"{code}@example.com" for code in codes])
        self.refusals = {f"{code}@example.com": (code, b"no") for code in codes}

    def send(self, *args: Any, **kwargs: Any) -> int:
        raise SMTPRecipientsRefused(self.refusals)


class TestSend:
    @pytest.mark.parametrize(
        ("sender", "domain"),
        [
            ("Shop <desk@shop.example>", "shop.example"),
            ("desk@localhost", "localhost"),
            ("desk", "localhost"),
        ],
    )
    def test_uses_the_key_of_the_task_as_message_id(
        self,
        settings: Settings,
        mailoutbox: list[EmailMessage],
        sender: str,
        domain: str,
    ) -> None:
        settings.DEFAULT_FROM_EMAIL = sender
        task = QueuedTask()

        for _ in range(2):
            mails.send(task, EmailMessage("Hello", to=[ADDRESS]))

        ids = [mail.message()["Message-ID"] for mail in mailoutbox]
        assert ids == [f"<{task.key}@{domain}>"] * 2

    def test_notes_to_whom_it_went(self, mailoutbox: list[EmailMessage]) -> None:
        task = QueuedTask(recipient="old@example.com")

        mails.send(task, EmailMessage("Hello", to=[ADDRESS]))

        assert task.recipient == ADDRESS

    @pytest.mark.parametrize("codes", [(550,), (550, 553)])
    def test_gives_up_an_address_that_there_is_not(self, codes: tuple[int]) -> None:
        with pytest.raises(TaskFailed, match="550"):
            mails.send(QueuedTask(), RefusedMail(*codes))

    @pytest.mark.parametrize("codes", [(450,), (550, 451)])
    def test_tries_again_where_that_may_help(self, codes: tuple[int]) -> None:
        with pytest.raises(SMTPRecipientsRefused):
            mails.send(QueuedTask(), RefusedMail(*codes))
