"""Everything that the shop's tables hold, to tell what a request changed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Model

State = dict[tuple[str, Any], dict[str, Any]]

#: Counters, keys and locks of the frame, which change with every request.
BOOKKEEPING = {"api", "core"}


def models_of_the_shop() -> list[type[Model]]:
    """Return the models of the project's own apps, memberships in groups included."""
    root = Path(settings.BASE_DIR)
    return [
        model
        for app in apps.get_app_configs()
        if root in Path(app.path).parents and app.label not in BOOKKEEPING
        if ".venv" not in app.path
        for model in app.get_models(include_auto_created=True)
    ]


def read_state() -> State:
    """Read every row of every table."""
    return {
        (model._meta.label, row[model._meta.pk.attname]): row
        for model in models_of_the_shop()
        for row in model._default_manager.values()
    }


def difference(before: State, after: State) -> set[tuple[Any, ...]]:
    """Return which cells changed, which rows went, and what is in the new ones."""
    changed = {
        (*key, column)
        for key in before.keys() & after.keys()
        for column, value in after[key].items()
        if before[key][column] != value
    }
    gone = {(*key, "gone") for key in before.keys() - after.keys()}
    new = {
        (key[0], "new", column, str(value))
        for key in after.keys() - before.keys()
        for column, value in after[key].items()
        if column not in {"id", "ticket_id", "history_id"}
        and not isinstance(value, datetime)
    }
    return changed | gone | new


def value_for_every_column() -> dict[str, Any]:
    """Give every column of every table a value that a client might wish it had."""
    fields: list[Any] = [
        column
        for model in models_of_the_shop()
        for column in (*model._meta.concrete_fields, *model._meta.many_to_many)
    ]
    return {
        name: _another_value(column)
        for column in fields
        for name in {column.name, column.attname, *_names_in_the_api(column)}
    }


def _names_in_the_api(column: Any) -> set[str]:
    model = column.model._meta.model_name
    return {f"{model}_id"} if column.primary_key else set()


def _another_value(column: Any) -> Any:
    if column.is_relation:
        newest = column.related_model._default_manager.order_by("-pk").first()
        pk = newest.pk if newest else 1
        return [pk] if column.many_to_many else pk
    match column.get_internal_type():
        case "BooleanField":
            return not column.default
        case "DateTimeField":
            return "2001-02-03T04:05:06Z"
        case "CharField" | "TextField" | "GeneratedField":
            return "other@example.com"
        case "JSONField":
            return {"other": True}
    return 7
