"""Numbers as people type them, with a decimal point or a decimal comma.

A number that can be read in two ways is refused: a wrong guess would be a thousand
times too much or too little, and nobody would see it.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

#: More digits fit no column.
MAX_DIGITS = 30

#: A sign, groups of three digits or digits without groups, and a fraction.
_NUMBER = re.compile(
    r"(?P<sign>[-+]?)"
    r"(?P<whole>[0-9]{1,3}(?P<group>[.,' ])[0-9]{3}(?:(?P=group)[0-9]{3})*|[0-9]*)"
    r"(?:(?P<point>[.,])(?P<fraction>[0-9]*))?",
    re.ASCII,
)
#: Minus signs, blanks and apostrophes that keyboards, word processors and phones make.
_PLAIN = str.maketrans({"−": "-", "\xa0": " ", "\u202f": " ", "\u2009": " ", "’": "'"})


class UnreadableNumber(ValueError):
    """A text is no number, or could be two; the message is a sentence for a person."""


class _Parts(NamedTuple):
    sign: str
    whole: str
    group: str
    fraction: str

    @property
    def has_one_separator(self) -> bool:
        """Whether it looks like ``1,250``: one separator, three digits after it."""
        return self.group in {".", ","} and self.whole.count(self.group) == 1

    @property
    def digits(self) -> str:
        whole = self.whole.replace(self.group, "") if self.group else self.whole
        return whole or "0"


def read_decimal(text: str) -> Decimal:
    """Read an amount such as ``15.65``, ``15,65``, ``1,250.00`` or ``1.250,00``.

    A single point is a decimal point, as everywhere in this shop. A single comma with
    three digits after it could be either.

    :raises UnreadableNumber: if it is no number, or could be two
    """
    parts = _split(text, "Write a number such as 15.65.")
    if not parts.fraction and parts.has_one_separator:
        whole, rest = parts.whole.split(parts.group)
        if parts.group == "," and int(whole):
            raise UnreadableNumber(_could_be_two(parts, Decimal(f"{whole}.{rest}")))
        return Decimal(f"{parts.sign}{whole}.{rest}")
    return Decimal(f"{parts.sign}{parts.digits}.{parts.fraction or 0}")


def read_whole_number(text: str) -> int:
    """Read a number such as ``1250``, ``1,250`` or ``1 250``, without a fraction.

    The lists of this shop show ``1,250``, so that is 1250 here; ``1.250`` could be
    a fraction.

    :raises UnreadableNumber: if it has a fraction, is no number, or could be two
    """
    sentence = "Write a whole number such as 12."
    parts = _split(text, sentence)
    if parts.fraction.strip("0"):
        raise UnreadableNumber(sentence)
    if parts.group == "." and not parts.fraction and parts.has_one_separator:
        raise UnreadableNumber(_could_be_two(parts, Decimal(parts.whole)))
    return int(parts.sign + parts.digits)


def _split(text: str, sentence: str) -> _Parts:
    plain = text.strip().translate(_PLAIN)
    found = _NUMBER.fullmatch(plain)
    has_digits = any(char.isdigit() for char in plain)
    if found is None or not has_digits or len(plain) > MAX_DIGITS:
        raise UnreadableNumber(sentence)
    group, point = found["group"] or "", found["point"] or ""
    # 1,250,00 has groups of three and of two: it was mistyped.
    if group and group == point:
        raise UnreadableNumber(sentence)
    return _Parts(found["sign"], found["whole"], group, found["fraction"] or "")


def _could_be_two(parts: _Parts, fraction: Decimal) -> str:
    typed = parts.sign + parts.whole
    return (
        f"“{typed}” can be read in two ways. Write {parts.sign}{parts.digits} or"
        f" {parts.sign}{fraction.normalize():f}."
    )
