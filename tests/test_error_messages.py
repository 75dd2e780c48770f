"""What clients and staff are told is told in their words, not in Django's."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from gettext import GNUTranslations
from importlib import import_module
from pathlib import Path
from typing import Any

import django_filters
import polib
import pytest
from django import forms
from django.conf import settings
from django.urls import get_resolver
from rest_framework import serializers
from rest_framework.test import APIClient
from rest_framework.validators import UniqueTogetherValidator, UniqueValidator

from mechanic_shop.api.filters import ShopFilterSet
from mechanics.tests.factories import MechanicFactory
from tickets.tests.factories import TicketFactory

CATALOG = settings.BASE_DIR / "mechanic_shop/locale/en/LC_MESSAGES/django.po"
#: Words for those who know Django or Python.
DIALECT = re.compile(
    r"\b(pk|object does|instance|dictionary|boolean|integer|string|datetime|unique"
    r"|Ensure|valid choice|already exists|wrong format|hyperlink|biginteger)\b"
)
#: JSON's own words, which only those who send it can read.
UNHEARD = {"null", "required"}
#: Whose sentences are replaced.
SOURCES = ("django.forms", "django.db.models", "django.core", "rest_framework")
PLACEHOLDER = re.compile(r"%\(\w+\)|\{\w+")


def subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    for found in kind.__subclasses__():
        yield found
        yield from subclasses(found)


def is_ours(kind: type[Any]) -> bool:
    top = kind.__module__.partition(".")[0]
    return (settings.BASE_DIR / top).is_dir() and ".tests" not in kind.__module__


def our_serializers() -> list[type[serializers.Serializer[Any]]]:
    assert get_resolver().url_patterns  # which imports them all
    return [kind for kind in subclasses(serializers.Serializer) if is_ours(kind)]


def with_inner(field: Any) -> Iterator[Any]:
    yield field
    for name in ("child", "child_relation"):
        if hasattr(field, name):
            yield from with_inner(getattr(field, name))


def fields_of(kind: type[serializers.Serializer[Any]]) -> Iterator[Any]:
    if hasattr(kind, "Meta") or not issubclass(kind, serializers.ModelSerializer):
        for field in kind().fields.values():
            if not field.read_only:
                yield from with_inner(field)


def in_dialect(sentences: Iterable[str]) -> list[str]:
    return sorted(s for s in sentences if DIALECT.search(PLACEHOLDER.sub("", s)))


def sentences_of(field: Any) -> Iterator[str]:
    for key, text in field.error_messages.items():
        if key not in UNHEARD:
            yield str(text)
    for validator in field.validators:
        if isinstance(validator, UniqueValidator):
            yield str(validator.message)


class TestSerializers:
    @pytest.mark.parametrize("kind", our_serializers(), ids=lambda kind: kind.__name__)
    def test_speak_no_dialect(self, kind: type[serializers.Serializer[Any]]) -> None:
        said = {text for field in fields_of(kind) for text in sentences_of(field)}
        assert in_dialect(said) == []

    @pytest.mark.parametrize("kind", our_serializers(), ids=lambda kind: kind.__name__)
    def test_name_the_choices(self, kind: type[serializers.Serializer[Any]]) -> None:
        for field in fields_of(kind):
            if isinstance(field, serializers.ChoiceField):
                text = str(field.error_messages["invalid_choice"])
                assert [value for value in field.choices if value not in text] == []

    def test_are_found(self) -> None:
        assert len(our_serializers()) > 20

    def test_together_unique_speak_no_dialect(self) -> None:
        assert in_dialect([str(UniqueTogetherValidator.message)]) == []


class TestFilters:
    def test_speak_no_dialect_and_name_the_choices(self) -> None:
        for kind in filter(is_ours, subclasses(ShopFilterSet)):
            filters: dict[str, django_filters.Filter] = kind.base_filters
            for query_filter in filters.values():
                field = query_filter.field
                texts = list(map(str, field.error_messages.values()))
                assert in_dialect(texts) == []
                if isinstance(field, forms.ChoiceField):
                    choices: Any = field.choices
                    known = {str(value) for value, _ in choices if value}
                    text = str(field.error_messages["invalid_choice"])
                    assert all(value in text for value in known)


class TestForms:
    def test_of_django_speak_no_dialect(self) -> None:
        kinds = [
            kind for kind in subclasses(forms.Field) if "postgres" not in str(kind)
        ]
        said = {
            str(text)
            for kind in kinds
            for text in getattr(kind, "default_error_messages", {}).values()
        }
        assert in_dialect(said) == []


@pytest.mark.django_db
class TestAnswers:
    def test_name_the_row_that_there_is_not(self, shop: APIClient) -> None:
        response = shop.post("/api/service-tickets", {"vehicle_id": 987654})
        assert response.json()["fields"]["vehicle_id"] == [
            "There is nothing with the id 987654 that you may see."
        ]

    def test_say_what_another_row_has(self, shop: APIClient) -> None:
        mechanic = MechanicFactory.create()
        body = {"full_name": "Twin", "email": mechanic.email, "phone": "1", "salary": 1}
        response = shop.post("/api/mechanics", body)
        assert response.json()["fields"]["email"] == [
            "Another mechanic has this email already."
        ]

    def test_name_the_choices(self, shop: APIClient) -> None:
        ticket = TicketFactory.create()
        response = shop.patch(
            f"/api/service-tickets/{ticket.pk}", {"status": "pending"}
        )
        assert response.json()["fields"]["status"] == [
            '"pending" is none of the choices: open, in_progress, waiting, completed,'
            " cancelled."
        ]

    def test_name_what_can_be_sorted_by(self, shop: APIClient) -> None:
        response = shop.get("/api/service-tickets?ordering=age")
        [text] = response.json()["fields"]["ordering"]
        assert text.startswith('"age" is none of the choices: opened_at, -opened_at')


class TestCatalog:
    def test_is_compiled_from_what_can_be_read(self) -> None:
        with CATALOG.with_suffix(".mo").open("rb") as file:
            compiled = GNUTranslations(file)

        for entry in polib.pofile(str(CATALOG)):
            if entry.msgid_plural:
                assert {
                    index: compiled.ngettext(entry.msgid, entry.msgid_plural, index + 1)
                    for index in (0, 1)
                } == entry.msgstr_plural
            else:
                assert compiled.gettext(entry.msgid) == entry.msgstr

    def test_replaces_sentences_that_django_still_says(self) -> None:
        known = {text for name in SOURCES for text in constants_of(name)}
        replaced = {entry.msgid for entry in polib.pofile(str(CATALOG))}

        assert sorted(replaced - known) == []


def constants_of(package: str) -> Iterator[str]:
    home = Path(str(import_module(package).__file__)).parent
    for path in home.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
