from __future__ import annotations

from typing import Any

import pytest

from .leniency import may_refuse, reads_as_valid

VEHICLE = {"$ref": "#/components/schemas/VehicleRequest"}
CAR = {"make": "Fiat", "model": "Panda", "year": 2003}


def refusal(**fields: str) -> dict[str, Any]:
    messages = {field: [message] for field, message in fields.items()}
    return {"code": "invalid", "fields": messages}


class TestMayRefuse:
    @pytest.mark.parametrize(
        "answer",
        [
            refusal(email="This email address is already in use."),
            refusal(year="The year must not be after 2027."),
            {"code": "precondition_failed"},
        ],
        ids=lambda answer: str(answer),
    )
    def test_knows_what_no_schema_can_say(self, answer: dict[str, Any]) -> None:
        assert may_refuse(answer)

    @pytest.mark.parametrize(
        "answer",
        [
            refusal(email="Enter a valid email address."),
            refusal(year="The year must not be after 2027.", make="Too long."),
            refusal(colour="This field is not known."),
            {"code": "invalid"},
        ],
        ids=lambda answer: str(answer),
    )
    def test_is_surprised_by_all_else(self, answer: dict[str, Any]) -> None:
        assert not may_refuse(answer)


class TestReadsAsValid:
    @pytest.mark.parametrize(
        "change", [{"year": " 2003 "}, {"make": 500}, {"vin": ""}, {"mileage": "7"}]
    )
    def test_takes_a_body_as_a_form_sends_it(self, change: dict[str, Any]) -> None:
        assert reads_as_valid({**CAR, **change}, VEHICLE)

    @pytest.mark.parametrize(
        "change",
        [
            {"year": "2003.5"},
            {"year": 1899},
            {"make": " "},
            {"make": True},
            {"make": None},
            {"wheels": 4},
        ],
    )
    def test_takes_nothing_else(self, change: dict[str, Any]) -> None:
        assert not reads_as_valid({**CAR, **change}, VEHICLE)
