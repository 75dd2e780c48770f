"""Numbers with points, commas and blanks, as people of several countries type them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mechanic_shop.core.typed_numbers import (
    UnreadableNumber,
    read_decimal,
    read_whole_number,
)


class TestReadDecimal:
    @pytest.mark.parametrize(
        ("typed", "value"),
        [
            ("15.65", "15.65"),
            ("15,65", "15.65"),
            ("1,5", "1.5"),
            ("1,250.00", "1250"),
            ("1.250,00", "1250"),
            ("1 250,00", "1250"),
            ("1\xa0250,5", "1250.5"),
            ("1'250.00", "1250"),
            ("1,250,000", "1250000"),
            ("1.250.000,75", "1250000.75"),
            ("1.250", "1.250"),
            ("0,250", "0.250"),
            ("1234,567", "1234.567"),
            (" 12 ", "12"),
            (".5", "0.5"),
            (",5", "0.5"),
            ("5.", "5"),
            ("-3,5", "-3.5"),
            ("−3,5", "-3.5"),
        ],
    )
    def test_takes_points_and_commas(self, typed: str, value: str) -> None:
        assert read_decimal(typed) == Decimal(value)

    @pytest.mark.parametrize("typed", ["1,250", "-12,500", "999,999"])
    def test_refuses_what_could_be_two_numbers(self, typed: str) -> None:
        with pytest.raises(UnreadableNumber, match="two ways"):
            read_decimal(typed)

    def test_names_both_readings(self) -> None:
        with pytest.raises(UnreadableNumber, match=r"Write 1250 or 1\.25\."):
            read_decimal("1,250")

    @pytest.mark.parametrize(
        "typed",
        [
            "",
            "-",
            ".",
            "1,250,00",
            "1,25,000",
            "1.25.00",
            "12 34",
            "1_000",
            "1e1",
            "١٢",
            "0x10",
            "12€",
            "NaN",
            "Infinity",
            "9" * 31,
        ],
    )
    def test_refuses_everything_else(self, typed: str) -> None:
        with pytest.raises(UnreadableNumber, match="such as"):
            read_decimal(typed)


class TestReadWholeNumber:
    @pytest.mark.parametrize(
        ("typed", "value"),
        [
            ("12", 12),
            ("1,250", 1250),
            ("1 250", 1250),
            ("1,250,000", 1250000),
            ("1.250.000", 1250000),
            ("12.0", 12),
            ("12,00", 12),
            ("1.250,00", 1250),
            ("-2", -2),
            ("+2", 2),
            ("007", 7),
        ],
    )
    def test_takes_groups_of_three(self, typed: str, value: int) -> None:
        assert read_whole_number(typed) == value

    @pytest.mark.parametrize(
        "typed", ["1,5", "1.5", "15,65", "1.250", "1_0", "1e1", "١٢", "", "12 34", "x"]
    )
    def test_never_makes_more_of_a_fraction(self, typed: str) -> None:
        with pytest.raises(UnreadableNumber):
            read_whole_number(typed)
