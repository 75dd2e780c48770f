"""No answer takes more queries where there is more to show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from django.db import connection
from django.db.models import Model
from django.db.models.signals import post_init
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
    """What a read took and showed; ``built`` are the rows made for a page of two."""

    queries: int
    rows: int
    built: int


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

    @for_each("lists")
    def test_list_has_become_longer_meanwhile(
        self, counts: tuple[Counts, Counts], rule: Rule
    ) -> None:
        few, many = counts

        more = {who: many[key].rows - few[key].rows for key, who in self._keys(rule)}

        assert max(more.values()) >= MANY - FEW, more

    @classmethod
    def pages(cls) -> list[Rule]:
        return [rule for rule in cls.lists() if cls.short(rule) not in cls.unpaginated]

    @for_each("pages")
    def test_page_builds_as_many_rows_from_a_long_list(
        self, counts: tuple[Counts, Counts], rule: Rule
    ) -> None:
        few, many = counts

        built = {w: (few[k].built, many[k].built) for k, w in self._keys(rule)}

        assert {who: two for who, two in built.items() if two[0] != two[1]} == {}

    @for_each("reads")
    def test_queries_are_within_the_budget(
        self, counts: tuple[Counts, Counts], rule: Rule
    ) -> None:
        few, _ = counts
        budget = self.queries.get(self.short(rule), 2)

        taken = {caller: few[key].queries for key, caller in self._keys(rule)}

        assert {c: n for c, n in taken.items() if not 0 < n <= budget} == {}

    def _keys(self, rule: Rule) -> list[tuple[tuple[str, str], str]]:
        return [
            ((str(rule), caller), caller)
            for caller in WATCHED
            if rule.statuses[caller] == 200
        ]


def count(garage: Garage, caller: str, rule: Rule) -> Count:
    """Ask twice: for all rows of a list, and for a page of two."""
    client, path = garage.clients[caller], garage.path(rule)
    with CaptureQueriesContext(connection) as queries:
        answer: Any = client.get(path, {"per_page": 100})
    assert answer.status_code == 200
    taken = len(queries)  # the next request empties the log
    with built_rows() as built:
        client.get(path, {"per_page": 2})
    return Count(taken, len(rows_in(answer.json())), len(built))


@contextmanager
def built_rows() -> Iterator[list[type[Model]]]:
    """Collect the model of each row that is made meanwhile."""
    built: list[type[Model]] = []

    def note(sender: type[Model], **kwargs: Any) -> None:
        built.append(sender)

    post_init.connect(note)
    try:
        yield built
    finally:
        post_init.disconnect(note)
