"""The examples of docs/api.md, and the comparison of real responses with them.

What a ``bash`` block prints last belongs to the ``http`` block right below it, and what
a ``python`` block prints to the ``text`` block below that.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from .server import ROOT

GUIDE = ROOT / "docs" / "api.md"
CLIENTS = "\n## Typed clients\n"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
ANSWER = re.compile(r"^(?=HTTP/1\.1 \d)", re.M)
REST = "…"
#: What `…` without quotes becomes where a value belongs.
ANY_VALUE = "… without quotes"


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    line: int
    #: The text between the block above and this one.
    lead: str


@dataclass(frozen=True)
class CurlResponse:
    status_line: str
    headers: dict[str, str]
    body: str

    @classmethod
    def read(cls, text: str) -> CurlResponse:
        head, _, body = text.partition("\n\n")
        status_line, *lines = head.strip().splitlines()
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        return cls(status_line, headers, body.strip())

    @property
    def status(self) -> int:
        return int(self.status_line.split()[1])


def blocks() -> list[Block]:
    """Return what is fenced above the typed clients, which need a generator first."""
    return _fenced(GUIDE.read_text().partition(CLIENTS)[0])


def blocks_of_clients() -> list[Block]:
    return _fenced(GUIDE.read_text().partition(CLIENTS)[2])


def _fenced(text: str) -> list[Block]:
    found, end = [], 0
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        lead = text[end : match.start()].strip()
        found.append(Block(match[1], match[2], line, lead))
        end = match.end()
    return found


def read_responses(output: str) -> list[CurlResponse]:
    """Read everything that curl printed."""
    return [CurlResponse.read(text) for text in ANSWER.split(output) if text.strip()]


def pairs(among: list[Block], above: str, below: str) -> list[tuple[Block, Block]]:
    """Return the blocks of one language that have one of another right below them."""
    return [
        (first, second)
        for first, second in pairwise(among)
        if (first.language, second.language, second.lead) == (above, below, "")
    ]


def difference(shown: CurlResponse, real: CurlResponse) -> str | None:
    """Say where a response differs from what the guide shows, or None."""
    if not _like(shown.status_line, real.status_line):
        return f"{real.status_line}\n{real.body}"
    for name, value in shown.headers.items():
        if not _like(value, real.headers.get(name, "")):
            return f"{name}: {real.headers.get(name)}"
    if not shown.body or not real.body:
        return None if shown.body == real.body else f"the body {real.body!r}"
    return _difference(read_shown(shown.body), json.loads(real.body), "body")


def read_shown(body: str) -> Any:
    """Read JSON with `…` for a value, or for the rest of an object or array."""
    body = re.sub(r":(\s*)…", rf':\1"{ANY_VALUE}"', body)
    body = re.sub(r"([,{]\s*)…(\s*\})", r'\1"…": "…"\2', body)
    return json.loads(re.sub(r"([,\[]\s*)…(\s*\])", r'\1"…"\2', body))


def _difference(shown: Any, real: Any, where: str) -> str | None:
    if shown == ANY_VALUE:
        return f"{where} is the text {real!r}" if isinstance(real, str) else None
    if type(shown) is not type(real):
        return f"{where} is {real!r}"
    if isinstance(shown, str):
        return None if _like(shown, real) else f"{where} is {real!r}"
    if isinstance(shown, dict):
        return _difference_of_objects(shown, real, where)
    if isinstance(shown, list):
        return _difference_of_arrays(shown, real, where)
    return None if shown == real else f"{where} is {real!r}"


def _difference_of_objects(
    shown: dict[str, Any], real: dict[str, Any], where: str
) -> str | None:
    named = shown.keys() - {REST}
    if named - real.keys() or (real.keys() - named and REST not in shown):
        return f"{where} has the fields {sorted(real)}"
    found = (_difference(shown[key], real[key], f"{where}.{key}") for key in named)
    return next(filter(None, found), None)


def _difference_of_arrays(shown: list[Any], real: list[Any], where: str) -> str | None:
    first = shown[:-1] if shown[-1:] == [REST] else shown
    if len(real) < len(first) or (first is shown and len(real) > len(first)):
        return f"{where} has {len(real)} elements"
    found = (
        _difference(one, other, f"{where}[{number}]")
        for number, (one, other) in enumerate(zip(first, real, strict=False))
    )
    return next(filter(None, found), None)


def _like(shown: str, real: str) -> bool:
    pattern = ".+".join(map(re.escape, shown.split(REST)))
    return re.fullmatch(pattern, real, re.S) is not None
