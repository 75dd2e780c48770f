"""Admin dialogs that receive, adjust and count the stock of a part."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from inventory import services
from inventory.models import MovementReason, Part, StockMovement
from mechanic_shop.admin import Offer, ShopModelAdmin, WholeNumberField, dialog, user_of
from mechanic_shop.admin.typed_fields import NumberInput
from mechanic_shop.core.one_line import validate_one_line

MAX_QUANTITY = 1_000_000


class StockForm(BaseDialogForm):
    """A dialog that shows the part and its present stock."""

    form_before_template = "inventory/stock_now.html"
    note = forms.CharField(
        max_length=255,
        required=False,
        validators=[validate_one_line],
        widget=UnfoldAdminTextInputWidget,
    )

    def get_before_template_context(
        self, request: HttpRequest, object_id: Any = None
    ) -> dict[str, Any]:
        if not str(object_id).isdecimal():
            return {}
        parts = Part.objects.visible_to(user_of(request))
        return {"part": parts.filter(pk=object_id).first()}


class ReceiveStockForm(StockForm):
    quantity = WholeNumberField(
        min_value=1,
        max_value=MAX_QUANTITY,
        widget=NumberInput({"autofocus": True}),
        help_text="How many units came in.",
    )
    note = forms.CharField(
        max_length=255,
        required=False,
        validators=[validate_one_line],
        label="Supplier, delivery note",
        widget=UnfoldAdminTextInputWidget,
    )
    field_order = ("quantity", "note")


class AdjustStockForm(StockForm):
    adjustment = WholeNumberField(
        min_value=-MAX_QUANTITY,
        max_value=MAX_QUANTITY,
        help_text="How many more; with a minus, how many fewer.",
    )
    reason = forms.ChoiceField(
        choices=[
            (reason.value, reason.label)
            for reason in (MovementReason.ADJUST, MovementReason.RECEIVE)
        ],
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ("adjustment", "reason", "note")
    error_fields: ClassVar = {services.InsufficientStock: "adjustment"}

    def get_offers(self, error: Exception) -> list[Offer]:
        if not isinstance(error, services.InsufficientStock):
            return []
        rest = error.extra["available"]
        values = {"adjustment": -rest}
        return [Offer(f"Take away {rest:,}", values=values)] if rest else []

    def clean_adjustment(self) -> int:
        adjustment: int = self.cleaned_data["adjustment"]
        if adjustment == 0:
            raise forms.ValidationError("Say how many more or fewer there are.")
        return adjustment


class CountStockForm(StockForm):
    counted = WholeNumberField(
        min_value=0,
        max_value=MAX_QUANTITY,
        help_text="How many are on the shelf.",
    )
    field_order = ("counted", "note")


class StockActionsMixin(ShopModelAdmin):
    """Add the stock dialogs to a part's page and to the rows of the list."""

    stock_actions: ClassVar = ("receive_stock", "adjust_stock", "count_stock")
    actions_detail = actions_row = stock_actions

    @dialog(
        "Receive",
        icon="input",
        permission="adjust_quantity",
        title="Receive from a supplier",
        text="Put what was delivered on the shelf.",
        submit="Receive",
        form=ReceiveStockForm,
        variant=ActionVariant.PRIMARY,
    )
    def receive_stock(
        self, request: HttpRequest, form: ReceiveStockForm, object_id: str
    ) -> HttpResponse:
        data = form.cleaned_data
        return self.move(
            request,
            object_id,
            adjustment=data["quantity"],
            reason=MovementReason.RECEIVE,
            note=data["note"],
        )

    @dialog(
        "Adjust stock",
        icon="swap_vert",
        permission="adjust_quantity",
        title="Adjust stock",
        text="Add units to the shelf, or take some away.",
        submit="Adjust",
        form=AdjustStockForm,
    )
    def adjust_stock(
        self, request: HttpRequest, form: AdjustStockForm, object_id: str
    ) -> HttpResponse:
        data = form.cleaned_data
        return self.move(
            request,
            object_id,
            adjustment=data["adjustment"],
            reason=data["reason"],
            note=data["note"],
        )

    def move(
        self, request: HttpRequest, object_id: str, **movement: Any
    ) -> HttpResponse:
        def adjust(part: Part) -> str:
            moved: StockMovement = services.adjust_stock(
                part=part, by=user_of(request), **movement
            )
            return self.stock_message(request, part, moved.quantity_after)

        response = self.run_service(request, object_id, adjust)
        return self.redirect_to_list(request, response)

    @dialog(
        "Count stock",
        icon="inventory",
        permission="adjust_quantity",
        title="Count stock",
        text="The difference becomes a movement.",
        submit="Count",
        form=CountStockForm,
    )
    def count_stock(
        self, request: HttpRequest, form: CountStockForm, object_id: str
    ) -> HttpResponse:
        def count(part: Part) -> str:
            counted = form.cleaned_data["counted"]
            note = form.cleaned_data["note"]
            services.count_stock(
                part=part, counted=counted, by=user_of(request), note=note
            )
            return self.stock_message(request, part, counted)

        response = self.run_service(request, object_id, count)
        return self.redirect_to_list(request, response)

    def redirect_to_list(
        self, request: HttpRequest, response: HttpResponse
    ) -> HttpResponse:
        """Redirect to the filtered list if the dialog was opened there."""
        if "HX-Redirect" in response and (url := originating_list(request)):
            response["HX-Redirect"] = url
        return response

    def stock_message(self, request: HttpRequest, part: Part, quantity: int) -> str:
        """Say how many are in stock; on the list also say of which part."""
        message = f"{quantity:,} in stock."
        return f"{part}: {message}" if originating_list(request) else message

    def has_adjust_quantity_permission(
        self, request: HttpRequest, obj: Any = None
    ) -> bool:
        return request.user.has_perm("inventory.adjust_quantity")


def originating_list(request: HttpRequest) -> str:
    """Return the path and filters of the list on which a dialog was opened, or ""."""
    page = urlsplit(request.headers.get("HX-Current-URL", ""))
    if page.path != reverse("admin:inventory_part_changelist"):
        return ""
    return f"{page.path}?{page.query}" if page.query else page.path
