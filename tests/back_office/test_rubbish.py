"""Rubbish in forms and addresses: every admin page rejects it, none crashes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import NoReverseMatch
from django.utils.http import urlencode

from mechanic_shop.accounts.models import User
from tests.support.back_office import browser_of, fill_shop, form_of, url

pytestmark = pytest.mark.django_db

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
RUBBISH: dict[str, Any] = {
    "nothing": "",
    "text": "x",
    "long": "x" * 5000,
    "huge": "9" * 400,
    "exponent": "1e400",
    "nul": "a\x00b",
    "surrogate": b"\xed\xa0\x80",
    "symbols": "🚗'\"%_\\<>&",
    "vin": "1HGCM82633O0O43*2",
    "square": "²",
}
KEPT = ("csrfmiddlewaretoken", "_FORMS", "-__prefix__-")


@pytest.fixture
def desk(owner: User) -> Client:
    fill_shop(owner, 1, 3)
    client = browser_of(owner)
    client.raise_request_exception = False
    return client


def pages_of(model: type[Model], names: tuple[str, ...]) -> Iterator[str]:
    """Yield the addresses of a model's pages, those of rows for its first row."""
    row = model._default_manager.order_by("pk").first()
    assert row is not None
    for name in names:
        of_row = name in {"change", "delete", "history"}
        try:
            yield url(model, name, *([row.pk] if of_row else []))
        except NoReverseMatch:
            continue  # not every model can be exported


def parameters_of(model: type[Model]) -> list[str]:
    """List what Django, unfold and the page's own filters read from an address."""
    model_admin = admin.site._registry[model]
    names = ["p", "o", "e", "q", "all", "id", "id__in", "id__isnull", "unknown"]
    names += ["_popup", "_to_field", "_changelist_filters"]
    for item in model_admin.list_filter:
        name = item[0] if isinstance(item, tuple) else item
        name = getattr(name, "parameter_name", name)
        names += [f"{name}{end}" for end in ("", "__exact", "__in", "__gte")]
    return names


def prefilled(model: type[Model]) -> list[str]:
    """List what fills a form, or turns a page of the rows below it."""
    related = [f"{field.get_accessor_name()}-page" for field in _relations(model)]
    return [field.name for field in model._meta.fields] + related


def _relations(model: type[Model]) -> list[Any]:
    return [field for field in model._meta.related_objects if field.one_to_many]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
class TestRubbish:
    def test_in_a_form_is_no_crash(self, desk: Client, model: type[Model]) -> None:
        for path in pages_of(model, ("add", "change")):
            if desk.get(path).status_code != 200:
                continue
            names = form_of(desk, path)
            for rubbish in RUBBISH.values():
                body = {
                    name: value if name.endswith(KEPT) else rubbish
                    for name, value in names.items()
                }

                assert desk.post(path, body).status_code < 500, (path, rubbish)

    @pytest.mark.parametrize("rubbish", ["text", "huge", "nul", "square"])
    def test_that_fills_a_form_is_no_crash(
        self, desk: Client, model: type[Model], rubbish: str
    ) -> None:
        query = urlencode(dict.fromkeys(prefilled(model), RUBBISH[rubbish]))

        for path in pages_of(model, ("add", "change", "delete", "history")):
            assert desk.get(f"{path}?{query}").status_code < 500, path

    def test_that_filters_a_list_is_no_crash(
        self, desk: Client, model: type[Model]
    ) -> None:
        for path in pages_of(model, ("changelist", "export")):
            for name, rubbish in product(parameters_of(model), ["text", "huge"]):
                query = urlencode({name: RUBBISH[rubbish]})

                assert desk.get(f"{path}?{query}").status_code < 500, (path, query)


@pytest.mark.parametrize("rubbish", RUBBISH.values(), ids=RUBBISH)
def test_rubbish_in_an_autocomplete_is_no_crash(desk: Client, rubbish: Any) -> None:
    asked = {
        "app_label": "tickets",
        "model_name": "ticketpart",
        "field_name": "part",
        "term": "x",
        "page": "1",
    }
    for name in asked:
        query = urlencode(asked | {name: rubbish})

        assert desk.get(f"/admin/autocomplete/?{query}").status_code < 500, name
