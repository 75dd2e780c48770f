"""What people type to find something, and the columns in which it is looked for.

A name is found whatever its case, accents and apostrophes, and an identifier (a phone
number, a plate, a VIN, a part number) by its letters and digits alone. Databases do not
agree on any of this, so rows keep a folded text of their own, and a search is folded in
the same way.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db.models import Q

#: Longer than any name or number that somebody looks for.
MAX_LENGTH = 200
#: Each word is a condition on every column that is searched.
MAX_WORDS = 10

#: What people put between words, or around them.
SEPARATORS = ",;\"'"
#: How the name of a column that holds folded text ends.
FOLDED = "search_text"
#: Letters that Unicode does not take apart, as people type them who have no such key,
#: and all that serves as an apostrophe.
PLAIN = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "þ": "th",
        **{"ı": "i"} | dict.fromkeys("’‘‛ʼʻʹ´`", "'"),
    }
)
#: Of these kinds are control characters and accents; accents of their own are letters.
ACCENTS = re.compile(r"[CM].")
#: Of these kinds are punctuation and the signs of arithmetic.
PUNCTUATION = re.compile(r"P.|S[ckm]")
TICKET_NUMBER = re.compile(r"#?([0-9]{1,18})", re.ASCII)


def fold(text: str) -> str:
    """Reduce a text to lower-case words without accents, with straight apostrophes."""
    # Unicode takes an acute accent that stands alone for a space with an accent.
    text = unicodedata.normalize("NFKD", text.replace("´", "'"))
    return " ".join(_without(ACCENTS, text.casefold().translate(PLAIN)).split())


def fold_bare(text: str) -> str:
    """Reduce a text to what has to agree: the letters and digits of its words."""
    return " ".join(_without(PUNCTUATION, fold(text)).split())


def fold_identifier(text: str) -> str:
    """Reduce a number or plate to its letters and digits."""
    return fold_bare(text).replace(" ", "")


def _without(kinds: re.Pattern[str], text: str) -> str:
    return "".join(
        sign
        for sign in text
        if sign.isspace() or not kinds.match(unicodedata.category(sign))
    )


def split_words(text: str) -> list[str]:
    """Return the distinct words of a search, in the order in which they were typed.

    :raises ValidationError: if the text is longer than a search may be
    """
    if len(text) > MAX_LENGTH:
        raise ValidationError(f"Search for at most {MAX_LENGTH} characters.")
    words = list(dict.fromkeys(text.split()))
    if len(words) > MAX_WORDS:
        raise ValidationError(f"Search for at most {MAX_WORDS} words.")
    return words


def match_words(words: Iterable[str], *columns: str) -> Q:
    """Match rows that have each word in one of the columns, in any order.

    A column of folded text is compared with the folded word, one that begins with ``=``
    is a number, and all others are searched as they are. Words without a letter or
    digit, such as a lone dash, count only where there is no other.
    """
    typed = [word for word in words if word.strip(SEPARATORS)]
    telling = [word for word in typed if fold_bare(word)] or typed
    conditions = [
        Q.create([each for column in columns for each in _compare(column, word)], Q.OR)
        for word in telling
    ]
    return Q(*conditions) if conditions else Q(pk__in=[])


def _compare(column: str, word: str) -> list[tuple[str, str | int]]:
    if column.startswith("="):
        number = TICKET_NUMBER.fullmatch(word)
        return [(column[1:], int(number[1]))] if number else []
    if not column.endswith(FOLDED):
        return [(f"{column}__icontains", word.strip(SEPARATORS))]
    # Without its punctuation, a single letter would be found nearly everywhere.
    spellings, bare = [fold(word.strip(SEPARATORS))], fold_bare(word)
    if len(bare) > 1 or bare.isdigit():
        spellings.append(bare)
    return [(f"{column}__contains", each) for each in dict.fromkeys(spellings)]
