from __future__ import annotations

import json
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from mechanic_shop.api.caching import cached_rendering
from mechanic_shop.api.throttling import CreateMechanicThrottle
from mechanic_shop.api.viewsets import ShopModelViewSet

from . import services
from .models import Mechanic, MechanicListVersion
from .serializers import (
    ActivityQuerySerializer,
    ListedMechanicSerializer,
    MechanicSerializer,
    RankedMechanicSerializer,
    RankingQuerySerializer,
    hidden_from,
)

LIST_CACHE_SECONDS = 300


class MechanicViewSet(ShopModelViewSet[Mechanic]):
    verbs = {
        "list": "mechanics.view_mechanic",
        "retrieve": "mechanics.view_mechanic",
        "by_activity": "mechanics.view_mechanic",
        "top": "mechanics.view_mechanic",
        "leaderboard": "mechanics.view_mechanic",
        "create": "mechanics.add_mechanic",
        "update": "mechanics.change_mechanic",
        "partial_update": "mechanics.change_mechanic",
        "destroy": "mechanics.delete_mechanic",
    }
    limits = {"create": CreateMechanicThrottle}
    pagination_class = None  # type: ignore[assignment]
    queryset = Mechanic.objects.order_by("pk")
    serializer_class = MechanicSerializer

    def get_queryset(self) -> QuerySet[Mechanic]:
        queryset = super().get_queryset()
        return queryset if self.action == "list" else queryset.with_ticket_count()  # type: ignore[attr-defined]

    @extend_schema(responses={200: ListedMechanicSerializer(many=True)})
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List all mechanics; kept for five minutes or until one changes."""
        hidden = "-".join(sorted(hidden_from(request.user)))
        rendered = cached_rendering(
            self._render_list,
            key=f"mechanics:{MechanicListVersion.current()}:without:{hidden}",
            seconds=LIST_CACHE_SECONDS,
        )
        headers = {"Cache-Control": "private"}
        return Response(json.loads(rendered), headers=headers)

    def _render_list(self) -> bytes:
        serializer = ListedMechanicSerializer(
            self.get_queryset(), many=True, context=self.get_serializer_context()
        )
        rendered: bytes = JSONRenderer().render(serializer.data)
        return rendered

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Hire a mechanic, which means to agree on a salary."""
        self.require("mechanics.view_salary")
        return super().create(request, *args, **kwargs)

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change the fields that were sent; the salary needs a right of its own."""
        if "salary" in request.data:
            self.require("mechanics.view_salary")
        return super().update(request, *args, **kwargs)

    def perform_update(self, serializer: BaseSerializer[Mechanic]) -> None:
        assert serializer.instance is not None
        services.update_mechanic(
            mechanic=serializer.instance, by=self.user, **serializer.validated_data
        )

    def perform_destroy(self, instance: Mechanic) -> None:
        services.delete_mechanic(mechanic=instance)

    @extend_schema(
        parameters=[ActivityQuerySerializer],
        responses={200: RankedMechanicSerializer(many=True)},
    )
    @action(detail=False, url_path="by-activity")
    def by_activity(self, request: Request) -> Response:
        """Rank the mechanics by the number of tickets they were assigned to."""
        query = self._query(ActivityQuerySerializer)
        rows = self._ranked(descending=query["order"] == "desc")
        if query["active_only"]:
            rows = rows.filter(is_active=True)
        return Response(RankedMechanicSerializer(rows, many=True).data)

    @extend_schema(
        parameters=[RankingQuerySerializer],
        responses={200: RankedMechanicSerializer(many=True)},
    )
    @action(detail=False)
    def top(self, request: Request) -> Response:
        """Name the mechanics with the most tickets; system B's ranking."""
        return self._top()

    @extend_schema(
        parameters=[RankingQuerySerializer],
        responses={200: RankedMechanicSerializer(many=True)},
    )
    @action(detail=False)
    def leaderboard(self, request: Request) -> Response:
        """Answer like ``top``."""
        return self._top()

    def _top(self) -> Response:
        limit = self._query(RankingQuerySerializer)["limit"]
        rows = self._ranked(descending=True)[:limit]
        return Response(RankedMechanicSerializer(rows, many=True).data)

    def _ranked(self, *, descending: bool) -> QuerySet[Mechanic]:
        count = "-ticket_count" if descending else "ticket_count"
        return self.get_queryset().order_by(count, "pk")

    def _query(self, serializer_class: Any) -> dict[str, Any]:
        serializer = serializer_class(data=self.request.query_params)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)
