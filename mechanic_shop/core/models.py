"""Idempotency keys, which services forget, and the claims that locks are made of.

Their tables belong to the app ``api``, whose migrations made them. Its ``models.py``
imports these classes, so that Django knows them.
"""

from __future__ import annotations

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
