"""Requests that were right until something happened to them.

What happens depends on nothing but the ``Random`` that is handed in, so that a seed and
the rows of the shop name the request.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple
from urllib.parse import urlencode

FORM = "application/x-www-form-urlencoded"
BOUNDARY = "a-boundary"


class Mutant(NamedTuple):
    """A request to send."""

    method: str
    path: str
    body: bytes
    headers: dict[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.headers} {self.body[:300]!r}"


@dataclass
class Draft:
    """A valid request, to be spoiled: first its fields, then its bytes and headers.

    ``fields`` are pairs of JSON texts, so that a name may come twice and a value need
    not be one.
    """

    fields: list[tuple[str, str]]
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def write(self) -> None:
        pairs = ", ".join(f"{name}: {value}" for name, value in self.fields)
        self.body = f"{{{pairs}}}".encode()


# --- Values ---------------------------------------------------------------------------


def _nested(levels: int) -> str:
    return "[" * levels + "]" * levels


NOT_JSON = (
    *("NaN", "Infinity", "-Infinity", "0123", "0x10", "1e", "tru", "undefined"),
    *('"unended', "'single'", '"\\x41"', '"raw \x01 control"', "[1,]", "{1: 2}", ""),
)
NUMBERS = (
    *("0", "-0", "-1", "1.5", "1e3", "1e308", "1e999", "-1e999", "1E-400"),
    *(str(2**31), str(2**63), str(-(2**63) - 1), "9" * 400, "9" * 5_000),
)
TEXTS = (
    *("", " ", "0", "1_000", "+1", "١٢", "1e5", "true", "null", "2024-13-45"),
    *(
        "\0",
        "a\0b",
        "\ud800",
        "\udfff\ud800",
        "\u202egpj.exe",
        "\u200f\u200b",
        "\ufeff",
    ),
    *("\n", "\x07", "\x7f", "é" * 255, "😀" * 255, "x" * 256, "x" * 70_000, "ﷺ" * 60),
    *("<script>alert(1)</script>", "' OR 1=1 --", "{{7*7}}", "../../etc/passwd", "%s"),
    *(
        "a@b",
        "a@b.example\nBcc: c@d.example",
        "ö@example.com",
        f"{'x' * 250}@b.example",
    ),
)
SHAPES = (
    *("null", "true", "false", "[]", "[1]", '["x"]', "[null]", "[[1]]", "[1, 1]", "{}"),
    *('{"a": 1}', '{"$gt": ""}', f"[{2**63}]", f"[{'1,' * 10_000}1]", '{"": {"": []}}'),
    *(
        _nested(50),
        _nested(2_000),
        _nested(100_000),
        '{"a":' * 20_000 + "1" + "}" * 20_000,
    ),
)
VALUES = (*NOT_JSON, *NUMBERS, *map(json.dumps, TEXTS), *SHAPES)

NAMES = (
    *("id", "pk", "user", "is_superuser", "created_at", "__class__", "__proto__"),
    *("", "a\0b", "\ud800", "ключ", "x" * 5_000, "password", "customer", "_method"),
)

# --- Fields ---------------------------------------------------------------------------

Damage = Callable[[Random, Draft], None]


def other_value(random: Random, draft: Draft) -> None:
    if draft.fields:
        place = random.randrange(len(draft.fields))
        draft.fields[place] = draft.fields[place][0], random.choice(VALUES)


def unknown_field(random: Random, draft: Draft) -> None:
    draft.fields.append((json.dumps(random.choice(NAMES)), random.choice(VALUES)))


def field_twice(random: Random, draft: Draft) -> None:
    if draft.fields:
        name, _ = random.choice(draft.fields)
        draft.fields.append((name, random.choice(VALUES)))


def field_less(random: Random, draft: Draft) -> None:
    if draft.fields:
        draft.fields.pop(random.randrange(len(draft.fields)))


FIELD_DAMAGES: tuple[Damage, ...] = (
    *(other_value, other_value, other_value),
    *(unknown_field, field_twice, field_less),
)

# --- Bytes ----------------------------------------------------------------------------

Spoil = Callable[[Random, bytes], bytes]


def cut_off(random: Random, body: bytes) -> bytes:
    return body[: random.randrange(len(body) + 1)]


def byte_more(random: Random, body: bytes) -> bytes:
    place = random.randrange(len(body) + 1)
    return body[:place] + bytes([random.randrange(256)]) + body[place:]


def byte_changed(random: Random, body: bytes) -> bytes:
    place = random.randrange(len(body))
    return body[:place] + bytes([random.randrange(256)]) + body[place + 1 :]


SPOILS: tuple[Spoil, ...] = (
    *(cut_off, byte_more, byte_changed),
    lambda _, body: b"\xef\xbb\xbf" + body,
    lambda _, body: body.decode().encode("utf-16"),
    lambda _, body: b"[" + body + b"]",
    lambda _, body: body * 2,
    lambda _, body: body + b"\0",
    lambda random, _: random.randbytes(200),
    lambda random, _: random.choice((b"", b" ", b"null", b"[]", b'"x"', b"7", b"{")),
    lambda random, _: random.choice(VALUES).encode(),
)


def spoil(random: Random, draft: Draft) -> None:
    draft.body = random.choice(SPOILS)(random, draft.body)


# --- Forms and other types ------------------------------------------------------------


def as_form(random: Random, draft: Draft) -> None:
    pairs = [(name.strip('"'), value.strip('"')) for name, value in draft.fields]
    draft.headers["Content-Type"] = FORM
    draft.body = urlencode(pairs).encode() + random.choice(
        (
            b"",
            b"&%zz=%00",
            b"&a=%ff%fe",
            b"&x=1" * 1_001,
            b"&" * 300,
            b"&_method=DELETE",
        )
    )


def as_multipart(random: Random, draft: Draft) -> None:
    boundary = random.choice((BOUNDARY, BOUNDARY, "another", "", "\xe9", "x" * 300))
    draft.headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
    parts = [_part(name.strip('"'), value.strip('"')) for name, value in draft.fields]
    body = "".join([*parts, _part('f"; filename="a.txt', "\0"), f"--{BOUNDARY}--\r\n"])
    draft.body = random.choice((lambda _, raw: raw, cut_off, byte_changed))(
        random, body.encode()
    )


def _part(name: str, value: str) -> str:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n'
    return f"{head}\r\n{value}\r\n"


TYPES = (
    *(
        "text/plain",
        "application/xml",
        "application/json; charset=utf-16",
        "",
        "x",
        ";",
    ),
    *(
        "application/json;",
        "APPLICATION/JSON",
        "multipart/form-data",
        FORM,
        "\xe9/\xe9",
    ),
    *("application/json, text/plain", "application/merge-patch+json", "*/*"),
)


def other_type(random: Random, draft: Draft) -> None:
    draft.headers["Content-Type"] = random.choice(TYPES)


def as_gzip(_: Random, draft: Draft) -> None:
    draft.headers["Content-Encoding"] = "gzip"
    draft.body = gzip.compress(draft.body)


BODY_DAMAGES: tuple[Damage, ...] = (
    *(spoil, spoil, spoil, spoil),
    *(as_form, as_multipart, other_type, as_gzip),
)

# --- Headers --------------------------------------------------------------------------

#: A browser's ``Accept`` is not among them: people get pages.
HEADERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Idempotency-Key", ("", " ", "key-1", "key-2", "\xe9", "x" * 256, "a, b", "{}")),
    ("If-Match", ("", "*", '"x"', 'W/"x"', '"', "x" * 4_000, "\xff", '"a", "b', ",,")),
    ("If-None-Match", ("*", '"x"', '"')),
    ("Accept", ("", "x", "application/xml", "*/*;q=0", "application/json;q=x", "\xe9")),
    (
        "Authorization",
        ("", "Bearer", "Bearer a b", "Basic x", "Bearer \xe9", "x" * 4_000),
    ),
    ("Cookie", ("sessionid=", "sessionid=\xe9; a", ";;;=", "csrftoken=x; csrftoken=y")),
    ("X-Request-ID", ("", "a\tb", "x" * 4_000, "\xe9", "%0d%0aSet-Cookie: a=b")),
    ("X-Forwarded-For", ("x", "1.2.3.4, ", "::1", "\xe9")),
    ("X-HTTP-Method-Override", ("DELETE", "x")),
    ("Host", ("evil.example", "127.0.0.1:x", "[::1", "a b")),
    ("Origin", ("null", "https://evil.example", "\xe9")),
    ("Accept-Language", ("x" * 4_000, "de-1996;q=", "\xe9")),
    ("Content-Language", ("\xe9",)),
)


def other_header(random: Random, draft: Draft) -> None:
    name, values = random.choice(HEADERS)
    draft.headers[name] = random.choice(values)


# --- All of it ------------------------------------------------------------------------

#: Ids that no row has, and digits that no integer is.
IDS = (str(2**31 - 1), str(2**63), "9" * 100, "0", "%D9%A3", "-1", "1%00", "%ff", "1.0")


def spoiled_path(random: Random, path: str) -> str:
    *before, last = path.split("/")
    return "/".join([*before, random.choice(IDS) if last.isdecimal() else last])


def mutant(random: Random, method: str, path: str, valid: dict[str, Any]) -> Mutant:
    """Spoil a valid request in one place or in several."""
    fields = [(json.dumps(name), json.dumps(value)) for name, value in valid.items()]
    draft = Draft(fields)
    for _ in range(random.choice((0, 1, 1, 2))):
        random.choice(FIELD_DAMAGES)(random, draft)
    draft.write()
    if random.random() < 0.4:
        random.choice(BODY_DAMAGES)(random, draft)
    if random.random() < 0.3:
        other_header(random, draft)
    if random.random() < 0.05:
        path = spoiled_path(random, path)
    return Mutant(method, path, draft.body, draft.headers)
