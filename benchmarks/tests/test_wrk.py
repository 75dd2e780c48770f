"""What wrk says is read, and never taken for a measurement when it tells of errors."""

from __future__ import annotations

import json

import pytest

from benchmarks.wrk import LoadFailed, NothingYet, read


def output(**changes: int) -> str:
    result = {
        "requests": 300,
        "microseconds": 2_000_000,
        "refused": 0,
        "broken": 0,
        "p50": 1_500,
        "p95": 4_000,
        "p99": 9_250,
    }
    line = f"RESULT {json.dumps(result | changes)}"
    return f"Running 2s test @ http://127.0.0.1:18100\n  1 threads\n{line}\n"


class TestRead:
    def test_tells_the_rate_and_the_times_in_milliseconds(self) -> None:
        load = read(output())

        assert (load.requests, load.rate) == (300, 150.0)
        assert (load.p50, load.p95, load.p99) == (1.5, 4.0, 9.25)

    @pytest.mark.parametrize("what", ["refused", "broken"])
    def test_refuses_a_run_with_failures(self, what: str) -> None:
        with pytest.raises(LoadFailed, match="1"):
            read(output(**{what: 1}))

    def test_tells_a_slow_server_from_a_broken_one(self) -> None:
        with pytest.raises(NothingYet):
            read(output(requests=0))

        with pytest.raises(LoadFailed) as failure:
            read(output(requests=0, broken=8))
        assert not isinstance(failure.value, NothingYet)

    def test_refuses_output_without_a_result(self) -> None:
        with pytest.raises(LoadFailed, match="no result"):
            read("unable to connect to 127.0.0.1:18100 Connection refused\n")
