"""A worker dies in the middle of a write: all of it holds, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest
from _pytest.mark.structures import ParameterSet

from .conftest import KINDS, MUST_FAIL, SETUPS, Services, urls_of
from .crash_injection import COMMITTED, KEPT, WORKED
from .load import Answer, at_once, codes, counted
from .shop import Shop, running_shop

SETTINGS = dict(
    zip(
        KINDS,
        ("tests.reliability.crash_settings", "tests.reliability.naive_crash_settings"),
        strict=True,
    )
)
IN_STOCK = 10
LINE = {"quantity_used": 1}
REPLAYED = "Idempotency-Replayed"


class CrashingShop:
    """A shop of its own whose next keyed write ends its worker at a moment."""

    def __init__(self, shop: Shop, file: Path) -> None:
        self.shop = shop
        self._file = file

    def crash_when(self, moment: str) -> None:
        # Renamed into place: no worker may read half of it.
        draft = self._file.with_suffix(".draft")
        draft.write_text(moment)
        draft.rename(self._file)

    @property
    def has_crashed(self) -> bool:
        return not self._file.exists()


GetCrashing = Callable[[str, str], CrashingShop]


@pytest.fixture(scope="module")
def get_crashing(
    services: Services, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GetCrashing]:
    with ExitStack() as running:

        @cache
        def get(on: str, kind: str) -> CrashingShop:
            folder = tmp_path_factory.mktemp(f"crashing-{on}-{kind}")
            database_url, redis_url = urls_of(services, on, kind)
            shop = running_shop(
                folder,
                on=on,
                kind=kind,
                database_url=database_url,
                redis_url=redis_url,
                workers=2,
                DJANGO_SETTINGS_MODULE=SETTINGS[kind],
                CRASH_FILE=str(folder / "crash"),
            )
            return CrashingShop(running.enter_context(shop), folder / "crash")

        yield get


@pytest.fixture
def crashing(request: pytest.FixtureRequest, get_crashing: GetCrashing) -> CrashingShop:
    return get_crashing(*request.param)


def _crashing(on: str, kind: str) -> ParameterSet:
    marks = [pytest.mark.xdist_group(f"shop on {on}")]
    marks += [MUST_FAIL] if kind == "naive" else []
    return pytest.param((on, kind), id=f"{on}-{kind}", marks=marks)


also_naive = pytest.mark.parametrize(
    "crashing",
    [_crashing(on, kind) for on in SETUPS for kind in KINDS],
    indirect=True,
)
on_product = pytest.mark.parametrize(
    "crashing", [_crashing(on, "product") for on in SETUPS], indirect=True
)
before_the_commit = pytest.mark.parametrize("moment", [WORKED, KEPT])


class Install:
    """A part on a ticket, asked for under one key as often as need be."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.part = shop.new_part(quantity_in_stock=IN_STOCK)
        self.ticket = shop.new_ticket()
        self._path = f"/service-tickets/{self.ticket}/parts/{self.part}"
        self._key = {"Idempotency-Key": uuid4().hex}

    def ask(self) -> Answer:
        return self.shop.owner.post(self._path, LINE, headers=self._key)

    def ask_again(self) -> Answer:
        """Ask as a client does that knows its connection to be gone."""
        return self.shop.owner.post(
            self._path, LINE, headers=self._key, retry_stale=True
        )


class TestCrash:
    @before_the_commit
    @also_naive
    def test_leaves_neither_the_effect_nor_the_answer(
        self, crashing: CrashingShop, moment: str
    ) -> None:
        install = Install(crashing.shop)
        crashing.crash_when(moment)

        lost = install.ask()
        left = crashing.shop.stock(install.part)
        again = install.ask_again()

        assert (lost.status, crashing.has_crashed) == (0, True)
        assert left == IN_STOCK
        assert again.status == 201
        assert REPLAYED not in again.headers
        assert crashing.shop.moved(install.part) == [-1]
        crashing.shop.assert_invariants()

    @on_product
    def test_after_the_commit_leaves_both(self, crashing: CrashingShop) -> None:
        install = Install(crashing.shop)
        crashing.crash_when(COMMITTED)

        lost = install.ask()
        left = crashing.shop.stock(install.part)
        again = install.ask_again()

        assert (lost.status, crashing.has_crashed) == (0, True)
        assert left == IN_STOCK - 1
        assert again.status == 201
        assert again.headers[REPLAYED] == "true"
        assert again.json()["quantity_used"] == 1
        assert crashing.shop.moved(install.part) == [-1]
        crashing.shop.assert_invariants()

    @before_the_commit
    @also_naive
    def test_leaves_the_work_to_one_of_the_twins(
        self, crashing: CrashingShop, moment: str
    ) -> None:
        install = Install(crashing.shop)
        crashing.crash_when(moment)

        first = at_once(16, lambda _: install.ask())
        retries = at_once(16, lambda _: install.ask_again())

        assert crashing.has_crashed
        assert 0 in counted(first)
        assert counted(first).keys() <= {0, 201, 409}
        assert codes(first) <= {"in_progress"}
        assert counted(retries) == {201: 16}
        done = {answer.body for answer in (*first, *retries) if answer.status == 201}
        assert len(done) == 1
        assert crashing.shop.moved(install.part) == [-1]
        crashing.shop.assert_invariants()
