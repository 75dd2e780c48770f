"""Texts that people take for the same are folded to the same."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db.models import Q

from mechanic_shop.core.search_text import (
    fold,
    fold_bare,
    fold_identifier,
    match_words,
    split_words,
)

SAME = [
    ("MUÑOZ", "munoz"),
    ("Émile", "emile"),
    ("e\u0301mile", "\u00e9mile"),
    ("O’Brien", "O'Brien"),
    ("OʼBrien", "o`brien"),
    ("O´Brien", "obrien"),
    ("Weiß", "WEISS"),
    ("Sørensen", "Sorensen"),
    ("Ægir", "AEGIR"),
    ("Łukasz", "lukasz"),
    ("Đorđe", "dorde"),
    ("ﬁlter", "filter"),
    ("Jean‐Luc", "Jean-Luc"),
    ("Lopez,\tMaria", "lopez maria"),
    ("İzmir", "izmir"),
    ("Ｇolf", "golf"),
]
IDENTIFIERS = [
    ("(541) 555-0142", "5415550142"),
    ("+1 541.555.0142", "15415550142"),
    ("AB 123-CD", "ab123cd"),
    ("06A 115 561 B", "06a115561b"),
    ("1HGCM-82633-A004352", "1hgcm82633a004352"),
]


def either(*texts: str) -> Q:
    return Q.create([("search_text__contains", text) for text in texts], Q.OR)


class TestFold:
    @pytest.mark.parametrize(("one", "other"), SAME)
    def test_makes_the_same_of_the_same_name(self, one: str, other: str) -> None:
        assert fold_bare(one) == fold_bare(other)

    @pytest.mark.parametrize(("typed", "key"), IDENTIFIERS)
    def test_keeps_letters_and_digits_of_an_identifier(
        self, typed: str, key: str
    ) -> None:
        assert fold_identifier(typed) == key

    @pytest.mark.parametrize("text", ["山田", "Иван", "🔧", "Müller 7"])
    def test_keeps_the_letters_of_every_script(self, text: str) -> None:
        assert fold_bare(text)

    @pytest.mark.parametrize("text", ["", " ", "%", "_", "- -", "\x00", "’"])
    def test_leaves_nothing_of_what_is_no_word(self, text: str) -> None:
        assert fold_bare(text) == ""

    @pytest.mark.parametrize("text", [one for one, _ in SAME])
    def test_changes_nothing_the_second_time(self, text: str) -> None:
        assert fold(fold(text)) == fold(text)


class TestWords:
    def test_are_distinct_and_in_order(self) -> None:
        assert split_words(" b a  b ") == ["b", "a"]

    @pytest.mark.parametrize("text", ["a" * 201, "a b c d e f g h i j k"])
    def test_are_refused_when_too_many(self, text: str) -> None:
        with pytest.raises(ValidationError):
            split_words(text)

    def test_without_letters_are_left_out(self) -> None:
        assert match_words(["Lopez", ","], "search_text") == match_words(
            ["Lopez"], "search_text"
        )

    def test_count_without_letters_if_there_are_no_others(self) -> None:
        assert match_words(["%"], "search_text") == Q(either("%"))
        assert match_words([","], "search_text") == Q(pk__in=[])

    def test_keep_their_punctuation_where_little_else_is_left(self) -> None:
        found = match_words(["A-"], "search_text")

        assert found == Q(either("a-"))

    def test_are_numbers_where_the_column_is_one(self) -> None:
        found = match_words(["#149"], "=pk", "search_text")

        assert ("pk", 149) in found.children[0].children  # type: ignore[union-attr]
