"""Queries whose SQL is made once.

Django builds the SQL of a query anew for each request, which takes longer than the
database needs to answer it by key. The queries that every request makes are built once
for each connection, and get their values where they are run.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import cache
from itertools import zip_longest
from time import monotonic
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigAutoField, Model, QuerySet
from django.db.models.expressions import Col
from django.db.models.lookups import Exact, In, IsNull
from django.db.models.query import get_related_populators
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.where import AND

M = TypeVar("M", bound=Model)

#: Stands for the first value while the SQL is made, the one below it for the second,
#: and so on; no real value is like them.
PLACEHOLDER = -(2**62) - 1
#: No key column holds a larger number.
MAX_KEY = 2**63 - 1
#: Stand for where a page begins and how long it is.
PAGE_START, PAGE_SIZE = 7_000_000_000_000_001, 7_000_000_000_000_003
#: SQL is made for so many values; for fewer, the last one is said again.
STEPS = (1, 2, 10, 25, 50, 100)
#: A database that took longer to say no hangs, and would hang again.
SILENCE_SECONDS = 1


class PreparedQuery(Generic[M]):
    """A query by whole numbers: ``build`` makes it for some, as usual.

    It may be asked for one or, if ``build`` takes more, for up to a hundred of them.
    """

    def __init__(self, build: Callable[..., QuerySet[M, Any]]) -> None:
        self._build = build

    def rows(self, *values: int) -> Iterator[tuple[Any, ...]]:
        """Run the query and return its columns."""
        compiled, params = self._prepared(values)
        return compiled.run(compiled.sql, params)

    def first(self, *values: int) -> M | None:
        """Run the query and return its first row as an instance."""
        return next(iter(self.all(*values)), None)

    def all(self, *values: int) -> list[M]:
        """Run the query and return all its rows as instances."""
        compiled, params = self._prepared(values)
        return [compiled.instance_of(row) for row in compiled.run(compiled.sql, params)]  # type: ignore[misc]

    def _prepared(self, values: Sequence[int]) -> tuple[_Compiled, list[Any]]:
        many = next(step for step in STEPS if step >= len(values))
        holders = range(PLACEHOLDER, PLACEHOLDER - many, -1)
        compiled = _compiled((self, many), lambda: self._build(*holders))
        known = dict(zip_longest(holders, values, fillvalue=values[-1]))
        return compiled, [known.get(param, param) for param in compiled.params]


def locked(model: type[M], pk: int) -> M | None:
    """Read a row and keep others from writing it until the transaction ends."""
    if not _fits(model):
        return model._default_manager.select_for_update().filter(pk=pk).first()
    return _locking(model).first(pk)


def _fits(model: type[Model]) -> bool:
    """Tell whether a model's key takes the placeholder; a group's is too short."""
    return isinstance(model._meta.pk, BigAutoField)


@cache
def _locking(model: type[M]) -> PreparedQuery[M]:
    rows = model._default_manager
    return PreparedQuery(lambda pk: rows.select_for_update().filter(pk=pk))


def page_of(
    rows: QuerySet[M],
    build: Callable[[slice], QuerySet[M]],
    *,
    start: int,
    size: int,
    kind: Hashable,
) -> list[M]:
    """Return a page of a list, by SQL that is made once for each kind of page.

    ``build`` makes the query for a slice of the rows. One of rows that have no name is
    not prepared.
    """
    name = name_of(rows)
    if name is None:
        return list(build(slice(start, start + size)))
    first = PAGE_START if start else 0
    compiled = _compiled(
        (name, start > 0, kind), lambda: build(slice(first, first + PAGE_SIZE))
    )
    sql = compiled.sql.replace(str(PAGE_SIZE), str(size))
    sql = sql.replace(str(PAGE_START), str(start))
    found = compiled.run(sql, compiled.params)
    return [compiled.instance_of(row) for row in found]  # type: ignore[misc]


def row_of(rows: QuerySet[M], pk: int) -> M | None:
    """Return the one of some rows that has this key.

    Its SQL is made once for all rows of the same name.
    """
    if abs(pk) > MAX_KEY:
        return None
    name = name_of(rows)
    if name is None or not _fits(rows.model):
        return rows.filter(pk=pk).first()
    compiled = _compiled((name, row_of), lambda: rows.filter(pk=PLACEHOLDER))
    params = [pk if param == PLACEHOLDER else param for param in compiled.params]
    found = compiled.run(compiled.sql, params)
    return next((compiled.instance_of(row) for row in found), None)  # type: ignore[return-value]


def name_of(rows: QuerySet[Any]) -> Hashable | None:
    """Tell rows apart by their model, order, joins and plain conditions.

    What is more particular than that has no name.
    """
    query, conditions = rows.query, plain_conditions(rows)
    is_special = (
        query.annotations
        or query.distinct
        or query.combinator
        or query.is_sliced
        or query.select_for_update
        or rows._prefetch_related_lookups  # type: ignore[attr-defined]
    )
    if conditions is None or is_special or query.deferred_loading[0]:
        return None
    joins = (repr(query.select_related), tuple(map(_path_of, query.alias_map.items())))
    return rows.model, query.order_by, joins, conditions


def plain_conditions(rows: QuerySet[Any]) -> tuple[Hashable, ...] | None:
    """Name the conditions of a query if they are all "is null", "is open" or the like.

    Such are the same for everybody, and there are few. A condition with another value
    may be somebody's own, and then there is none to name: the answer is None.
    """
    where, found = rows.query.where, []
    if where.negated or where.connector != AND:
        return None
    condition: Any
    for condition in where.children:
        constant = _constant_of(condition)
        if constant is None:
            return None
        column = condition.lhs
        found.append((type(condition), column.alias, column.target, constant))
    return tuple(found)


def _path_of(table: tuple[str, Any]) -> tuple[Hashable, ...]:
    """Tell by which way a query comes to one of its tables."""
    alias, join = table
    return alias, join.parent_alias, getattr(join, "join_field", None)


def _constant_of(condition: Any) -> bool | str | None:
    """Return what a column is compared with: yes, no, or one of its choices."""
    if not isinstance(getattr(condition, "lhs", None), Col):
        return None
    value = condition.rhs
    if isinstance(condition, Exact | IsNull) and isinstance(value, bool):
        return value
    if isinstance(condition, In) and isinstance(value, list) and len(value) == 1:
        choices = dict(condition.lhs.target.flatchoices)
        return value[0] if value[0] in choices else None
    return None


def _compiled(name: Hashable, build: Callable[[], QuerySet[Any, Any]]) -> _Compiled:
    # A connection belongs to one thread, so that none waits here for another.
    connection = connections[DEFAULT_DB_ALIAS]
    prepared = connection.__dict__.setdefault("_prepared_queries", {})
    if name not in prepared:
        prepared[name] = _Compiled(build())
    compiled: _Compiled = prepared[name]
    return compiled


class _Compiled:
    def __init__(self, queryset: QuerySet[Any, Any]) -> None:
        self.compiler: SQLCompiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        self.sql, self.params = self.compiler.as_sql()
        self.annotations = self.compiler.annotation_col_map or {}
        self.converters = self.compiler.get_converters(
            expression for expression, *_ in self.compiler.select
        )
        if info := self.compiler.klass_info:
            self._learn_model(info)

    def _learn_model(self, info: dict[str, Any]) -> None:
        columns = info["select_fields"]
        self.model, select = info["model"], self.compiler.select
        self.start, self.stop = columns[0], columns[-1] + 1
        self.names = [
            column[0].target.attname for column in select[self.start : self.stop]
        ]
        self.populators = get_related_populators(info, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]

    def run(self, sql: str, params: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        rows: Iterable[Any] = _fetch(sql, params)
        if self.converters:
            rows = self.compiler.apply_converters(rows, self.converters)
        return map(tuple, rows)

    def instance_of(self, row: tuple[Any, ...]) -> Model:
        """Do with a row what a query set does with it."""
        values = row[self.start : self.stop]
        instance: Model = self.model.from_db(DEFAULT_DB_ALIAS, self.names, values)
        for populator in self.populators:
            populator.populate(row, instance)
        for name, position in self.annotations.items():
            setattr(instance, name, row[position])
        return instance


def _fetch(sql: str, params: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
    """Read rows; if the database had closed the connection, from a new one.

    Django would ask whether a connection is still good before it is first used in a
    request. The query asks that by itself, which saves a way to the database and back.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    connection.health_check_done = True  # type: ignore[attr-defined]
    started = monotonic()
    try:
        return _fetch_once(connection, sql, params)
    except OperationalError:
        was_silent = monotonic() - started > SILENCE_SECONDS
        is_first = connection.connection is None  # and it is the one that did not come
        if was_silent or is_first or connection.in_atomic_block:
            raise
        if connection.is_usable():
            raise
    connection.close()
    return _fetch_once(connection, sql, params)


def _fetch_once(
    connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]
) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
    return rows
