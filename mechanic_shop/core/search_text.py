"""What people type to find something."""

from __future__ import annotations

from django.core.exceptions import ValidationError

#: Longer than any name or number that somebody looks for.
MAX_LENGTH = 200
#: Each word is a condition on every column that is searched.
MAX_WORDS = 10


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
