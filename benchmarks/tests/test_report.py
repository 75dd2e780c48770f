"""The report tells ratios only, in tables and in a picture that is valid XML."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import report
from benchmarks.measure import Measured
from benchmarks.report import Findings, as_json, picture, publish, tables
from benchmarks.wrk import Load


@pytest.fixture
def findings() -> Findings:
    def measured(rate: float, queries: int) -> Measured:
        return Measured([Load(1, rate, 1.0, 2.0, 3.0)], queries)

    return Findings(
        scale=1,
        rounds=1,
        seconds=1,
        connections=16,
        seen={
            "part": {
                "product": measured(4_321, 4),
                "flask": measured(2_160.5, 5),
                "limit": measured(8_642, 2),
            }
        },
        memory={"product": 80.0, "flask": 120.0},
    )


class TestTables:
    def test_tell_ratios_and_queries(self, findings: Findings) -> None:
        written = tables(findings)

        assert "| one part | 2.00 × | 0.50 × |" in written
        assert "| one part | 4 | 5 | 2 |" in written
        assert "| Flask | 1.50 × |" in written

    def test_tell_nothing_that_belongs_to_a_machine(self, findings: Findings) -> None:
        assert "4321" not in tables(findings).replace(",", "")


class TestPicture:
    def test_is_an_image_with_a_bar_for_each_ratio(self, findings: Findings) -> None:
        drawn = picture(findings.ratios, findings.peers)

        texts = [text.text for text in ElementTree.fromstring(drawn).iter()]
        assert {"one part", "2.00", "0.50"} <= set(texts)


class TestAsJson:
    def test_keeps_everything_that_was_seen(self, findings: Findings) -> None:
        part = as_json(findings)["workloads"]["part"]

        assert part["product"] == {
            "rate": 4_321,
            "p50": 1.0,
            "p95": 2.0,
            "p99": 3.0,
            "queries": 4,
        }


class TestPublish:
    def test_replaces_what_an_earlier_run_found(
        self, findings: Findings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        document = tmp_path / "performance.md"
        document.write_text(f"Before\n{report.START}\nold\n{report.END}\nAfter\n")
        monkeypatch.setattr(report, "DOCUMENT", document)
        monkeypatch.setattr(report, "PICTURE", tmp_path / "performance.svg")

        publish(findings)

        content = document.read_text()
        assert content.startswith("Before\n")
        assert content.endswith("After\n")
        assert "old" not in content
        assert "one part" in content
