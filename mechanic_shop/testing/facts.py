"""What a contract states about its resource, and what follows from that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.apps import apps
from django.db import transaction
from django.db.models import Model
from factory.django import DjangoModelFactory
from pytest_django import DjangoDbBlocker

from customers.models import Customer

from .access import OPEN, Body, Rule, first_of_each_operation, read_table
from .garage import Garage, open_garage

WITH_BODY = {"POST", "PUT", "PATCH"}
#: From the fewest permissions to the most.
LADDER = ("anonymous", "own", "tech", "adv", "mgr", "superuser")


class ContractFacts:
    """The facts of one resource; a subclass states those that differ.

    Operations are written as ``METHOD /path`` below ``path``; a word in braces is the
    id of a row that ``make_rows`` returns by that name.
    """

    #: Where the resource is, below ``/api``.
    path: ClassVar[str] = ""
    #: Who gets what; see ``access.read_table``.
    access: ClassVar[str] = ""
    factory: ClassVar[type[DjangoModelFactory[Any]] | None] = None
    #: The bodies of lines that name none: of a POST to the list, of a change of a row.
    create_body: ClassVar[Body] = {}
    change_body: ClassVar[Body] = {}
    #: The bodies that lines of the table name.
    bodies: ClassVar[Mapping[str, Body]] = {}
    #: What a create and a change take, and what they ignore when it is sent back.
    fields: ClassVar[str] = ""
    ignored_fields: ClassVar[str] = ""
    #: What is shown of a row beside them, and what some callers do not see, by column.
    read_only_fields: ClassVar[str] = ""
    hidden_fields: ClassVar[Mapping[str, str]] = {}
    #: What the bodies of other operations take, by operation or by the body's name.
    fields_of: ClassVar[Mapping[str, str]] = {}
    #: Rows that exist only below the row before them in the path.
    nested: ClassVar[str] = ""
    #: A word in the paths that may be written in another way, and that way.
    alias: ClassVar[tuple[str, str] | None] = None
    #: Whether POST and PATCH take an ``Idempotency-Key``.
    takes_keys: ClassVar[bool] = True
    #: Rules of ``settings.THROTTLES``, by operation.
    limits: ClassVar[Mapping[str, str]] = {}
    #: The most queries that a read may take, by operation; two where nothing is said.
    queries: ClassVar[Mapping[str, int]] = {}
    #: The lists that are whole arrays, and the reads that are no lists of rows at all.
    unpaginated: ClassVar[tuple[str, ...]] = ()
    single_objects: ClassVar[tuple[str, ...]] = ()
    #: The Django permission behind an operation, where the model does not tell.
    permissions: ClassVar[Mapping[str, str]] = {}
    #: With open access any customer gets what the callers of this column get.
    open_access_as: ClassVar[str] = "mgr"

    rules: ClassVar[list[Rule]] = []

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.access:
            cls.rules = cls._read_rules()
            cls._leave_out_tests_without_facts()
            pytest.mark.xdist_group(cls.__name__)(cls)  # its shop is opened once

    @classmethod
    def _read_rules(cls) -> list[Rule]:
        own = {"create": cls.create_body, "change": cls.change_body, "empty": {}}
        bodies = {**own, **cls.bodies}
        return read_table(cls.access, cls.path, bodies, cls.open_access_as)

    @classmethod
    def _leave_out_tests_without_facts(cls) -> None:
        for name in dir(cls):
            facts = getattr(getattr(cls, name), "for_each", None)
            if facts and not getattr(cls, facts)():
                setattr(cls, name, None)

    # --- The rows -----------------------------------------------------------------

    def make_rows(self, customer: Customer, garage: Garage) -> Mapping[str, Any]:
        """Create the rows that the table names; ``customer`` owns what can be owned."""
        if self.factory is None:
            return {}
        row: Model = self.factory.create()
        return {str(row._meta.model_name): row}

    def add_rows(self, garage: Garage) -> None:
        """Add one row to every list."""
        if self.factory is not None:
            self.factory.create()

    def spellings(self, path: str) -> list[str]:
        """Write a path with and without a slash, and by its alias."""
        paths = [path, f"{path}/"]
        if self.alias:
            paths += [spelling.replace(*self.alias) for spelling in paths]
        return paths

    # --- What follows from the table ----------------------------------------------

    @classmethod
    def operations(cls) -> list[Rule]:
        return first_of_each_operation(cls.rules)

    @classmethod
    def scenes(cls) -> list[Rule]:
        """Add to each line what is answered where a row is missing or another's."""
        firsts = cls.operations()
        return [
            scene
            for rule in cls.rules
            for scene in (
                [rule, *cls._strange_rows(rule)] if rule in firsts else [rule]
            )
        ]

    @classmethod
    def _strange_rows(cls, rule: Rule) -> Iterator[Rule]:
        nested = [word for word in rule.path_words if word in cls.nested.split()]
        strange = [(word, "missing") for word in rule.row_words]
        strange += [(word, "another's") for word in nested]
        for word, which in strange:
            statuses = cls._statuses_without(rule, word)
            where = f" where the {word} is {which}"
            yield replace(rule, statuses=statuses, where=where, replaced=word)

    @classmethod
    def _statuses_without(cls, rule: Rule, word: str) -> dict[str, int]:
        """Only who may try an operation at all learns that a row is not there."""
        absent = 404 if word in rule.path_words else 400
        return {
            caller: absent
            if status != 404 and cls.may_try(caller, rule.operation)
            else status
            for caller, status in rule.statuses.items()
        }

    @classmethod
    def may_try(cls, caller: str, operation: str) -> bool:
        """Return whether a caller may use an operation, whatever it is to change."""
        columns = {caller, "own"} if caller == OPEN else {caller}
        return any(
            rule.statuses[column] not in {401, 403}
            for rule in cls.rules
            for column in columns
            if rule.operation == operation
        )

    @classmethod
    def reads(cls) -> list[Rule]:
        return [rule for rule in cls.operations() if rule.method == "GET"]

    @classmethod
    def lists(cls) -> list[Rule]:
        return [
            rule
            for rule in cls.reads()
            if not rule.is_row and cls.short(rule) not in cls.single_objects
        ]

    @classmethod
    def details(cls) -> list[Rule]:
        return [rule for rule in cls.reads() if rule.is_row]

    @classmethod
    def operations_with_a_body(cls) -> list[Rule]:
        return [rule for rule in cls.operations() if rule.method in WITH_BODY]

    @classmethod
    def bodies_to_write(cls) -> list[Rule]:
        """Return a line of each operation with a body: that with the weakest caller."""
        lines = sorted(
            (rule for rule in cls.rules if rule.method in WITH_BODY),
            key=lambda rule: LADDER.index(cls.weakest_caller(rule)),
        )
        return first_of_each_operation(lines)

    @classmethod
    def fields_taken(cls, rule: Rule) -> tuple[set[str], set[str]]:
        """Return the fields that an operation takes, and those that it ignores."""
        operation = cls.short(rule)
        if operation in cls.fields_of:
            return set(cls.fields_of[operation].split()), set()
        if rule.body_name in cls.fields_of:
            return set(cls.fields_of[rule.body_name].split()), set()
        return set(cls.fields.split()), set(cls.ignored_fields.split())

    @classmethod
    def short(cls, rule: Rule) -> str:
        """Name an operation as the table does."""
        rest = rule.path.removeprefix(cls.path)
        return f"{rule.method} {rest or '/'}"

    @classmethod
    def row_of(cls, rule: Rule) -> Rule | None:
        """Return the read of the row whose ETag an operation is compared with."""
        parts = rule.path.split("/")
        details = {detail.operation: detail for detail in cls.details()}
        for length in range(len(parts), 0, -1):
            above = replace(rule, method="GET", path="/".join(parts[:length]))
            if above.operation in details:
                return replace(details[above.operation], path=above.path)
        return None

    @classmethod
    def is_detail(cls, rule: Rule) -> bool:
        """Return whether a row can be read where it is written."""
        row = cls.row_of(rule)
        return row is not None and row.path == rule.path

    @staticmethod
    def weakest_caller(rule: Rule) -> str:
        """Return the caller with the fewest permissions that are enough."""
        return next(caller for caller in LADDER if rule.statuses[caller] < 300)

    @staticmethod
    def strongest_caller(rule: Rule) -> str:
        return next(caller for caller in LADDER[::-1] if rule.statuses[caller] < 300)

    # --- pytest -------------------------------------------------------------------

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        facts = getattr(metafunc.function, "for_each", None)
        if facts:
            name = str if facts == "scenes" else attrgetter("request")
            metafunc.parametrize("rule", getattr(self, facts)(), ids=name)

    @pytest.fixture(scope="class")
    @classmethod
    def garage(
        cls,
        request: pytest.FixtureRequest,
        django_db_setup: None,
        django_db_blocker: DjangoDbBlocker,
    ) -> Iterator[Garage]:
        """One shop for all tests of a contract; each of them undoes what it did."""
        with django_db_blocker.unblock(), transaction.atomic():
            yield cls().open_garage()
            transaction.set_rollback(True)

    def open_garage(self) -> Garage:
        garage = open_garage()
        garage.own = _ids(self.make_rows(garage.own_customer, garage))
        garage.other = _ids(self.make_rows(garage.other_customer, garage))
        return garage


def contracts() -> list[type[ContractFacts]]:
    """Import ``tests.test_contract`` of every app; return what is declared there."""
    for app in apps.get_app_configs():
        if (Path(app.path) / "tests" / "test_contract.py").exists():
            import_module(f"{app.name}.tests.test_contract")
    found = dict.fromkeys(_kinds(ContractFacts))
    return [kind for kind in found if kind.access]


def _kinds(kind: type[ContractFacts]) -> Iterator[type[ContractFacts]]:
    for below in kind.__subclasses__():
        yield below
        yield from _kinds(below)


def fields_of_all_contracts() -> set[str]:
    """Name every field that some operation of the API takes."""
    texts = [
        text for kind in contracts() for text in (kind.fields, *kind.fields_of.values())
    ]
    return set(" ".join(texts).split())


def _ids(rows: Mapping[str, Any]) -> dict[str, Any]:
    return {
        word: row.pk if isinstance(row, Model) else row for word, row in rows.items()
    }


def for_each(facts: str) -> Callable[[Any], Any]:
    """Run a test once for each fact that a method of the contract returns."""

    def mark(test: Any) -> Any:
        test.for_each = facts
        return test

    return mark
