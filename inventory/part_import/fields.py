"""The columns of a spreadsheet of parts."""

from __future__ import annotations

from decimal import Decimal

from inventory.models import MAX_COST_CENTS
from mechanic_shop.spreadsheets.columns import (
    AmountWidget,
    BooleanWidget,
    Column,
    KeptTextWidget,
    LinesWidget,
    TextWidget,
    WholeNumberWidget,
)

MAX_QUANTITY = 1_000_000

COLUMNS = (
    Column(
        "part_number",
        "Part number",
        TextWidget(required=True),
        "EXAMPLE-1",
        "Required. A number the shop knows changes that part; case does not matter.",
        is_title=True,
    ),
    Column(
        "name",
        "Name",
        TextWidget(required=True),
        "Front brake pads",
        "Required for new parts.",
        is_title=True,
    ),
    Column(
        "description", "Description", LinesWidget(), "Ceramic, set of four", "Any text."
    ),
    Column(
        "category",
        "Category",
        KeptTextWidget(),
        "Brakes",
        "Any text. Empty: stays as it is, General for a new part.",
    ),
    Column("manufacturer", "Manufacturer", TextWidget(), "Stoppard", "Any text."),
    Column("supplier", "Supplier", TextWidget(), "Halden Friction Supply", "Any text."),
    Column(
        "current_cost_cents",
        "Cost",
        AmountWidget(max_cents=MAX_COST_CENTS, required=True),
        Decimal("34.50"),
        "Required for new parts. Purchase price of one unit, like 12.50.",
    ),
    Column(
        "quantity_in_stock",
        "Quantity in stock",
        WholeNumberWidget(maximum=MAX_QUANTITY),
        12,
        "Whole number. Another one than today's is booked as a stock count.",
    ),
    Column(
        "reorder_level",
        "Reorder level",
        WholeNumberWidget(maximum=MAX_QUANTITY),
        4,
        "Whole number. Empty: stays as it is, 5 for a new part.",
    ),
    Column(
        "is_active", "Active", BooleanWidget(), True, "yes or no. Empty: stays, or yes."
    ),
)
#: The columns that a file with new parts must have.
REQUIRED_FOR_NEW = ("Name", "Cost")
