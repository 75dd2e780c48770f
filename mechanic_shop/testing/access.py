"""The table that says what each caller gets for each operation of a resource."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Body = Mapping[str, Any]

#: The columns of a table: the customer who owns the row, another customer, the three
#: groups of the shop, and staff who are in none of them.
COLUMNS = ("own", "other", "tech", "adv", "mgr", "staff")
#: Callers without a column, who get what the one beside them gets: a login that is no
#: customer, and the superuser.
LIKE = {"visitor": "other", "superuser": "mgr"}
#: Nobody gets in without a valid token, or with that of a deactivated login.
OUTSIDERS = ("anonymous", "deactivated")
#: Any customer in a shop with open access.
OPEN = "open access"

CALLERS = (*OUTSIDERS, *COLUMNS, *LIKE, OPEN)

#: No table has a row with this id.
MISSING = 2**31 - 1

LINE = re.compile(r"([\d ]+?) +([A-Z]+) +(/\S*) *(.*)")
WORD = re.compile(r"{([a-z_]+)}")


@dataclass(frozen=True, eq=False)
class Rule:
    """One line of a table: a request, and its status for each caller.

    ``where`` says which of the rows that it names is not the caller's own one.
    """

    method: str
    path: str
    body_name: str
    body: Body
    statuses: Mapping[str, int]
    where: str = ""
    replaced: str = ""

    @property
    def operation(self) -> str:
        """Name method and path, whatever the rows in it are called."""
        return f"{self.method} {WORD.sub('{}', self.path)}"

    @property
    def is_write(self) -> bool:
        return self.method != "GET"

    @property
    def path_words(self) -> list[str]:
        return WORD.findall(self.path)

    @property
    def row_words(self) -> list[str]:
        """Name the rows of the path, and those that the body refers to by an id."""
        referred = [
            word
            for name, value in self.body.items()
            if name.endswith(("_id", "_ids"))
            for word in WORD.findall(str(value))
        ]
        return list(dict.fromkeys([*self.path_words, *referred]))

    @property
    def is_row(self) -> bool:
        """Whether the path is that of one row, and not of a list."""
        return self.path.endswith("}")

    @property
    def request(self) -> str:
        return f"{self.method} {self.path} {self.body_name}".strip()

    def __str__(self) -> str:
        """Say the whole claim: who gets which status."""
        groups: dict[int, list[str]] = {}
        for caller, status in self.statuses.items():
            groups.setdefault(status, []).append(caller)
        claims = [f"{status} {' '.join(who)}" for status, who in sorted(groups.items())]
        return f"{self.request}{self.where}: {', '.join(claims)}"


def read_table(
    table: str, prefix: str, bodies: Mapping[str, Body], open_as: str
) -> list[Rule]:
    """Read the lines of a table.

    The first names the columns. Each of the others has a status for each column, or a
    single one that everybody gets, signed in or not; then the method, the path below
    ``prefix``, and the name of a body in ``bodies``. The column ``open`` is left out
    where open access gives customers what the callers of ``open_as`` get.
    """
    head, *lines = [line.strip() for line in table.strip().splitlines() if line.strip()]
    columns = head.split()
    assert set(columns) - {"open"} == set(COLUMNS), head
    return [_read_line(line, columns, prefix, bodies, open_as) for line in lines]


def _read_line(
    line: str, columns: list[str], prefix: str, bodies: Mapping[str, Body], open_as: str
) -> Rule:
    found = LINE.fullmatch(line)
    assert found, line
    numbers, method, rest, name = found.groups()
    statuses = _statuses(columns, [int(number) for number in numbers.split()], open_as)
    body = bodies[name or _default_body(method, rest)]
    return Rule(method, prefix + rest.rstrip("/"), name, body, statuses)


def _default_body(method: str, rest: str) -> str:
    """Name the body of a line that names none."""
    if (method, rest) == ("POST", "/"):
        return "create"
    is_change = method in {"PUT", "PATCH"} and re.fullmatch(r"/{[a-z_]+}", rest)
    return "change" if is_change else "empty"


def _statuses(columns: list[str], numbers: list[int], open_as: str) -> dict[str, int]:
    if len(numbers) == 1:
        return dict.fromkeys(CALLERS, numbers[0])
    named = dict(zip(columns, numbers, strict=True))
    named.setdefault("open", named[open_as])
    implied = {caller: named[column] for caller, column in LIKE.items()}
    implied[OPEN] = named.pop("open")
    return {
        **named,
        **implied,
        **dict.fromkeys(OUTSIDERS, 401),
    }


def first_of_each_operation(rules: Iterable[Rule]) -> list[Rule]:
    first: dict[str, Rule] = {}
    for rule in rules:
        first.setdefault(rule.operation, rule)
    return list(first.values())
