"""Rubbish in forms and addresses: every admin page rejects it, none crashes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.forms import BaseForm
from django.test import Client
from django.urls import NoReverseMatch, reverse

from mechanic_shop.accounts.models import User
from tests.test_admin import browser_of, fill_shop

pytestmark = pytest.mark.django_db

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
RUBBISH = {
    "nothing": "",
    "text": "x",
    "too long": "x" * 5000,
    "huge number": "9" * 400,
    "negative": "-1",
    "exponent": "1e400",
    "not a number": "NaN",
    "nul": "a\x00b",
    "lone surrogate": b"\xed\xa0\x80",
    "symbols": "🚗'\"%_\\<>&",
    "vin": "IOQ*🚗" + "x" * 12,
    "other digits": "١٢",
    "no digit": "²",
    "list": "1,2",
    "date": "2026-02-30",
}


@pytest.fixture
def desk(owner: User) -> Client:
    fill_shop(owner, 1, 3)
    client = browser_of(owner)
    client.raise_request_exception = False
    return client


def page(model: type[Model], name: str, *args: Any) -> str:
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=args)


def form_names(response: Any) -> Iterator[str]:
    """Yield the names of all inputs of a page's forms, management forms left alone."""
    if "adminform" not in response.context:
        return
    forms: list[BaseForm] = [response.context["adminform"].form]
    for formset in response.context["inline_admin_formsets"]:
        forms += formset.formset.forms
    for form in forms:
        for name, field in form.fields.items():
            for widget_name in _names_of(field.widget, form.add_prefix(name)):
                yield widget_name

def _names_of(widget, name):
    widget = getattr(widget, "widget", widget)
    names = getattr(widget, "widgets_names", [""])
    return [name + suffix for suffix in names]


def hidden_inputs(response: Any) -> dict[str, str]:
    """Return the management forms of a page's inlines and its own hidden inputs."""
    values: dict[str, str] = {}
    for formset in response.context.get("inline_admin_formsets", ()):
        form = formset.formset.management_form
        values |= {form.add_prefix(n): str(form.initial[n]) for n in form.initial}
    return values


class TestForms:
    @pytest.mark.parametrize("rubbish", RUBBISH.values(), ids=RUBBISH)
    @pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
    def test_a_form_full_of_rubbish_is_no_crash(
        self, desk: Client, model: type[Model], rubbish: str | bytes
    ) -> None:
        row = model._default_manager.order_by("pk").first()
        pages = [page(model, "add")] + ([page(model, "change", row.pk)] if row else [])
        statuses = []
        for url in pages:
            response = desk.get(url)
            if response.status_code != 200:
                continue
            body = hidden_inputs(response)
            body |= dict.fromkeys(form_names(response), rubbish)
            statuses.append(desk.post(url, body).status_code)
        assert [s for s in statuses if s >= 500] == [], statuses


#: GET parameters that Django, unfold, the filters and the pages themselves read.
PARAMETERS = (
    "p", "o", "e", "q", "all", "bad", "_popup", "_to_field", "_changelist_filters",
    "id", "pk", "id__in", "id__gt", "id__isnull", "page", "term", "format", "file_format",
)


def read_parameters(model: type[Model]) -> list[str]:
    model_admin = admin.site._registry[model]
    names = [*PARAMETERS, "app_label", "model_name", "field_name"]
    for field in model._meta.get_fields():
        names.append(field.name)
    for item in getattr(model_admin, "list_filter", ()):
        name = item[0] if isinstance(item, tuple) else getattr(item, "parameter_name", item)
        names += [name, *(f"{name}__{end}" for end in ("exact", "id__exact", "isnull", "isempty", "in", "gte", "lt", "year", "month", "day"))]
    if model_admin.date_hierarchy:
        names += [f"{model_admin.date_hierarchy}__{end}" for end in ("year", "month", "day", "gte")]
    names += [f"{inline.model._meta.model_name}_set-page" for inline in model_admin.inlines]
    names += [f"{inline.model._meta.get_field(x.name).remote_field.get_accessor_name()}-page" for inline in model_admin.inlines for x in inline.model._meta.fields if x.related_model is model]
    return sorted(set(names))


def pages_of(model: type[Model], row: Model | None) -> Iterator[str]:
    for name in ("changelist", "add", "export"):
        try:
            yield page(model, name)
        except NoReverseMatch:
            pass
    if row is not None:
        for name in ("change", "delete", "history"):
            try:
                yield page(model, name, row.pk)
            except NoReverseMatch:
                pass


class TestAddresses:
    @pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
    def test_no_parameter_of_an_address_is_a_crash(
        self, desk: Client, model: type[Model]
    ) -> None:
        row = model._default_manager.order_by("pk").first()
        crashed = []
        n = 0
        for url in pages_of(model, row):
            for name in read_parameters(model):
                for kind in ("text", "huge number", "no digit", "nul"):
                    rubbish = RUBBISH[kind]
                    value = rubbish if isinstance(rubbish, bytes) else rubbish
                    from urllib.parse import quote
                    n += 1
                    status = desk.get(f"{url}?{name}={quote(value)}").status_code
                    if status >= 500:
                        crashed.append((url, name, kind))
        print(n)
        assert crashed == []
