from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from rest_framework import serializers

from mechanic_shop.accounts.models import User
from mechanic_shop.api.choice_fields import ListedChoiceField
from mechanic_shop.api.plain_fields import SentBooleanField, WholeNumberField
from mechanic_shop.api.serializers import ReadOnlyModelSerializer, StrictModelSerializer

from .models import Mechanic

PUBLIC_FIELDS = ("mechanic_id", "full_name", "is_active")
RANKING_FIELDS = (*PUBLIC_FIELDS, "ticket_count")


def get_hidden_fields(user: User | AnonymousUser) -> frozenset[str]:
    """Name the fields of a mechanic that this user may not see."""
    if user.has_perm("mechanics.view_salary"):
        return frozenset()
    if user.has_perm("mechanics.view_mechanic"):
        return frozenset({"salary"})
    return frozenset(MechanicSerializer.Meta.fields) - set(RANKING_FIELDS)


class MechanicSerializer(StrictModelSerializer[Mechanic]):
    """A mechanic, without the fields that the caller may not see."""

    mechanic_id = serializers.IntegerField(source="pk", read_only=True)
    ticket_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = Mechanic
        fields = [
            "mechanic_id",
            "full_name",
            "email",
            "phone",
            "salary",
            "is_active",
            "ticket_count",
            "created_at",
            "updated_at",
        ]
        ignored_input_fields = ("ticket_count",)
        schema_optional = tuple(set(fields) - set(RANKING_FIELDS))

    def hidden_fields(self) -> frozenset[str]:
        request = self.context.get("request")
        if request is None:
            return frozenset()
        return get_hidden_fields(request.user) & set(self.Meta.fields)


class ListedMechanicSerializer(MechanicSerializer):
    """A mechanic in the list, which is cached and has no ticket counts."""

    class Meta(MechanicSerializer.Meta):
        fields = [
            name for name in MechanicSerializer.Meta.fields if name != "ticket_count"
        ]


class RankedMechanicSerializer(ReadOnlyModelSerializer[Mechanic]):
    """A mechanic in the rankings."""

    mechanic_id = serializers.IntegerField(source="pk", read_only=True)
    ticket_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = Mechanic
        fields = RANKING_FIELDS


class BriefMechanicSerializer(ReadOnlyModelSerializer[Mechanic]):
    """The fields of a mechanic that everyone may see."""

    mechanic_id = serializers.IntegerField(source="pk", read_only=True)

    class Meta:
        model = Mechanic
        fields = PUBLIC_FIELDS


class ActivityQuerySerializer(serializers.Serializer[Any]):
    order = ListedChoiceField(
        choices=["asc", "desc"],
        default="desc",
        help_text="`desc` lists those with the most tickets first.",
    )
    active_only = SentBooleanField(
        default=False, help_text="Leave out mechanics who no longer work here."
    )


class RankingQuerySerializer(serializers.Serializer[Any]):
    limit = WholeNumberField(
        min_value=1,
        max_value=100,
        default=50,
        help_text="How many mechanics to list.",
    )
