"""What a workbook's number formats say about a number: a date, or leading zeros.

The formats are those of ECMA-376, part 1, 18.8.30 and 18.8.31.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from openpyxl.styles.numbers import (  # type: ignore[import-untyped]
    BUILTIN_FORMATS,
    is_date_format,
)

GENERAL = "General"
#: Formats that have a number and no code; in some languages of Excel they are dates.
LOCAL_DATES = {*range(27, 37), *range(50, 59)}
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|([-/() ])')
_PLAIN = re.compile(r'(?:0|"[^"]*"|\\.|[-/() ])+')
#: An Excel on paper shows 0.5 as 50% or 1/2; as text neither is what was typed.
_DISGUISE = re.compile(r"%|\?/|/\?|[#0]/[#0?]")


def code_of(number: int, custom: dict[int, str]) -> str:
    """Return the code of a format that a workbook names by number."""
    if number in custom:
        return custom[number]
    if number in LOCAL_DATES:
        return "yyyy/m/d"
    return str(BUILTIN_FORMATS.get(number, GENERAL))


@lru_cache(maxsize=1_000)
def is_date(code: str) -> bool:
    return code != GENERAL and bool(is_date_format(code))


@lru_cache(maxsize=1_000)
def is_disguise(code: str) -> bool:
    """Return whether the format shows a number as a percentage or as a fraction."""
    return _DISGUISE.search(_LITERAL.sub(_keep_slash, code)) is not None


def _keep_slash(match: re.Match[str]) -> str:
    return match.group(3) or ""


def with_leading_zeros(digits: str, code: str) -> str:
    """Write whole digits as a code like ``000000`` or ``00-000`` shows them.

    Any other code leaves them as they are.
    """
    code = code.split(";")[0]
    zeros = _LITERAL.sub("", code).count("0")
    if zeros < 2 or not _PLAIN.fullmatch(code):
        return digits
    padded = digits.zfill(zeros)
    rest = iter(padded[len(padded) - zeros :])
    shown = re.sub(r'"[^"]*"|\\.|.', lambda each: _shown(each.group(), rest), code)
    return padded[: len(padded) - zeros] + shown


def _shown(sign: str, digits: Iterator[str]) -> str:
    if sign == "0":
        return next(digits)
    return sign.strip('"') if sign[0] == '"' else sign.lstrip("\\")
