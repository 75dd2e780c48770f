"""No answer takes more queries where there is more to show."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from .access import Rule
from .facts import ContractFacts, for_each
from .garage import Garage, undone
from .permissions import rows_in

FEW, MANY = 3, 12
#: The superuser, staff and customers are answered in different ways.
WATCHED = ("superuser", "tech", "own")


class Count(NamedTuple):
    queries: int
    rows: int


Counts = dict[tuple[str, str], Count]


class QueryContract(ContractFacts):
    @pytest.fixture(scope="class")
    @classmethod
    def counts(
        cls, garage: Garage, django_db_blocker: DjangoDbBlocker
    ) -> tuple[Counts, Counts]:
        """Count the queries of each read after a few rows, and again after many."""
        with django_db_blocker.unblock(), undone():
            few = cls._count_after(garage, FEW)
            return few, cls._count_after(garage, MANY - FEW)

    @classmethod
    def _count_after(cls, garage: Garage, added: int) -> Counts:
        contract = cls()
        for _ in range(added):
            contract.add_rows(garage)
        cls._count(garage)  # fills what is cached
        return cls._count(garage)

    @classmethod
    def _count(cls, garage: Garage) -> Counts:
        return {
            (str(rule), caller): count(garage, caller, rule)
            for rule in cls.reads()
            for caller in WATCHED
            if rule.statuses[caller] == 200
        }

    @for_each("reads")
    def test_queries_stay_as_many_with_more_rows(
        self, counts: tuple[Counts, Counts], rule: Rule
    ) -> None:
        few, many = ({c: each[key] for key, c in self._keys(rule)} for each in counts)

        queries = {
            caller: (few[caller].queries, many[caller].queries) for caller in few
        }
        assert {c: two for c, two in queries.items() if two[0] != two[1]} == {}
        grown = max(many[caller].rows - few[caller].rows for caller in few)
        assert grown >= MANY - FEW or not any(few[caller].rows for caller in few)

    @for_each("reads")
    def test_queries_are_within_the_budget(
        self, counts: tuple[Counts, Counts], rule: Rule
    ) -> None:
        few, _ = counts
        budget = self.queries.get(self.short(rule), 2)

        taken = {caller: few[key].queries for key, caller in self._keys(rule)}

        assert {c: n for c, n in taken.items() if n > budget} == {}

    def _keys(self, rule: Rule) -> list[tuple[tuple[str, str], str]]:
        return [
            ((str(rule), caller), caller)
            for caller in WATCHED
            if rule.statuses[caller] == 200
        ]


def count(garage: Garage, caller: str, rule: Rule) -> Count:
    """Ask once; ``per_page`` lets a list show all of its rows."""
    with CaptureQueriesContext(connection) as queries:
        answer: Any = garage.clients[caller].get(f"{garage.path(rule)}?per_page=100")
    assert answer.status_code == 200
    return Count(len(queries), len(rows_in(answer.json())))
