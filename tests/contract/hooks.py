"""What Schemathesis cannot know of a shop: which rows there are, and what is unused.

schemathesis.toml names this module; what it reads from the environment, test_contract
has set. Every request passes through ``before_call`` and ``after_call``.
"""

from __future__ import annotations

import atexit
import json
import os
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis import AuthContext, Case, HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase
from schemathesis.openapi.checks import RejectedPositiveData

from .leniency import may_refuse, reads_as_valid
from .rows import NEEDS, VALUES, VALUES_OF, Row, Rows

ROLE = os.environ["CONTRACT_ROLE"]
ROWS = Rows(os.environ["CONTRACT_URL"], Path(os.environ["CONTRACT_LOG"]), ROLE)
REPORT = Path(os.environ["CONTRACT_REPORT"])
TOKEN = f"Bearer {ROWS.caller['access_token']}"

#: These end a session or its user. A login of their own has to do it, since the
#: caller's is needed for all the rest.
FATAL = {"logout", "change_password"}
if ROLE == "customer":
    FATAL |= {"delete_customer"}
CREATES = {
    "create_customer": "customer_id",
    "create_customer_vehicle": "vehicle_id",
    "create_mechanic": "mechanic_id",
    "create_service_ticket": "ticket_id",
    "create_part": "part_id",
}
#: One in so many requests is left as it is: with a body that may refer to nothing, with
#: a stale version, with a key that was used before. More would hide what comes behind.
STRANGE_BODIES, STALE_VERSIONS, USED_KEYS = 6, 8, 20

requests = count(1)
#: By operation, the rows that are made for it and not used up yet.
ready: dict[str, Row] = {}
created: set[tuple[str, Any]] = set()
answers: Counter[int] = Counter()
reached: set[str] = set()


@schemathesis.auth()
class Caller:
    """Sign every request that has to be signed."""

    def get(self, case: Case, context: AuthContext) -> str:
        return TOKEN

    def set(self, case: Case, data: str, context: AuthContext) -> None:
        case.headers["Authorization"] = data


# --- Before a request -----------------------------------------------------------------


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Point a case at rows that exist; what is wrong on purpose stays wrong."""
    number, rows = next(requests), _rows_for(_name_of(case))
    if _name_of(case) in FATAL and case.headers.get("Authorization") == TOKEN:
        case.headers["Authorization"] = f"Bearer {rows['access_token']}"
    if _is_valid(case, ParameterLocation.HEADER):
        _choose_headers(case, number)
    if _is_valid(case, ParameterLocation.PATH):
        _choose_rows(case, rows)
    if _is_valid(case, ParameterLocation.BODY) and number % STRANGE_BODIES:
        _choose_values(case, rows)


def _name_of(case: Case) -> str:
    return str(case.operation.definition.raw["operationId"])


def _is_valid(case: Case, where: ParameterLocation) -> bool:
    part = case.meta.components.get(where) if case.meta else None
    return part is None or part.mode.is_positive


def _rows_for(name: str) -> Row:
    if name not in ready:
        ready[name] = NEEDS[name](ROWS) if name in NEEDS else {}
    return ready[name]


def _choose_headers(case: Case, number: int) -> None:
    if "If-Match" in case.headers and number % STALE_VERSIONS:
        case.headers["If-Match"] = "*"
    if "Idempotency-Key" in case.headers and number % USED_KEYS:
        case.headers["Idempotency-Key"] = f"key-{number}"


def _choose_rows(case: Case, rows: Row) -> None:
    for name in case.path_parameters:
        if _name_of(case) in FATAL or not _was_created(case, name):
            case.path_parameters[name] = rows.get(name) or _lasting(name)


def _was_created(case: Case, name: str) -> bool:
    """Return whether a chain of requests leads here from the one that made the row."""
    in_a_chain = case.meta is not None and case.meta.phase.name == TestPhase.STATEFUL
    return in_a_chain and (name, case.path_parameters[name]) in created


def _lasting(name: str) -> int:
    return int(getattr(ROWS, name.removesuffix("_id")))


def _choose_values(case: Case, rows: Row) -> None:
    if not isinstance(case.body, dict):
        return
    body = {
        field: value if value is None else _value(_name_of(case), field, value, rows)
        for field, value in case.body.items()
    }
    if "current_cost_cents" in body:
        body.pop("price", None)
    elif _name_of(case) == "create_part":
        body.setdefault("price", 12.5)
    case.body = body


def _value(name: str, field: str, value: Any, rows: Row) -> Any:
    """Choose what fits the shop's rows, where not every valid value does."""
    if field in {"refresh_token", "uid", "token"}:
        return rows[field]
    if field in {"price", "markup_percentage"}:
        return round(value, 2)
    choose = VALUES_OF.get((name, field)) or VALUES.get(field)
    return choose(ROWS) if choose else value


# --- After an answer ------------------------------------------------------------------


@schemathesis.hook
def after_call(context: HookContext, case: Case, response: Response) -> None:
    """Count the answer; rows that it used up are not ready any more."""
    answers[response.status_code] += 1
    name = _name_of(case)
    if case.method.upper() != case.operation.method.upper():
        return
    if 200 <= response.status_code < 300:
        _note_success(name, case, response)
    if case.method != "GET" and (response.status_code in {200, 201, 204, 409}):
        ready.pop(name, None)


def _note_success(name: str, case: Case, response: Response) -> None:
    if case.meta and case.meta.generation.mode.is_positive:
        reached.add(case.operation.label)
    if name in CREATES:
        created.add((CREATES[name], response.json()[CREATES[name]]))


@schemathesis.hook
def filter_failure(
    context: HookContext, failure: Failure, case: Case, response: Response
) -> bool:
    """Let pass what a schema cannot say, and what is read as kindly as a form."""
    if isinstance(failure, RejectedPositiveData):
        return not may_refuse(response.json())
    if isinstance(failure, AcceptedNegativeData) and _is_wrong_in_body_alone(case):
        return not reads_as_valid(case.body, _body_schema(case))
    return True


def _is_wrong_in_body_alone(case: Case) -> bool:
    elsewhere = {*ParameterLocation} - {ParameterLocation.BODY}
    return all(_is_valid(case, where) for where in elsewhere)


def _body_schema(case: Case) -> dict[str, Any]:
    content = case.operation.definition.raw.get("requestBody", {}).get("content", {})
    return dict(content.get("application/json", {}).get("schema", {}))


@atexit.register
def _report() -> None:
    REPORT.write_text(json.dumps({"answers": answers, "reached": sorted(reached)}))
