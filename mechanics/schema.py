"""OpenAPI descriptions and examples of mechanics and their rankings."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from mechanic_shop.api.schema.examples import (
    THEN,
    request_example,
    set_response_example,
)
from mechanic_shop.api.schema.responses import conflict

from .serializers import (
    RANKING_FIELDS,
    ActivityQuerySerializer,
    BriefMechanicSerializer,
    ListedMechanicSerializer,
    MechanicSerializer,
    RankedMechanicSerializer,
    RankingQuerySerializer,
)

MECHANIC = {
    "mechanic_id": 1,
    "full_name": "Lena Brandt",
    "email": "lena.1@example.com",
    "phone": "555-0101",
    "salary": 61_000,
    "is_active": True,
    "ticket_count": 12,
    "created_at": THEN,
    "updated_at": THEN,
}
RANKED = {name: MECHANIC[name] for name in RANKING_FIELDS}
LISTED = {name: MECHANIC[name] for name in ListedMechanicSerializer.Meta.fields}
BRIEF_MECHANIC = {name: MECHANIC[name] for name in BriefMechanicSerializer.Meta.fields}

set_response_example(MechanicSerializer, MECHANIC)
set_response_example(ListedMechanicSerializer, LISTED)
set_response_example(RankedMechanicSerializer, RANKED)

WHO_SEES = (
    "Everyone who is signed in sees name and whether they are active; staff also how to"
    " reach them; managers the salary, which is whole currency units a year."
)

mechanics = extend_schema_view(
    list=extend_schema(
        description=f"All of them, ordered by id, without pagination. {WHO_SEES}",
        responses={200: ListedMechanicSerializer(many=True)},
    ),
    create=extend_schema(
        description="For managers, because the salary is needed.",
        examples=[
            request_example(
                "The first mechanic",
                full_name="Lena Brandt",
                email="lena.1@example.com",
                phone="555-0101",
                salary=61_000,
            ),
            request_example(
                "The second mechanic",
                full_name="Otis Grant",
                email="otis.1@example.com",
                phone="555-0102",
                salary=58_000,
            ),
        ],
    ),
    retrieve=extend_schema(
        description=f"`ticket_count` counts every ticket they were assigned to."
        f" {WHO_SEES}"
    ),
    update=extend_schema(
        description="The same as PATCH: what is left out keeps its value.",
        examples=[request_example(phone="555-0144", salary=63_000)],
    ),
    partial_update=extend_schema(
        description="Set `is_active: false` when a mechanic leaves; their work stays on"
        " the tickets.",
        examples=[request_example(is_active=False)],
    ),
    destroy=extend_schema(
        description="Only while they have no work on any ticket.",
        responses={
            204: None,
            409: conflict(
                in_use="This mechanic has work on tickets. Deactivate them instead."
            ),
        },
    ),
)

by_activity = extend_schema(
    operation_id="list_mechanics_by_activity",
    description="Every assignment counts, whatever the status of the ticket is."
    " Equal mechanics are ordered by id.",
    parameters=[ActivityQuerySerializer],
    responses={200: RankedMechanicSerializer(many=True)},
)

top = extend_schema(
    operation_id="list_top_mechanics",
    description="The first `limit` mechanics of the ranking by activity.",
    parameters=[RankingQuerySerializer],
    responses={200: RankedMechanicSerializer(many=True)},
)

leaderboard = extend_schema(
    operation_id="list_mechanics_leaderboard",
    description="Another name of `GET /api/mechanics/top`.",
    parameters=[RankingQuerySerializer],
    responses={200: RankedMechanicSerializer(many=True)},
)
