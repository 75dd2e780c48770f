"""Idempotency keys, the claims that locks are made of, and queued tasks.

The tables of the first two belong to the app ``api``, whose migrations made them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import uuid4
from zlib import crc32

from django.conf import settings
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone


class IdempotencyKeyManager(models.Manager["IdempotencyKey"]):
    def delete_responses_about(self, name: str, pk: int) -> None:
        """Delete the stored responses that show a row, such as ``customer_id`` 7."""
        shown = f'"{name}":{pk}'
        # Both ways in which the compact JSON goes on after a number.
        within = Q(body__contains=f"{shown},") | Q(body__contains=f"{shown}}}")
        self.filter(within).delete()


class IdempotencyKey(models.Model):
    """A key that a user sent with a request, and the response once there is one.

    A row without a response binds nothing: its request was rejected or is under way.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="idempotency_keys",
    )
    digest = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64, default="", blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    headers = models.JSONField(default=dict, blank=True)
    body = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    answered_at = models.DateTimeField(null=True, blank=True)

    objects = IdempotencyKeyManager()

    class Meta:
        app_label = "api"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "digest"], name="idempotency_key_once_per_user"
            ),
        ]

    def __str__(self) -> str:
        return f"key {self.pk} of user {self.user_id}"


class RowClaimManager(models.Manager["RowClaim"]):
    def touch(self, model: type[models.Model], pk: int) -> None:
        """Write the row that stands for another one, within the present transaction."""
        bucket = crc32(f"{model._meta.db_table}:{pk}".encode()) % RowClaim.BUCKETS
        with connection.cursor() as cursor:
            cursor.execute(MYSQL_CLAIM, {"bucket": bucket})


class RowClaim(models.Model):
    """What the transactions of a cluster write that rely on one and the same row.

    A lock holds on one node, and only writes collide between nodes. Each row that may
    be locked has a number, which it shares with a few others: the table stays small,
    and two that share one wait for each other a little.
    """

    BUCKETS = 2**16

    bucket = models.PositiveIntegerField(primary_key=True)
    times = models.PositiveBigIntegerField()

    objects = RowClaimManager()

    class Meta:
        app_label = "api"
        default_permissions = ()

    def __str__(self) -> str:
        return f"claim {self.bucket}"


MYSQL_CLAIM = """
INSERT INTO api_rowclaim (`bucket`, `times`) VALUES (%(bucket)s, 1)
ON DUPLICATE KEY UPDATE `times` = `times` + 1
"""


def new_key() -> str:
    return uuid4().hex


class QueuedTaskQuerySet(models.QuerySet["QueuedTask"]):
    def due(self, queue: str, now: datetime) -> Self:
        """Keep what a worker may take: it is time, and no lease holds any more."""
        waiting = self.filter(queue=queue, state=QueuedTask.State.WAITING)
        return waiting.filter(due_at__lte=now).order_by("due_at", "pk")

    def finished_before(self, moment: datetime, *states: str) -> Self:
        return self.filter(state__in=states, finished_at__lt=moment)


class QueuedTask(models.Model):
    """Something that a worker does after the transaction that asked for it: a mail.

    ``core.outbox`` writes these rows. ``payload`` says what to do, and holds no secret:
    a link in a mail is made when it is sent.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"
        NOT_NEEDED = "not_needed", "Not needed"
        FAILED = "failed", "Failed"

    kind = models.CharField(max_length=64)
    #: Short and long tasks have workers of their own, so that no mail waits for hours.
    queue = models.CharField(max_length=16)
    payload = models.JSONField(default=dict, blank=True)
    #: For people: to whom a mail goes, and what a task is about.
    recipient = models.CharField(max_length=320, blank=True, db_index=True)
    subject = models.CharField(max_length=200, blank=True)
    #: The same for all attempts, and never used again, not even after a restore.
    key = models.CharField(max_length=32, default=new_key, editable=False)
    state = models.CharField(
        max_length=16, choices=State.choices, default=State.WAITING
    )
    #: When a worker may take it. While one works on it: when its lease ends.
    due_at = models.DateTimeField(default=timezone.now)
    #: Names the attempt that is under way; empty if none is.
    lease = models.CharField(max_length=32, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    #: Why the last attempt failed, or why there was nothing to do.
    remark = models.CharField(max_length=500, blank=True)
    #: How far a long task has come: 500 of 20,000 rows. Its next attempt begins there.
    progress = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = QueuedTaskQuerySet.as_manager()

    class Meta:
        verbose_name = "mail or task"
        verbose_name_plural = "mail and tasks"
        default_permissions = ("view",)
        permissions = [("retry_queuedtask", "Can have a failed task done again")]
        constraints = [
            models.UniqueConstraint(fields=["key"], name="queued_task_key_unique"),
            models.CheckConstraint(
                condition=Q(lease="") | Q(state="waiting"),
                name="queued_task_leased_only_while_waiting",
            ),
        ]
        indexes = [
            models.Index(fields=["queue", "state", "due_at"], name="queued_task_due"),
        ]

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ').capitalize()} {self.pk}"
