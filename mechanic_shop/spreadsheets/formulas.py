"""Text that a spreadsheet program would run as a formula: how CSV files mark it.

In a workbook a text is no formula, whatever it begins with, and needs no mark.
"""

from __future__ import annotations

import re

#: The last ones are the full-width signs, which Excel in Japan takes for the others.
STARTS = "=+@\\-\t\r\n＝＋＠－"
#: A number or a phone number, with which a formula can do no more than sums.
NUMBER = r"[+-][0-9][0-9 ()./-]*"
FORMULA = re.compile(rf"(?!{NUMBER}\Z)[{STARTS}]")
#: What has apostrophes before such a start gets one more, so that a reader can take off
#: just that one.
MARKED = re.compile(rf"'+[{STARTS}]")
LIKE_A_FORMULA = (
    "This looks like a formula. If it is meant as text, put an apostrophe (') in front"
    " of it."
)


def mark(text: str) -> str:
    """Put an apostrophe before text that would be taken for a formula."""
    return f"'{text}" if FORMULA.match(text) or MARKED.match(text) else text


def unmark(text: str) -> str:
    """Remove the apostrophe that ``mark`` puts before a text."""
    text = text.lstrip(" ")
    return text[1:] if MARKED.match(text) else text
