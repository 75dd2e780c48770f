"""OpenAPI descriptions and examples of parts and stock movements."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from mechanic_shop.api.schema.examples import (
    THEN,
    request_example,
    set_response_example,
)
from mechanic_shop.api.schema.responses import conflict

from .serializers import (
    AdjustedPartSerializer,
    AdjustQuantitySerializer,
    PartSerializer,
    StockMovementSerializer,
)

PART = {
    "part_id": 1,
    "part_number": "FLT-1",
    "name": "Cabin air filter",
    "description": "",
    "category": "General",
    "manufacturer": "",
    "current_cost_cents": 1_250,
    "price": 12.5,
    "quantity_in_stock": 5,
    "reorder_level": 5,
    "supplier": "",
    "is_active": True,
    "needs_reorder": True,
    "created_at": THEN,
    "updated_at": THEN,
}
ADJUSTED = {
    "message": "17 in stock.",
    "part": {**PART, "quantity_in_stock": 17, "needs_reorder": False},
    "adjustment": 12,
    "previous_quantity": 5,
    "new_quantity": 17,
}
MOVEMENT = {
    "movement_id": 2,
    "part_id": 1,
    "delta": -2,
    "quantity_after": 3,
    "reason": "install",
    "ticket_id": 1,
    "note": "",
    "by": {"user_id": 2, "name": "Otis Grant"},
    "at": THEN,
}

set_response_example(PartSerializer, PART)
set_response_example(AdjustedPartSerializer, ADJUSTED)
set_response_example(StockMovementSerializer, MOVEMENT)

INSUFFICIENT_STOCK = {
    "message": "Only 5 of FLT-1 in stock, 6 requested.",
    "requested": 6,
    "available": 5,
}
TOO_MUCH_STOCK = "There is no room for 12 more units."

parts = extend_schema_view(
    list=extend_schema(
        description="Active parts, ordered by id; `is_active=false` lists the"
        " others. `low_stock=true` lists what to order: no more left than the reorder"
        " level."
    ),
    create=extend_schema(
        description="The cost is sent as `current_cost_cents` or as `price`. A part"
        " without a number gets one. What is in stock becomes the first movement.",
        examples=[
            request_example(
                part_number="FLT-1",
                name="Cabin air filter",
                current_cost_cents=1_250,
                quantity_in_stock=5,
            ),
            request_example("By price", name="Wiper blade", price=9.9),
        ],
    ),
    retrieve=extend_schema(
        description="`price` is `current_cost_cents` as a number with two places."
    ),
    update=extend_schema(
        description="The same as PATCH: what is left out keeps its value.",
        examples=[request_example(reorder_level=10, supplier="Northside Parts")],
    ),
    partial_update=extend_schema(
        description="A changed `quantity_in_stock` is a stock count and leaves a"
        " movement that says so: leave the field out, or send `If-Match`. Tickets keep"
        " the cost at which a part was installed.",
        examples=[request_example(reorder_level=10)],
    ),
    destroy=extend_schema(
        description="The part's movements are deleted too. A part that was ever on a"
        " ticket stays: set `is_active` to false.",
        responses={
            204: None,
            409: conflict(
                in_use="This part was used on a service ticket. Deactivate it instead."
            ),
        },
    ),
)

adjust_quantity = extend_schema(
    description="`adjustment` is how many more there are, or fewer if it is negative."
    " Never below zero.",
    request=AdjustQuantitySerializer,
    responses={
        200: AdjustedPartSerializer,
        409: conflict(
            insufficient_stock=INSUFFICIENT_STOCK, too_much_stock=TOO_MUCH_STOCK
        ),
    },
    examples=[
        request_example(adjustment=12, reason="receive", note="Delivery of March 2"),
        request_example("Fewer units", adjustment=-1),
    ],
)

movements = extend_schema(
    operation_id="list_stock_movements",
    description="The stock always equals their sum. None is ever changed or removed; a"
    " correction is a movement of its own.",
    responses={200: StockMovementSerializer(many=True)},
)
