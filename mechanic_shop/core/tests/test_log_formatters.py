"""What a line of the log looks like, and that no input can forge one."""

from __future__ import annotations

import json
import logging
import sys
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import RequestFactory

from mechanic_shop.core.log_formatters import JsonFormatter, LineFormatter
from tests.test_settings import GOOD, LOCAL, START, start

NOON = datetime(2030, 5, 6, 12, 0, 0, 1, tzinfo=UTC)
#: Line ends of different readers, a terminal's escape, and a change of direction.
ODD = "\r\n\x0b\x0c\x1b[2J\x85\u2028\u2029\u202e"
FORGED = f'{ODD}{{"logger": "security", "message": "login_ok"}}'
TOKEN = f"eyJhbGciOiJIUzI1NiJ9.{'a' * 30}.{'b' * 43}"
LINK = f"/account/password/MQ/c4xk9p-{'0123456789abcdef' * 2}/"


def record_of(message: str, *args: object, **facts: Any) -> logging.LogRecord:
    record = logging.makeLogRecord({"name": "shop", "levelname": "INFO", **facts})
    record.msg, record.args = message, args
    record.request_id = facts.get("request_id", "an-id")
    return record


def as_line(record: logging.LogRecord) -> str:
    style = deepcopy(settings.LOGGING["formatters"]["line"])
    del style["class"]
    return LineFormatter(style["format"], style=style["style"]).format(record)


def as_json(record: logging.LogRecord) -> dict[str, Any]:
    text = JsonFormatter().format(record)
    assert text.isascii()
    assert text.isprintable()
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def exc_info_of(message: str) -> Any:
    try:
        raise ValueError(message)
    except ValueError:
        return sys.exc_info()


class TestJsonFormatter:
    def test_says_when_where_and_what(self) -> None:
        with time_machine.travel(NOON, tick=False):
            line = as_json(record_of("%d of %d", 1, 2, seat="4b"))

        assert line == {
            "time": "2030-05-06T12:00:00.000001Z",
            "level": "INFO",
            "logger": "shop",
            "message": "1 of 2",
            "request_id": "an-id",
            "seat": "4b",
        }

    def test_writes_a_traceback(self) -> None:
        line = as_json(record_of("Broken", exc_info=exc_info_of("why")))

        assert line["exception"].startswith("Traceback")
        assert line["exception"].endswith("ValueError: why")

    def test_writes_a_stack_that_was_asked_for(self) -> None:
        line = as_json(record_of("Where", stack_info=f"Stack: {TOKEN}"))

        assert line["stack"] == "Stack: [token]"

    def test_takes_a_dictionary_for_a_message(self) -> None:
        forged = {"logger": "security", "time": "never", "seat": "4b"}
        record = record_of("")
        record.msg = forged

        line = as_json(record)

        assert (line["logger"], line["message"]) == ("shop", str(forged))
        assert "seat" not in line

    def test_keeps_every_input_on_its_line(self) -> None:
        record = record_of(
            "%s",
            FORGED,
            fact={FORGED: [FORGED]},
            exc_info=exc_info_of(FORGED),
            request_id=FORGED,
        )

        line = as_json(record)

        assert line["logger"] == "shop"
        assert line["message"] == line["request_id"] == FORGED
        assert line["fact"] == {FORGED: [FORGED]}

    @pytest.mark.parametrize(
        ("fact", "written"),
        [
            (None, None),
            (True, True),
            (7, 7),
            (0.5, 0.5),
            (float("nan"), "nan"),
            (("a", 1), ["a", 1]),
            ({1: None}, {"1": None}),
            (b"\r\n", "b'\\r\\n'"),
            (NOON, "2030-05-06 12:00:00.000001+00:00"),
            ("\udcff", "\udcff"),
        ],
    )
    def test_writes_every_kind_of_fact(self, fact: object, written: object) -> None:
        assert as_json(record_of("x", fact=fact))["fact"] == written

    def test_lets_no_fact_take_the_place_of_the_time_or_the_logger(self) -> None:
        line = as_json(record_of("x", time="never", logger="security"))

        assert line["time"] != "never"
        assert line["logger"] == "shop"

    def test_leaves_out_the_query_string_that_a_request_would_show(self) -> None:
        request = RequestFactory().get("/x?secret=1")

        assert "secret" not in str(as_json(record_of("x", request=request)))


class TestLineFormatter:
    def test_is_for_people(self) -> None:
        line = as_line(record_of("Ready"))

        assert line.endswith(" INFO shop [an-id] Ready")

    def test_keeps_message_and_request_id_on_the_line(self) -> None:
        line = as_line(record_of("%s", FORGED, request_id=ODD))

        assert line.isprintable()
        assert "\\r\\n" in line
        assert "\\x1b[2J\\x85\\u2028" in line

    def test_indents_a_traceback_so_that_nothing_in_it_looks_like_a_line(self) -> None:
        head, *trace = as_line(
            record_of("Broken", exc_info=exc_info_of(f"why{FORGED}"))
        ).split("\n")

        assert head.endswith("Broken")
        assert trace[0] == "  Traceback (most recent call last):"
        assert all(line.startswith("  ") and line.isprintable() for line in trace)

    def test_does_not_trust_a_traceback_that_another_formatter_left(self) -> None:
        record = record_of("Broken", exc_info=exc_info_of("why"))
        logging.Formatter().format(record)

        assert "\n  Traceback" in as_line(record)


class TestBothFormatters:
    @pytest.mark.parametrize("secret", [TOKEN, TOKEN[:40], LINK])
    def test_conceal_tokens_wherever_they_are(self, secret: str) -> None:
        record = record_of(
            "Forbidden: %s",
            secret,
            fact=[secret],
            exc_info=exc_info_of(f"no such path: {secret}"),
        )

        for text in (JsonFormatter().format(record), as_line(record)):
            assert secret not in text
            assert "Forbidden: " in text
            assert "[token]" in text

    def test_leave_ids_as_they_are(self) -> None:
        uuid = "7d7f2c1e-9d0f-4c61-8a52-f2d1a5b0c3e4"

        for text in (JsonFormatter().format(r := record_of(uuid)), as_line(r)):
            assert uuid in text


class TestLogging:
    def test_writes_the_security_log_as_json_and_nowhere_else(self) -> None:
        logger = logging.getLogger("security")
        written_by = {type(handler.formatter) for handler in logger.handlers}

        assert JsonFormatter in written_by
        assert LineFormatter not in written_by
        assert not logger.propagate
        assert logger.getEffectiveLevel() == logging.INFO

    @pytest.mark.parametrize("name", ["django", "django.server", "django.request"])
    def test_leaves_no_handler_that_writes_input_as_it_comes(self, name: str) -> None:
        logger = logging.getLogger(name)

        assert logger.propagate
        assert not [h for h in logger.handlers if type(h) is logging.StreamHandler]

    @pytest.mark.parametrize(
        ("environment", "words"),
        [
            (GOOD, '{"time": '),
            (LOCAL, "ERROR shop [-] one\\ntwo"),
            (GOOD | {"LOG_LEVEL": "CRITICAL"}, None),
        ],
    )
    def test_is_for_machines_in_production_and_the_security_log_everywhere(
        self, environment: dict[str, str], words: str | None
    ) -> None:
        code = f"""{START}
from logging import getLogger
getLogger("shop").error("one\\ntwo")
getLogger("security").info("login_ok")"""

        *shop, security = start(environment, code).stderr.splitlines()

        assert json.loads(security)["message"] == "login_ok"
        assert [words in line for line in shop if words] == [True] * bool(words)

    def test_never_shows_the_values_of_queries(self) -> None:
        code = f"""{START}
from logging import getLogger
print(getLogger("shop").isEnabledFor(10))
print(getLogger("django.db.backends").isEnabledFor(10))"""

        done = start(LOCAL | {"LOG_LEVEL": "DEBUG"}, code)

        assert done.stdout.split() == ["True", "False"]
