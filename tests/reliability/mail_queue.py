"""The queue of a shop, and workers that send its mail to a server of the tests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..support.server import ROOT, Server
from .load import until
from .mail_server import MailServer


class Queue:
    """The queue of a shop, and its workers, which use one mail server."""

    def __init__(self, server: Server, mail_server: MailServer, log: Path) -> None:
        self._manage = server.manage
        self._log = log
        self._environment = {**server.environment, "EMAIL_URL": mail_server.url}

    def shell(self, *lines: str) -> str:
        imports = "from mechanic_shop.core.models import QueuedTask as Task"
        return self._manage("shell", "-v0", "-c", "\n".join([imports, *lines]))

    def add(self, number: int) -> list[str]:
        """Commit so many mails, and return their keys."""
        keys = self.shell(
            "import json",
            "from mechanic_shop.core.outbox import enqueue",
            "from django.db import transaction",
            "Task.objects.all().delete()",
            "with transaction.atomic():",
            # An address gets only some mails of a kind in an hour.
            f"    for number in range({number}):",
            "        payload = {'old_email': f'customer{number}@b.example'}",
            "        enqueue(kind='email_changed', payload=payload)",
            "print(json.dumps(list(Task.objects.order_by('pk').values_list('key'))))",
        )
        return [key for (key,) in json.loads(keys)]

    def first(self) -> dict[str, Any]:
        fields = "'state', 'attempts', 'remark'"
        row = self.shell(
            "import json", f"print(json.dumps(Task.objects.values({fields}).first()))"
        )
        facts: dict[str, Any] = json.loads(row)
        return facts

    def waiting(self) -> int:
        return int(self.shell("print(Task.objects.filter(state='waiting').count())"))

    def make_due(self, **changes: object) -> None:
        """Let leases and pauses end now, as if the time had passed."""
        self.shell(
            "from django.utils import timezone",
            f"changes = {changes!r}",
            "Task.objects.filter(state='waiting')"
            ".update(due_at=timezone.now(), **changes)",
        )

    def empty(self) -> None:
        """Wait until nothing waits any more."""
        until(lambda: self.waiting() == 0)

    @contextmanager
    def worker(self, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "run_worker"],
                cwd=ROOT,
                env={**self._environment, **environment},
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
