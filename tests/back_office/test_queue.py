"""The page of the queue: what went out, what waits, what failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client

from mechanic_shop.accounts.roles import MANAGER, SERVICE_ADVISOR
from mechanic_shop.accounts.services import request_password_reset
from mechanic_shop.core.models import QueuedTask
from mechanic_shop.core.outbox import MAX_ATTEMPTS
from tests.support.back_office import (
    answer_dialog,
    browser_of,
    make_user,
    page_of,
    run_action,
    text_of,
    url,
)

pytestmark = pytest.mark.django_db

LIST = url(QueuedTask, "changelist")
Mails = Callable[[], list[EmailMessage]]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, sent_mails: Mails) -> QueuedTask:
    """A mail that was tried for the last time."""
    task = new_task(attempts=MAX_ATTEMPTS - 1)

    def refuse(self: EmailBackend, messages: list[EmailMessage]) -> int:
        raise ConnectionRefusedError("nobody listens")

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", refuse)
        sent_mails()
    task.refresh_from_db()
    return task


def new_task(**fields: Any) -> QueuedTask:
    request_password_reset(email=make_user("maya", MANAGER).email)
    QueuedTask.objects.update(**fields)
    return QueuedTask.objects.get()


def statuses(desk: Client, **filters: str) -> list[str]:
    model_admin = desk.get(LIST, filters).context["cl"]
    return [model_admin.model_admin.status(task) for task in model_admin.result_list]


class TestQueuePage:
    def test_shows_what_waits_and_what_was_sent(
        self, desk: Client, sent_mails: Mails
    ) -> None:
        new_task()

        assert statuses(desk) == ["Waiting"]
        sent_mails()
        assert statuses(desk) == statuses(desk, state="done") == ["Sent"]

    def test_shows_what_failed_and_why(self, desk: Client, refused: QueuedTask) -> None:
        shown = text_of(desk.get(LIST))

        assert statuses(desk) == ["Failed"]
        assert refused.recipient in shown
        assert "ConnectionRefusedError: nobody listens" in shown

    def test_sends_again_what_failed(
        self, desk: Client, refused: QueuedTask, sent_mails: Mails
    ) -> None:
        _, said = answer_dialog(desk, url(QueuedTask, "retry", refused.pk))

        assert said == "It is tried again."
        assert [mail.to for mail in sent_mails()] == [[refused.recipient]]
        assert statuses(desk) == ["Sent"]

    def test_sends_again_all_that_are_selected(
        self, desk: Client, refused: QueuedTask, sent_mails: Mails
    ) -> None:
        request_password_reset(email=refused.recipient)
        other = QueuedTask.objects.latest("pk")

        said = run_action(desk, "retry_selected", [refused, other], confirmed="yes")

        assert said == "1 tried again."
        assert len(sent_mails()) == 2

    def test_offers_no_button_for_what_waits(self, desk: Client) -> None:
        task = new_task()

        assert url(QueuedTask, "retry", task.pk) not in text_of(desk.get(page_of(task)))
        _, said = answer_dialog(desk, url(QueuedTask, "retry", task.pk))
        assert said == "Only what has failed can be sent again."

    def test_shows_no_link(self, desk: Client, sent_mails: Mails) -> None:
        task = new_task()
        (mail,) = sent_mails()
        token = str(mail.body).split("/account/password/")[1].split("/")[1]

        for page in (LIST, page_of(task)):
            assert token not in text_of(desk.get(page))
            assert task.key not in text_of(desk.get(page))
        assert token not in str(QueuedTask.objects.values())

    @pytest.mark.parametrize("field", ["payload", "key", "lease"])
    def test_is_not_searched_by_what_it_hides(self, desk: Client, field: str) -> None:
        page = desk.get(LIST, {f"{field}__startswith": "a"})

        assert page.status_code == 400

    @pytest.mark.parametrize(
        ("role", "status"), [(MANAGER, 200), (SERVICE_ADVISOR, 403)]
    )
    def test_is_for_managers(self, role: str, status: int) -> None:
        browser = browser_of(make_user("somebody", role))

        assert browser.get(LIST).status_code == status

    def test_needs_a_permission_of_its_own_to_send_again(
        self, refused: QueuedTask
    ) -> None:
        viewer = make_user("vera", MANAGER)
        group = viewer.groups.get()
        group.permissions.remove(group.permissions.get(codename="retry_queuedtask"))

        answer = browser_of(viewer).get(url(QueuedTask, "retry", refused.pk))

        assert answer.status_code == 403
        refused.refresh_from_db()
        assert refused.state == QueuedTask.State.FAILED
