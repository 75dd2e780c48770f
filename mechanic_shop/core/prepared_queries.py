"""Queries whose SQL is made once, as named constants of the module that uses them.

Django makes the SQL of a query again at each use, which takes longer than the database
needs to find a row by its key. For the few queries that nearly every request makes, the
SQL is made once for each connection. They are called by name where they are used::

    PART_BY_ID = PreparedQuery(lambda pk: Part.objects.filter(pk=pk))
    part = PART_BY_ID.first(7)

Nothing else about them is special: Django runs the SQL and makes the instances.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet

Row = TypeVar("Row")

#: Stands for the first value while the SQL is made, one more for the second, and so on.
#: It fits into a BigAutoField, and no real value is like it.
PLACEHOLDER = 2**62 + 1
#: SQL is made for this many values; a shorter list is padded with its last value.
STEPS = (1, 2, 10, 25, 50, 100)


class PreparedQuery(Generic[Row]):
    """A query by values: keys, also texts, or where a slice starts and how long it is.

    ``build`` makes the query set for some of them: for a fixed number of values, or for
    up to a hundred if it takes ``*values`` and compares with ``__in``.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Row]]) -> None:
        self._build = build

    def all(self, *values: int | str) -> list[Row]:
        """Run the query and return what its query set would."""
        number = next(step for step in STEPS if step >= len(values))
        # A connection belongs to one thread, so threads share nothing here.
        prepared = vars(connections[DEFAULT_DB_ALIAS]).setdefault(
            "prepared_queries", {}
        )
        if (self, number) not in prepared:
            prepared[self, number] = _Prepared(self._build, number)
        rows: list[Row] = prepared[self, number].run(values)
        return rows

    def first(self, *values: int | str) -> Row | None:
        """Run the query and return its first row, or None."""
        return next(iter(self.all(*values)), None)


class _Prepared:
    """The SQL of a query set, with placeholders instead of values."""

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], number: int) -> None:
        placeholders = range(PLACEHOLDER, PLACEHOLDER + number)
        self._number = number
        self._rows = build(*placeholders)
        # Django has no public way to keep SQL and still get instances from it, so the
        # query set is given its compiler, and the compiler what it found out once.
        # tests/test_queries.py compares the result with ordinary queries.
        compiler = self._rows.query.get_compiler(DEFAULT_DB_ALIAS)
        self._sql, self._params = compiler.as_sql()
        converters = compiler.get_converters([column[0] for column in compiler.select])
        compiler.get_converters = lambda _: converters
        self._rows.query.get_compiler = lambda *_, **__: compiler  # type: ignore[method-assign]
        self._compiler = compiler
        # A column of text is compared with the placeholder's digits.
        places = {str(each): place for place, each in enumerate(placeholders)}
        self._places = [places.get(str(param)) for param in self._params]
        # Django writes the bounds of a slice into the SQL itself.
        self._bounds = [(each, n) for each, n in places.items() if each in self._sql]
        used = {*self._places, *(place for _, place in self._bounds)}
        assert used >= {*places.values()}, "the SQL must take each value as it is"

    def run(self, values: tuple[int | str, ...]) -> list[Any]:
        values += values[-1:] * (self._number - len(values))
        params = tuple(
            param if place is None else values[place]
            for param, place in zip(self._params, self._places, strict=True)
        )
        sql = self._sql
        for bound, place in self._bounds:
            sql = sql.replace(bound, str(int(values[place])))
        self._compiler.as_sql = lambda *_, **__: (sql, params)
        return list(self._rows.all())
