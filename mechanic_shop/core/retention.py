"""How long tasks are kept that are done, and those that have failed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet

from .models import QueuedTask

#: For somebody who asks what became of a mail.
DONE_KEPT = timedelta(days=30)
FAILED_KEPT = timedelta(days=90)


def old_tasks(now: datetime) -> QuerySet[QueuedTask]:
    """Return the tasks of which nobody asks any more; none of them waits."""
    done = QueuedTask.objects.finished_before(
        now - DONE_KEPT, QueuedTask.State.DONE, QueuedTask.State.NOT_NEEDED
    )
    failed = QueuedTask.objects.finished_before(
        now - FAILED_KEPT, QueuedTask.State.FAILED
    )
    return done | failed
