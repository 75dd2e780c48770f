"""Mechanics, and the version of their cached list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.db.models import Q
from simple_history.models import HistoricalRecords

from mechanic_shop.accounts.models import User
from mechanic_shop.core import count_cache
from mechanic_shop.core.emails import normalize_email, validate_ascii_email
from mechanic_shop.core.one_line import OneLineField
from mechanic_shop.core.prepared_queries import PreparedQuery
from mechanic_shop.core.search_columns import (
    SearchableModel,
    SearchableQuerySet,
    SearchTextField,
)

MAX_SALARY = 1_000_000_000


class MechanicListVersion(models.Model):
    """One row with a random id that every write to the mechanics replaces.

    The cached list of mechanics is stored under this id. The id is written in the
    writer's own transaction: a rolled-back write changes nothing, and a committed one
    takes effect in all processes at once. A counter would not be safe: after a rollback
    its value would be used again, for another list.
    """

    generation = models.CharField(max_length=32)

    class Meta:
        verbose_name = "version of the mechanics list"

    def __str__(self) -> str:
        return self.generation

    @classmethod
    def current(cls) -> str:
        return CURRENT_GENERATION.first(1) or "initial"

    @classmethod
    def renew(cls) -> None:
        cls.objects.update_or_create(pk=1, defaults={"generation": uuid4().hex})


CURRENT_GENERATION = PreparedQuery(
    lambda pk: MechanicListVersion.objects.filter(pk=pk).values_list(
        "generation", flat=True
    )
)


class MechanicQuerySet(SearchableQuerySet["Mechanic"]):
    """A queryset whose bulk writes renew the version of the cached list."""

    def active(self) -> Self:
        return self.filter(is_active=True)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Everyone who is signed in may see the mechanics."""
        return self.all() if user.is_authenticated else self.none()

    def with_ticket_count(self) -> Self:
        """Add ``ticket_count``: the tickets ever assigned, whatever their status."""
        return self.annotate(ticket_count=models.Count("ticket_mechanics"))

    def ranked(self, *, descending: bool) -> list[Mechanic]:
        """Sort by ``ticket_count``, then by primary key.

        The mechanics are always current; the counts may be as old as ``count_cache``
        allows.
        """
        counts = count_cache.recent(self)
        rows = list(self.with_ticket_count() if counts is None else self)
        if counts is None:
            counts = {row.pk: row.ticket_count for row in rows}  # type: ignore[attr-defined]
            count_cache.note(self, counts, total=sum(counts.values()))
        for row in rows:
            row.ticket_count = counts.get(row.pk, 0)  # type: ignore[attr-defined]
        sign = -1 if descending else 1
        return sorted(rows, key=lambda row: (sign * counts.get(row.pk, 0), row.pk))

    @transaction.atomic
    def update(self, **kwargs: Any) -> int:
        MechanicListVersion.renew()
        return super().update(**kwargs)

    @transaction.atomic
    def delete(self) -> tuple[int, dict[str, int]]:
        MechanicListVersion.renew()
        return super().delete()

    @transaction.atomic
    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        MechanicListVersion.renew()
        return super().bulk_create(objs, *args, **kwargs)

    @transaction.atomic
    def bulk_update(  # type: ignore[override]
        self, objs: Iterable[Any], fields: Sequence[str], *args: Any, **kwargs: Any
    ) -> int:
        MechanicListVersion.renew()
        return super().bulk_update(objs, fields, *args, **kwargs)


class Mechanic(SearchableModel):
    """A person who works on tickets. ``salary`` is in whole currency units a year."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="mechanic",
        verbose_name="login",
    )
    full_name = OneLineField(max_length=255)
    email = models.EmailField(validators=[validate_ascii_email])
    phone = OneLineField(max_length=50)
    salary = models.PositiveIntegerField(
        validators=[MaxValueValidator(MAX_SALARY)],
        help_text="Whole currency units a year.",
    )
    is_active = models.BooleanField("active", default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    search_text = SearchTextField(words=("full_name", "email"), identifiers=("phone",))

    objects = MechanicQuerySet.as_manager()
    history = HistoricalRecords(
        excluded_fields=["created_at", "updated_at", "search_text"]
    )

    class Meta:
        ordering = ["pk"]
        permissions = [("view_salary", "Can see and change salaries")]
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                name="mechanic_email_unique",
                violation_error_message="This email address is already in use.",
            ),
            models.CheckConstraint(
                condition=Q(salary__gte=0) & Q(salary__lte=MAX_SALARY),
                name="mechanic_salary_plausible",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        MechanicListVersion.renew()
        super().save(*args, **kwargs)

    @transaction.atomic
    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        MechanicListVersion.renew()
        return super().delete(*args, **kwargs)

    def belongs_to(self, user: User | AnonymousUser) -> bool:
        return self.user_id is not None and self.user_id == user.pk

    def clean(self) -> None:
        self.email = normalize_email(self.email)
