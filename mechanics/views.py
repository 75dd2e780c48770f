from __future__ import annotations

import json
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import SimpleLazyObject
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from mechanic_shop.api.atomic_writes import atomic_write
from mechanic_shop.api.json_renderer import RenderedResponse, render_json
from mechanic_shop.api.list_cache import cached_rendering
from mechanic_shop.api.routers import route
from mechanic_shop.api.throttling import UserThrottle
from mechanic_shop.api.viewsets import ShopModelViewSet

from . import schema, services
from .models import Mechanic, MechanicListVersion
from .serializers import (
    ActivityQuerySerializer,
    ListedMechanicSerializer,
    MechanicSerializer,
    RankedMechanicSerializer,
    RankingQuerySerializer,
    get_hidden_fields,
)

LIST_CACHE_SECONDS = 300


class CreateMechanicThrottle(UserThrottle):
    rule = "CREATE_MECHANIC"


@route("mechanics")
@schema.mechanics
class MechanicViewSet(ShopModelViewSet[Mechanic]):
    action_permissions = {
        "by_activity": "mechanics.view_mechanic",
        "top": "mechanics.view_mechanic",
        "leaderboard": "mechanics.view_mechanic",
    }
    action_throttles = {"create": CreateMechanicThrottle}
    pagination_class = None  # type: ignore[assignment]
    queryset = Mechanic.objects.order_by("pk")
    serializer_class = MechanicSerializer

    def get_queryset(self) -> QuerySet[Mechanic]:
        queryset = super().get_queryset()
        # The list is cached without counts; the rankings add their own.
        if self.action in {"list", "by_activity", "top", "leaderboard"}:
            return queryset
        return queryset.with_ticket_count()  # type: ignore[attr-defined, no-any-return]

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List all mechanics; kept for five minutes or until one changes."""
        hidden = "-".join(sorted(get_hidden_fields(request.user)))
        rendered = cached_rendering(
            self._render_list,
            key=f"mechanics:{MechanicListVersion.current()}:without:{hidden}",
            seconds=LIST_CACHE_SECONDS,
        )
        # Only the browsable API needs the rows; JSON clients get the cached bytes.
        rows = SimpleLazyObject(lambda: json.loads(rendered))
        headers = {"Cache-Control": "private"}
        return RenderedResponse(rows, rendered, headers=headers)

    def _render_list(self) -> bytes:
        serializer = ListedMechanicSerializer(
            self.get_queryset(), many=True, context=self.get_serializer_context()
        )
        return render_json(serializer.data)

    @atomic_write
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Hire a mechanic, which means to agree on a salary."""
        self.require_permission("mechanics.view_salary")
        return super().create(request, *args, **kwargs)

    @atomic_write
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change the fields that were sent; the salary needs its own permission."""
        if "salary" in request.data:
            self.require_permission("mechanics.view_salary")
        return super().update(request, *args, **kwargs)

    def perform_update(self, serializer: BaseSerializer[Mechanic]) -> None:
        assert serializer.instance is not None
        services.update_mechanic(
            mechanic=serializer.instance, by=self.user, **serializer.validated_data
        )

    def perform_destroy(self, instance: Mechanic) -> None:
        services.delete_mechanic(mechanic=instance)

    @schema.by_activity
    @action(detail=False, url_path="by-activity")
    def by_activity(self, request: Request) -> Response:
        """Rank the mechanics by the number of tickets they were assigned to."""
        query = self._query(ActivityQuerySerializer)
        rows: Any = self.get_queryset()
        ranked = (rows.active() if query["active_only"] else rows).ranked(
            descending=query["order"] == "desc"
        )
        return Response(RankedMechanicSerializer(ranked, many=True).data)

    @schema.top
    @action(detail=False)
    def top(self, request: Request) -> Response:
        """Name the mechanics with the most tickets; system B's ranking."""
        return self._top()

    @schema.leaderboard
    @action(detail=False)
    def leaderboard(self, request: Request) -> Response:
        """Rank the mechanics; another path of ``top``."""
        return self._top()

    def _top(self) -> Response:
        limit = self._query(RankingQuerySerializer)["limit"]
        rows: Any = self.get_queryset()
        ranked = rows.ranked(descending=True)[:limit]
        return Response(RankedMechanicSerializer(ranked, many=True).data)

    def _query(self, serializer_class: Any) -> dict[str, Any]:
        serializer = serializer_class(data=self.request.query_params)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)
