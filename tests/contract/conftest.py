from __future__ import annotations

import pytest

#: The property by which a test says how far it got, also from xdist's processes.
SUMMARY = "contract"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print a line for each run, whether it passed or not."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, line in report.user_properties:
                if name == SUMMARY:
                    terminalreporter.write_line(str(line))
