"""Vehicle identification numbers: read leniently, stored in one spelling.

Since 1981 a VIN has 17 characters, A-Z and 0-9 without I, O and Q (ISO 3779). The check
digit at position 9 is a rule of the US and China (49 CFR 565.15); European numbers fail
it, so it is reported and never enforced.
"""

import re
from enum import StrEnum

LENGTH = 17
FIRST_YEAR_OF_17 = 1981

_PUNCTUATION = re.compile(r"[\s\-]+")
_ALLOWED = re.compile(r"[A-HJ-NPR-Z0-9]+", re.ASCII)

_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VALUES = {str(digit): digit for digit in range(10)} | dict(
    zip(
        "ABCDEFGHJKLMNPRSTUVWXYZ",
        (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)),
        strict=True,
    )
)


class VinCheck(StrEnum):
    VALID = "valid"
    INVALID = "invalid"
    NOT_APPLICABLE = "not_applicable"


def normalize_vin(typed: str) -> str:
    """Drop spaces and dashes and upper-case the rest.

    Text that is not ASCII stays as it is: upper-casing would turn ``ſ`` into a valid S.
    """
    vin = _PUNCTUATION.sub("", typed)
    return vin.upper() if vin.isascii() else vin


def has_vin_characters(vin: str) -> bool:
    return _ALLOWED.fullmatch(vin) is not None


def compute_check_digit(vin: str) -> str:
    """Compute the character that 49 CFR 565.15 puts at position 9."""
    rest = sum(
        weight * _VALUES[char] for weight, char in zip(_WEIGHTS, vin, strict=True)
    )
    return "0123456789X"[rest % 11]


def check_vin(vin: str | None) -> VinCheck:
    """Compare the check digit of a normalised VIN of 17 characters.

    A form shows it for a rejected VIN too, which may hold any character.
    """
    if not vin or len(vin) != LENGTH or not has_vin_characters(vin):
        return VinCheck.NOT_APPLICABLE
    return VinCheck.VALID if vin[8] == compute_check_digit(vin) else VinCheck.INVALID
