from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mechanic_shop.accounts.models import User
from mechanic_shop.api.choice_fields import ListedChoiceField
from mechanic_shop.api.plain_fields import DecimalNumberField, WholeNumberField
from mechanic_shop.api.serializers import (
    ReadOnlyModelSerializer,
    StrictModelSerializer,
    StrictSerializer,
    UTCDateTimeField,
)
from mechanic_shop.core.one_line import validate_one_line

from .models import ASCII_ONLY, MAX_COST_CENTS, Part, StockMovement

MAX_QUANTITY = 1_000_000
#: The reasons that a user may give; only tickets use the others.
ADJUSTMENT_REASONS = [
    choice
    for choice in StockMovement.Reason.choices
    if choice[0] in {"adjust", "count", "receive"}
]


@extend_schema_field({"type": "string", "pattern": r"^[\x01-\x7F]*$", "maxLength": 100})
class PartNumberField(serializers.CharField):
    """A part's number; only ASCII is compared alike by every database."""


class PartSerializer(StrictModelSerializer[Part]):
    """A part; ``price`` is ``current_cost_cents`` in whole currency units."""

    part_id = serializers.IntegerField(source="pk", read_only=True)
    part_number = PartNumberField(
        max_length=100,
        required=False,
        allow_blank=True,
        allow_null=True,
        validators=[validate_one_line],
    )
    current_cost_cents = WholeNumberField(
        min_value=0, max_value=MAX_COST_CENTS, required=False
    )
    price = DecimalNumberField(
        max_digits=12,
        decimal_places=2,
        min_value=Decimal(0),
        max_value=Decimal(MAX_COST_CENTS) / 100,
        required=False,
        help_text="At most two decimal places.",
    )
    quantity_in_stock = WholeNumberField(min_value=0, required=False)
    reorder_level = WholeNumberField(
        min_value=0, max_value=MAX_QUANTITY, required=False
    )
    needs_reorder = serializers.BooleanField(read_only=True)

    class Meta:
        model = Part
        fields = [
            "part_id",
            "part_number",
            "name",
            "description",
            "category",
            "manufacturer",
            "current_cost_cents",
            "price",
            "quantity_in_stock",
            "reorder_level",
            "supplier",
            "is_active",
            "needs_reorder",
            "created_at",
            "updated_at",
        ]
        ignored_input_fields = ("needs_reorder",)
        schema_not_null = ("part_number",)

    def validate_quantity_in_stock(self, quantity: int) -> int:
        """Limit the quantity; a larger stock may be sent back unchanged."""
        present = getattr(self.instance, "quantity_in_stock", None)
        if quantity > MAX_QUANTITY and quantity != present:
            raise serializers.ValidationError(
                f"At most {MAX_QUANTITY:,} may be counted."
            )
        return quantity

    def validate_part_number(self, number: str | None) -> str | None:
        if not number:
            if isinstance(self.instance, Part):
                raise serializers.ValidationError("A part keeps a number.")
            return None
        if not number.isascii():
            raise serializers.ValidationError(ASCII_ONLY)
        others = Part.objects.filter(part_number_key=number.upper())
        if isinstance(self.instance, Part):
            others = others.exclude(pk=self.instance.pk)
        if others.exists():
            raise serializers.ValidationError(
                "A part with this number exists already.", code="unique"
            )
        return number

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        cents = self._settle_cost(
            attrs.pop("current_cost_cents", None), attrs.pop("price", None)
        )
        if cents is not None:
            attrs["current_cost_cents"] = cents
        return attrs

    def _settle_cost(self, cents: int | None, price: Decimal | None) -> int | None:
        """Return the cost meant by two fields: the one that was changed wins."""
        stored = self.instance.current_cost_cents if self.instance else None
        sent = [
            value
            for value in (cents, None if price is None else int(price * 100))
            if value is not None
        ]
        changed = {value for value in sent if value != stored}
        if len(changed) > 1:
            raise serializers.ValidationError(
                {"price": ["price and current_cost_cents are different amounts."]}
            )
        if not sent and stored is None:
            raise serializers.ValidationError(
                {"current_cost_cents": ["Send this field or price."]}
            )
        return next(iter(changed), None)


class ActorSerializer(ReadOnlyModelSerializer[User]):
    """The user behind a stock movement or a timeline event."""

    user_id = serializers.IntegerField(source="pk")
    name = serializers.CharField(source="full_name")

    class Meta:
        model = User
        fields = ["user_id", "name"]


class StockMovementSerializer(ReadOnlyModelSerializer[StockMovement]):
    movement_id = serializers.IntegerField(source="pk")
    part_id = serializers.IntegerField()
    ticket_id = serializers.IntegerField(allow_null=True)
    by = ActorSerializer()
    at = UTCDateTimeField()

    class Meta:
        model = StockMovement
        fields = [
            "movement_id",
            "part_id",
            "delta",
            "quantity_after",
            "reason",
            "ticket_id",
            "note",
            "by",
            "at",
        ]
        read_only_fields = fields


class AdjustQuantitySerializer(StrictSerializer):
    adjustment = WholeNumberField(min_value=-MAX_QUANTITY, max_value=MAX_QUANTITY)
    reason = ListedChoiceField(
        choices=ADJUSTMENT_REASONS,
        default=StockMovement.Reason.ADJUST,
    )
    note = serializers.CharField(
        max_length=255,
        allow_blank=True,
        default="",
        validators=[validate_one_line],
    )

    def validate_adjustment(self, adjustment: int) -> int:
        if adjustment == 0:
            raise serializers.ValidationError("Send how many more or fewer there are.")
        return adjustment


class AdjustedPartSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
    part = PartSerializer()
    adjustment = serializers.IntegerField()
    previous_quantity = serializers.IntegerField()
    new_quantity = serializers.IntegerField()
