"""Newman, which runs a Postman collection on the command line."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..support.server import ROOT

FOLDER = ROOT / "postman"
TABLE = re.compile(r"^┌─+┬.*", re.M | re.S)


@dataclass(frozen=True)
class Run:
    """What came of one run: its report, and the table and failures that it printed."""

    report: dict[str, Any]
    summary: str

    @property
    def failures(self) -> int:
        return len(self.report["failures"])

    @property
    def requests(self) -> int:
        return int(self.report["stats"]["requests"]["total"])

    def answers_to(self, request: str) -> list[int]:
        """List the statuses that the request of this name got, in their order."""
        return [
            execution["response"]["code"]
            for execution in self.report["executions"]
            if execution["item"]["name"] == request
        ]


def run_newman(script: str, url: str, folder: Path) -> Run:
    """Run one of the scripts of ``postman/package.json`` against a server."""
    report = folder / "report.json"
    answer = subprocess.run(
        [
            *("npm", "run", "--silent", script, "--"),
            *("--env-var", f"base_url={url}/api", "--color", "off"),
            *("--reporters", "cli,json", "--reporter-json-export", str(report)),
        ],
        cwd=FOLDER,
        capture_output=True,
        text=True,
    )
    if not report.exists():
        raise RuntimeError(f"Newman did not run:\n{answer.stdout}{answer.stderr}")
    table = TABLE.search(answer.stdout)
    summary = table[0] if table else answer.stdout + answer.stderr
    return Run(json.loads(report.read_text())["run"], summary)
