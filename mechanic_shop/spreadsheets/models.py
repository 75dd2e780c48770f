"""Uploaded spreadsheets between their upload and the end of their import."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils import timezone

from mechanic_shop.core.models import QueuedTask


def new_name() -> str:
    return uuid4().hex


class UploadQuerySet(models.QuerySet["Upload"]):
    def expired(self, now: datetime) -> Self:
        """Keep what nobody came back to; an import may wait longer for a worker."""
        under_way = (Upload.State.PLANNING, Upload.State.IMPORTING)
        old = self.filter(created_at__lt=now - Upload.EXPIRES_AFTER)
        forgotten = self.filter(created_at__lt=now - Upload.GIVEN_UP_AFTER)
        return old.exclude(state__in=under_way) | forgotten


class Upload(models.Model):
    """An uploaded spreadsheet, what importing it would change, and how far it is.

    It is stored in the database, because another server may get the next request.
    """

    class State(models.TextChoices):
        PLANNING = "planning", "Being read"
        UNREADABLE = "unreadable", "Cannot be read"
        PLANNED = "planned", "Waiting for confirmation"
        IMPORTING = "importing", "Being imported"
        STOPPED = "stopped", "Stopped"
        DONE = "done", "Imported"

    #: After this time the file has to be uploaded again.
    EXPIRES_AFTER = timedelta(hours=1)
    GIVEN_UP_AFTER = timedelta(days=2)

    name = models.CharField(max_length=32, primary_key=True, default=new_name)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads"
    )
    #: What the rows are, such as ``inventory.part``.
    target = models.CharField(max_length=100)
    suffix = models.CharField(max_length=8)
    content = models.BinaryField()
    state = models.CharField(
        max_length=16, choices=State.choices, default=State.PLANNING
    )
    #: What a worker does with the file, if it is a large one.
    task = models.ForeignKey(
        QueuedTask, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    #: What the page of the plan shows; ``plans.describe`` makes it.
    plan = models.JSONField(default=dict, blank=True)
    #: Why the file cannot be read, why the import stopped, or what it did.
    message = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(
        default=timezone.now, editable=False, db_index=True
    )

    objects = UploadQuerySet.as_manager()

    class Meta:
        # Only the import itself uses these rows.
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
