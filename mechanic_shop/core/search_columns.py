"""Columns that are derived from others of their row, to be searched.

Python writes them with the row, whichever way it is written: databases cannot fold
text, or do it each in its own way. ``refresh_search_columns`` completes rows that
servers of an earlier release have written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, models, transaction

from .row_batches import BATCH_SIZE, row_batches
from .search_text import fold, fold_bare, fold_identifier
from .transactions import retry_on_deadlock

M = TypeVar("M", bound=models.Model)


class SearchColumn(models.Field):
    """The base of derived columns; ``sources`` are names of columns of the row.

    To migrations they are plain columns, which the code of any release can read. They
    are null in rows that a server of an earlier release has written.
    """

    sources: Sequence[str] = ()

    def derive(self, values: Sequence[str]) -> str:
        raise NotImplementedError

    def derive_from(self, row: models.Model) -> str:
        return self.derive([str(getattr(row, name) or "") for name in self.sources])

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        """Derive the value whenever the column is written, as ``auto_now`` does."""
        value = self.derive_from(model_instance)
        setattr(model_instance, self.attname, value)
        return value


Columns = Mapping[str, SearchColumn]


class SearchTextField(SearchColumn, models.TextField):
    """The distinct words of some columns, folded: as they are, and bare."""

    def __init__(
        self,
        *,
        words: Sequence[str] = (),
        identifiers: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        self.sources = (*words, *identifiers)
        self.identifiers = len(identifiers)
        super().__init__(null=True, editable=False)

    def derive(self, values: Sequence[str]) -> str:
        identifiers = values[len(values) - self.identifiers :]
        words = fold(" ".join(values)).split()
        bare = [*map(fold_bare, words), *map(fold_identifier, identifiers)]
        return " ".join(dict.fromkeys(filter(None, [*words, *bare])))

    def deconstruct(self) -> Any:
        name, _, _, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", [], kwargs


class IdentifierField(SearchColumn, models.CharField):
    """The letters and digits of an identifier, with an index."""

    def __init__(self, source: str = "", *, max_length: int, **kwargs: Any) -> None:
        self.sources = (source,)
        super().__init__(
            max_length=max_length, null=True, editable=False, db_index=True
        )

    def derive(self, values: Sequence[str]) -> str:
        # Folded signs may become more: the index takes the beginning.
        return fold_identifier(values[0])[: self.max_length]

    def deconstruct(self) -> Any:
        name, _, _, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", [], kwargs


def search_columns(model: type[models.Model]) -> Columns:
    found = (field for field in model._meta.fields if isinstance(field, SearchColumn))
    return {field.name: field for field in found}


def _affected(model: type[models.Model], written: Iterable[str]) -> Columns:
    """Return the columns that are derived from those that are written."""
    names = set(written)
    return {
        name: column
        for name, column in search_columns(model).items()
        if names.intersection(column.sources)
    }


class SearchableModel(models.Model):
    """A model whose search columns are written with their sources."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("update_fields") is not None:
            names = set(kwargs["update_fields"])
            kwargs["update_fields"] = names.union(_affected(type(self), names))
        super().save(*args, **kwargs)


class SearchableQuerySet(models.QuerySet[M]):
    """Its bulk writes take search columns along; ``bulk_create`` does so by itself."""

    def update(self, **kwargs: Any) -> int:
        columns = _affected(self.model, kwargs)
        if not columns:
            return super().update(**kwargs)
        with transaction.atomic(using=self.db):
            # The condition of the update may not hold after it.
            pks = list(self.select_for_update().order_by().values_list("pk", flat=True))
            changed = super().update(**kwargs)
            rows = self.model._base_manager.using(self.db)
            for batch in _in_batches(pks):
                _rewrite(rows.filter(pk__in=batch), columns)
        return changed

    def bulk_update(
        self, objs: Iterable[M], fields: Iterable[str], *args: Any, **kwargs: Any
    ) -> int:
        rows, names = list(objs), list(fields)
        columns = _affected(self.model, names)
        for row in rows:
            _derive(row, columns)
        return super().bulk_update(rows, [*names, *columns], *args, **kwargs)


def refresh_search_columns(
    model: type[models.Model],
    columns: Columns | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> int:
    """Derive the columns of rows again that differ, and return their number.

    A migration says what the columns are, because its models do not know.
    """
    columns = search_columns(model) if columns is None else columns
    rows = model._base_manager.using(using)
    refreshed = 0
    for stale in _stale_batches(rows, columns):
        _refresh(rows.filter(pk__in=[row.pk for row in stale]), columns)
        refreshed += len(stale)
    return refreshed


def find_stale_rows(rows: models.QuerySet[M], columns: Columns) -> Iterator[M]:
    """Read rows and keep those whose search columns do not say what they should."""
    return chain.from_iterable(_stale_batches(rows, columns))


def _stale_batches(rows: models.QuerySet[M], columns: Columns) -> Iterator[list[M]]:
    sources = {name for column in columns.values() for name in column.sources}
    for batch in row_batches(rows.only(*columns, *sources)):
        if stale := [row for row in batch if _is_stale(row, columns)]:
            yield stale


def _is_stale(row: models.Model, columns: Columns) -> bool:
    return any(
        getattr(row, name) != column.derive_from(row)
        for name, column in columns.items()
    )


@retry_on_deadlock
def _refresh(rows: models.QuerySet[Any], columns: Columns) -> None:
    with transaction.atomic(using=rows.db):
        _rewrite(rows.select_for_update(), columns)


def _rewrite(rows: models.QuerySet[Any], columns: Columns) -> None:
    changed = list(rows)
    for row in changed:
        _derive(row, columns)
    rows.model._base_manager.using(rows.db).bulk_update(changed, [*columns])


def _derive(row: models.Model, columns: Columns) -> None:
    for name, column in columns.items():
        setattr(row, name, column.derive_from(row))


def _in_batches(pks: Sequence[int]) -> Iterator[Sequence[int]]:
    starts = range(0, len(pks), BATCH_SIZE)
    return (pks[first : first + BATCH_SIZE] for first in starts)
