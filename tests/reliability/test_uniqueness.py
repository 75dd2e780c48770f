"""One address, one VIN, one part number, however many come at once and spell it."""

from __future__ import annotations

from uuid import uuid4

import pytest

from .load import Answer, at_once, counted
from .shop import Shop

pytestmark = pytest.mark.race

CALLERS = 32
PASSWORD = "seven-lazy-otters-hum"


def spellings_of_an_address() -> list[str]:
    address = f"ann.{uuid4().hex[:12]}@shop.example"
    cases = [address, address.upper(), address.title(), f"ANN{address[3:]}"]
    return [*cases, *(f" {spelling}\t " for spelling in cases)]


def spellings_of_a_vin() -> list[str]:
    vin = f"1M8GDM9A{uuid4().int % 10**9:09d}"
    cases = [vin, vin.lower(), vin.title(), f" {vin} "]
    return [*cases, *(f"{case[:5]}-{case[5:9]} {case[9:]}" for case in cases)]


def spellings_of_a_part_number() -> list[str]:
    number = f"pad-front-left-{uuid4().hex[:12]}"
    cases = [number, number.upper(), number.title(), number.capitalize()]
    return [*cases, *(f" {case} " for case in cases)]


def assert_one_of_them(answers: list[Answer], field: str) -> None:
    """Check that one was first and all others are told which field is taken.

    :raises AssertionError: if not
    """
    assert counted(answers) == {201: 1, 400: CALLERS - 1}
    refused = [answer.json() for answer in answers if answer.status == 400]
    assert [list(body["fields"]) for body in refused] == [[field]] * len(refused)


class TestAddress:
    def test_becomes_one_account_that_opens_in_every_spelling(self, shop: Shop) -> None:
        spellings = spellings_of_an_address()
        body = {"first_name": "Ann", "last_name": "Lee", "phone": "1"}
        body["password"] = PASSWORD

        answers = at_once(
            CALLERS,
            lambda i: shop.client().post(
                "/auth/register", {**body, "email": spellings[i % 8]}
            ),
        )

        assert_one_of_them(answers, "email")
        logins = [
            shop.client().post("/auth/login", {"email": email, "password": PASSWORD})
            for email in spellings
        ]
        assert counted(logins) == {200: 8}
        assert len({login.json()["user"]["user_id"] for login in logins}) == 1
        customers = shop.rows("/customers", "customers")
        assert [row["email"] for row in customers].count(spellings[0]) == 1
        shop.assert_invariants()


class TestVin:
    def test_belongs_to_one_vehicle(self, shop: Shop) -> None:
        customers = [shop.new_customer(), shop.new_customer()]
        spellings = spellings_of_a_vin()
        body = {"make": "Fiat", "model": "Panda", "year": 2003}

        answers = at_once(
            CALLERS,
            lambda i: shop.owner.post(
                f"/customers/{customers[i // 16]}/vehicles",
                {**body, "vin": spellings[i % 8]},
            ),
        )

        assert_one_of_them(answers, "vin")
        vins = [row["vin"] for row in shop.rows("/vehicles", "vehicles")]
        assert vins.count(spellings[0]) == 1
        shop.assert_invariants()


class TestPartNumber:
    def test_belongs_to_one_part(self, shop: Shop) -> None:
        spellings = spellings_of_a_part_number()
        body = {"name": "Brake pad", "price": 10, "quantity_in_stock": 3}

        answers = at_once(
            CALLERS,
            lambda i: shop.owner.post(
                "/inventory", {**body, "part_number": spellings[i % 8]}
            ),
        )

        assert_one_of_them(answers, "part_number")
        numbers = [row["part_number"] for row in shop.rows("/inventory", "parts")]
        assert [number.lower() for number in numbers].count(spellings[0]) == 1
        shop.assert_invariants()
