"""Where the shop may differ from the letter of schema.yml, and nowhere else.

It refuses some bodies that no schema can tell from good ones, and reads some others as
kindly as it reads a form, in which everything is text.
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from ..support.server import ROOT

Schema = dict[str, Any]

DOCUMENT = yaml.safe_load((ROOT / "schema.yml").read_text())

WEAK = "too common|entirely numeric|too similar"
WRONG = "is wrong"
#: Of any text: JSON Schema has no word for what looks like a line.
ONE_LINE = "Write this in one line"
#: By field, what a body may be refused for that fits its schema: it depends on other
#: rows, on other fields, on today, or on what is easily guessed.
REFUSALS = {
    "add_ids": "Unknown mechanics|both|active",
    "remove_ids": "Unknown mechanics|both",
    "adjustment": "Send how many more or fewer",
    "current_cost_cents": "Send this field or price",
    "current_password": f"{WRONG}|Send your password",
    "customer_id": "nothing with the id|belongs to another customer",
    "email": "has this|already in use|The login needs",
    "inventory_id": "nothing with the id",
    "installed_by_mechanic_id": "nothing with the id",
    "markup_percentage": "at most (2 digits after|5 digits)",
    "new_password": WEAK,
    "ordering": "at most 20 values",
    "part_number": "exists already|keeps a number",
    "password": WEAK,
    "price": "different amounts|at most (2 digits after|12 digits)",
    "quantity_in_stock": "may be counted",
    "search": "at most 10 words",
    "status": "A new ticket starts as|at most 20 values",
    "token": "not valid any more",
    "uid": "not valid any more",
    "vehicle_id": "nothing with the id",
    "vin": "exists already|A VIN since 1981",
    "year": "must not be after",
}
#: Codes of refusals that come from a header: a key used before, a version of before.
HEADER_REFUSALS = frozenset({"idempotency_key_reused", "precondition_failed"})

WHOLE, DECIMAL = re.compile(r"-?\d+", re.ASCII), re.compile(r"-?\d+(\.\d+)?", re.ASCII)
YES = frozenset({"true", "t", "yes", "y", "on", "1"})
NO = frozenset({"false", "f", "no", "n", "off", "0"})


def may_refuse(answer: dict[str, Any]) -> bool:
    """Return whether a body that fits its schema may get this answer."""
    if answer["code"] in HEADER_REFUSALS:
        return True
    fields = answer.get("fields", {})
    return bool(fields) and all(
        re.search(f"{REFUSALS.get(field, '$^')}|{ONE_LINE}", " ".join(messages))
        for field, messages in fields.items()
    )


def reads_as_valid(body: Any, schema: Schema) -> bool:
    """Return whether a body fits its schema once it is read as kindly as a form."""
    if not isinstance(body, dict) or not schema:
        return False
    shape = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    kindly = {
        name: _read(value, _resolved(shape["properties"].get(name, {})))
        for name, value in body.items()
    }
    validator = Draft202012Validator({**_with_nulls(shape), **_COMPONENTS})
    return bool(validator.is_valid(kindly))


def _read(value: Any, shape: Schema) -> Any:
    kind = shape.get("type")
    if isinstance(value, str):
        value = value.strip()
        if not value and shape.get("nullable"):
            return None
        return _read_text(value, kind)
    if kind == "string" and type(value) in {int, float}:
        return str(value)
    if kind == "boolean" and value in (0, 1):
        return bool(value)
    if kind == "array" and isinstance(value, list):
        return [_read(item, shape["items"]) for item in value]
    return value


def _read_text(text: str, kind: str | None) -> Any:
    if kind == "integer" and WHOLE.fullmatch(text):
        return int(text)
    if kind == "number" and DECIMAL.fullmatch(text):
        return float(text)
    if kind == "boolean" and text.lower() in YES | NO:
        return text.lower() in YES
    return text


def _resolved(shape: Schema) -> Schema:
    for part in shape.get("allOf", []):
        shape = {**_resolved(part), **shape}
    if "$ref" in shape:
        name = shape["$ref"].rpartition("/")[2]
        return dict(DOCUMENT["components"]["schemas"][name])
    return shape


def _with_nulls(shape: Schema) -> Schema:
    """Say ``nullable`` as JSON Schema does."""
    properties = {
        name: {"anyOf": [part, {"type": "null"}]} if part.get("nullable") else part
        for name, part in shape["properties"].items()
    }
    return {**shape, "properties": properties}


_COMPONENTS = {"components": DOCUMENT["components"]}
