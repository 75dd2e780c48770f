from __future__ import annotations

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from mechanic_shop.api.atomic_writes import atomic_write
from mechanic_shop.api.pagination import PreparedList
from mechanic_shop.api.routers import route
from mechanic_shop.api.throttling import UserThrottle
from mechanic_shop.api.viewsets import ShopModelViewSet

from . import schema, services
from .filters import PartFilterSet
from .models import PART_BY_ID, Part
from .serializers import (
    AdjustedPartSerializer,
    AdjustQuantitySerializer,
    PartSerializer,
    StockMovementSerializer,
)

PARTS = PreparedList(lambda: Part.objects.active().order_by("pk"))
LOW_STOCK = PreparedList(lambda: Part.objects.active().low_on_stock().order_by("pk"))


class CreatePartThrottle(UserThrottle):
    rule = "CREATE_PART"


@route("inventory")
@schema.parts
class PartViewSet(ShopModelViewSet[Part]):
    #: Any of these allows an update; each changed field then needs its own permission.
    UPDATE_PERMISSIONS = ("inventory.change_part", "inventory.adjust_quantity")
    action_permissions = {
        "update": UPDATE_PERMISSIONS,
        "partial_update": UPDATE_PERMISSIONS,
        "adjust_quantity": "inventory.adjust_quantity",
        "movements": "inventory.view_stockmovement",
    }
    action_throttles = {"create": CreatePartThrottle}
    results_key = "parts"
    queryset = Part.objects.order_by("pk")
    detail_query = PART_BY_ID
    list_queries = {"": PARTS, "low_stock=true": LOW_STOCK}
    serializer_class = PartSerializer
    filterset_class = PartFilterSet

    def perform_create(self, serializer: BaseSerializer[Part]) -> None:
        serializer.instance = services.add_part(
            by=self.user, **serializer.validated_data
        )

    def perform_update(self, serializer: BaseSerializer[Part]) -> None:
        assert serializer.instance is not None
        part, body = serializer.instance, serializer.validated_data
        changed = {name for name, new in body.items() if getattr(part, name) != new}
        if "quantity_in_stock" in changed:
            self.require_permission("inventory.adjust_quantity")
        if changed - {"quantity_in_stock"}:
            self.require_permission("inventory.change_part")
        services.update_part(part=part, by=self.user, **body)

    def perform_destroy(self, instance: Part) -> None:
        services.delete_part(part=instance)

    @schema.adjust_quantity
    @action(
        detail=True,
        methods=["patch"],
        url_path="adjust-quantity",
        serializer_class=AdjustQuantitySerializer,
    )
    @atomic_write
    def adjust_quantity(self, request: Request, pk: str) -> Response:
        """Add units to the shelf, or take some away, with a reason."""
        part = self.get_object()
        body = self.get_validated(AdjustQuantitySerializer)
        movement = services.adjust_stock(part=part, by=self.user, **body)
        data = {
            "message": f"{movement.quantity_after} in stock.",
            "part": self.get_object(),
            "adjustment": movement.delta,
            "previous_quantity": movement.quantity_after - movement.delta,
            "new_quantity": movement.quantity_after,
        }
        return Response(AdjustedPartSerializer(data).data)

    @schema.movements
    @action(detail=True, filterset_class=None, results_key="movements")
    def movements(self, request: Request, pk: str) -> Response:
        """List all movements of this part, newest first."""
        rows = self.get_object().movements.select_related("by").order_by("-pk")
        return self.paginated_response(rows, StockMovementSerializer)
