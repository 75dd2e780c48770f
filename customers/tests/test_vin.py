from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.models import vin_error
from customers.vin import VinCheck, check_vin, compute_check_digit, normalize_vin

LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
CHARACTERS = LETTERS + "0123456789"
VINS = st.text(CHARACTERS, min_size=17, max_size=17)


def with_check_digit(vin: str) -> str:
    return vin[:8] + compute_check_digit(vin) + vin[9:]


class TestCheckVin:
    @pytest.mark.parametrize(
        "vin",
        [
            "1M8GDM9AXKP042788",
            "11111111111111111",
            "1HGCM82633A004352",
            "5GZCZ43D13S812715",
            "JH4TB2H26CC000000",
        ],
    )
    def test_accepts_published_examples(self, vin: str) -> None:
        assert check_vin(vin) == "valid"

    @pytest.mark.parametrize(
        "vin", ["1M8GDM9A1KP042788", "1M8GDM9AZKP042788", "WVWZZZ1JZXW000010"]
    )
    def test_tells_a_wrong_check_digit(self, vin: str) -> None:
        assert check_vin(vin) == "invalid"

    @pytest.mark.parametrize("vin", [None, "", "12345", "1M8GDM9AXKP04278"])
    def test_does_not_apply_to_other_lengths(self, vin: str | None) -> None:
        assert check_vin(vin) == "not_applicable"

    @pytest.mark.parametrize("character", "IOQ*_é１")
    def test_does_not_apply_to_other_characters(self, character: str) -> None:
        assert check_vin("1M8GDM9AX" + character + "P042788") == "not_applicable"

    @given(VINS)
    def test_accepts_the_check_digit_it_computes(self, vin: str) -> None:
        assert check_vin(with_check_digit(vin)) is VinCheck.VALID

    @given(VINS, st.sampled_from("0123456789X"))
    def test_accepts_no_other_check_digit(self, vin: str, digit: str) -> None:
        right = compute_check_digit(vin)

        answer = check_vin(vin[:8] + digit + vin[9:])

        assert (answer is VinCheck.VALID) == (digit == right)

    @given(VINS, st.integers(0, 16).filter(lambda place: place != 8), st.data())
    def test_notices_any_one_mistyped_digit(
        self, vin: str, place: int, data: st.DataObject
    ) -> None:
        good = with_check_digit(vin[:place] + "4" + vin[place + 1 :])
        other = data.draw(st.sampled_from("012356789"))

        assert check_vin(good[:place] + other + good[place + 1 :]) == "invalid"


class TestNormalizeVin:
    @given(VINS, st.lists(st.sampled_from([" ", "-", "\t", "\u00a0"]), max_size=6))
    def test_forgets_case_spaces_and_dashes(self, vin: str, noise: list[str]) -> None:
        typed = "".join(noise) + (noise[0] if noise else "").join(vin.lower())

        assert normalize_vin(typed) == vin

    @given(st.text(max_size=30))
    def test_changes_nothing_the_second_time(self, typed: str) -> None:
        once = normalize_vin(typed)

        assert normalize_vin(once) == once


class TestVinComplaint:
    @given(VINS, st.integers(1900, 2100))
    def test_is_silent_about_a_good_vin(self, vin: str, year: int) -> None:
        assert vin_error(vin, year) is None

    @pytest.mark.parametrize(
        ("length", "year", "is_fine"),
        [
            (16, 1981, False),
            (17, 1981, True),
            (18, 1981, False),
            (1, 1980, True),
            (16, 1980, True),
            (17, 1980, True),
            (18, 1980, False),
        ],
    )
    def test_asks_for_17_characters_since_1981(
        self, length: int, year: int, is_fine: bool
    ) -> None:
        assert (vin_error("1" * length, year) is None) == is_fine

    @pytest.mark.parametrize("character", "IOQ*_.é１")
    @pytest.mark.parametrize("year", [1950, 2020])
    def test_names_characters_that_no_vin_has(self, character: str, year: int) -> None:
        complaint = vin_error("1M8GDM9A" + character + "KP042788", year)

        assert complaint is not None
        assert "letters" in complaint
