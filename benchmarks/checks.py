"""Before anything is measured: does everyone answer the same, and write the same?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .client import Answer, client_of
from .data import rows_added
from .measure import Target
from .workloads import Call, Workload

CALLS = 3


class Different(RuntimeError):
    """A peer does other work than the product, so there is nothing to compare."""


def check(product: Target, others: Sequence[Target], workload: Workload) -> None:
    """:raises Different: if one of the others answers or writes something else"""
    for target in (product, *others):
        if workload.writes:
            check_rows(target, workload)
    if workload.reads:
        check_answers(product, others, product.calls(workload, CALLS)[:CALLS])
    else:
        check_outlines(product, others, workload)


def check_answers(
    product: Target, others: Sequence[Target], calls: Sequence[Call]
) -> None:
    for call in calls:
        expected = ask(product, call)
        for other in others:
            given = ask(other, call)
            if complaint := difference(expected.json, given.json):
                raise Different(f"{other.server}, {call.path}: {complaint}")


def check_outlines(
    product: Target, others: Sequence[Target], workload: Workload
) -> None:
    """Compare the names in answers whose values belong to each peer's own tickets."""
    expected = outline(ask(product, next_call(product, workload)).json)
    for other in others:
        given = outline(ask(other, next_call(other, workload)).json)
        if complaint := difference(expected, given):
            raise Different(f"{other.server}, {workload.name}: {complaint}")


def check_rows(target: Target, workload: Workload) -> None:
    before = rows_added(target.server.shop)
    answer = ask(target, next_call(target, workload))
    after = rows_added(target.server.shop)
    added = {
        table: after[table] - before[table]
        for table in after
        if after[table] != before[table]
    }
    if workload.adds is None:
        changes = len(answer.json["added_mechanics"])
        expected = {"tickets_ticketmechanic": changes} if changes else {}
        if changes := changes + len(answer.json["removed_mechanics"]):
            expected["tickets_ticketevent"] = changes
    else:
        expected = workload.adds
    if added != expected:
        raise Different(f"{target.server}, {workload.name} added {added}")


def next_call(target: Target, workload: Workload) -> Call:
    call = target.calls(workload, 1)[0]
    target.spend(workload, 1)
    return call


def ask(target: Target, call: Call) -> Answer:
    with client_of(target.server.port, target.token) as client:
        answer = client.send(call)
    if not 200 <= answer.status < 300:
        raise Different(f"{target.server}, {call.path}: {answer}")
    return answer


# --- Comparing ------------------------------------------------------------------------


def difference(expected: Any, given: Any, where: str = "answer") -> str | None:
    """Tell the first place at which two values differ; None if they are equal."""
    if isinstance(expected, dict) and isinstance(given, dict):
        return _difference_of_dicts(expected, given, where)
    if isinstance(expected, list) and isinstance(given, list):
        return _difference_of_lists(expected, given, where)
    if expected == given and isinstance(expected, bool) == isinstance(given, bool):
        return None
    return f"{where} is {given!r} instead of {expected!r}"


def _difference_of_dicts(
    expected: dict[str, Any], given: dict[str, Any], where: str
) -> str | None:
    if odd := sorted(expected.keys() ^ given.keys()):
        return f"{where} differs in having {', '.join(odd)}"
    for name, value in expected.items():
        if found := difference(value, given[name], f"{where}.{name}"):
            return found
    return None


def _difference_of_lists(
    expected: list[Any], given: list[Any], where: str
) -> str | None:
    if len(expected) != len(given):
        return f"{where} has {len(given)} rows instead of {len(expected)}"
    for number, (one, other) in enumerate(zip(expected, given, strict=True)):
        if found := difference(one, other, f"{where}[{number}]"):
            return found
    return None


def outline(value: Any) -> Any:
    """Keep the names of a JSON value and forget what it says under them."""
    if isinstance(value, dict):
        return {name: outline(inner) for name, inner in value.items()}
    return None
