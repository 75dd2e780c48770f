from __future__ import annotations

from inventory.services import adjust_stock
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.tests.factories import UserFactory
from mechanic_shop.testing.contract import ResourceContract
from mechanic_shop.testing.garage import Garage


class TestPartContract(ResourceContract):
    """Technicians look at the shelf, advisors count it, managers choose its parts."""

    path = "/inventory"
    access = """
    own other tech adv mgr staff
    403 403   200  200 200 403    GET    /
    403 403   403  403 201 403    POST   /
    403 403   200  200 200 403    GET    /{part}
    403 403   403  403 200 403    PUT    /{part}
    403 403   403  200 200 403    PUT    /{part}  count
    403 403   403  403 200 403    PATCH  /{part}
    403 403   403  200 200 403    PATCH  /{part}  count
    403 403   403  403 204 403    DELETE /{part}
    403 403   403  200 200 403    PATCH  /{part}/adjust-quantity  adjustment
    403 403   200  200 200 403    GET    /{part}/movements
    """
    factory = PartFactory
    create_body = {"name": "Filter", "part_number": "F-1", "price": 1}
    change_body = {"name": "Better part"}
    bodies = {"count": {"quantity_in_stock": 7}, "adjustment": {"adjustment": -1}}
    fields = (
        "part_number name description category manufacturer current_cost_cents price"
        " quantity_in_stock reorder_level supplier is_active"
    )
    ignored_fields = "needs_reorder"
    read_only_fields = "part_id created_at updated_at"
    fields_of = {"adjustment": "adjustment reason note"}
    limits = {"POST /": "CREATE_PART"}
    queries = {"GET /{part}/movements": 3}
    permissions = {
        "PATCH /{part} count": "inventory.adjust_quantity",
        "PATCH /{part}/adjust-quantity adjustment": "inventory.adjust_quantity",
        "GET /{part}/movements": "inventory.view_stockmovement",
    }

    def add_rows(self, garage: Garage) -> None:
        part = PartFactory.create()
        part.pk = garage.own["part"]
        adjust_stock(part=part, adjustment=1, by=UserFactory.create(is_staff=True))
