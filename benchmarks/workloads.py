"""What is asked of every server: one declaration for each workload."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from .data import PASSWORD, email_of
from .dataset_size import MANAGER_ID, WORKED_ON, Shop

#: So many different ids a workload on single rows asks for.
VARIETY = 500
#: Tickets of a peer that the writes work on, if the shop has so many.
TICKETS_OF_A_PEER = 500


class Call(NamedTuple):
    method: str
    path: str
    body: str = ""


class Place(NamedTuple):
    """Which of so many peers writes: each has tickets of its own."""

    number: int
    of: int


#: Makes the n-th request; only writes care for the place.
Maker = Callable[[Shop, Place, int], Call]


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    make: Maker
    #: How many different requests there are; 0: no two are the same.
    variety: int = 1
    writes: bool = False
    #: The rows that one request adds, by table; None: as many as its answer says.
    adds: dict[str, int] | None = None
    #: How many ask at the same time; None: as many as the run says.
    connections: int | None = None
    is_list: bool = False
    #: Whether more rows in the shop may not be felt, and the limit be not far.
    is_page_or_row: bool = True

    @property
    def reads(self) -> bool:
        return not self.writes and self.name != "login"


def get(path: str) -> Maker:
    return lambda shop, place, number: Call("GET", f"/api{path}")


def get_row(path: str, rows: Callable[[Shop], int]) -> Maker:
    """Ask for rows from all over the table, in no order that a cache would like."""

    def make(shop: Shop, place: Place, number: int) -> Call:
        row = 1 + (number % VARIETY) * 7_919 % rows(shop)
        return Call("GET", f"/api{path}/{row}")

    return make


def deep_page(shop: Shop, place: Place, number: int) -> Call:
    return Call("GET", f"/api/customers?page={shop.deep_page}")


def login(shop: Shop, place: Place, number: int) -> Call:
    body = {"email": email_of(MANAGER_ID), "password": PASSWORD}
    return Call("POST", "/api/auth/login", json.dumps(body))


# --- Writes ---------------------------------------------------------------------------


def tickets_of(shop: Shop, place: Place) -> int:
    """Return how many tickets in work a peer has for itself."""
    return min(shop.tickets // 10 // place.of, TICKETS_OF_A_PEER)


def ticket_of(shop: Shop, place: Place, number: int) -> int:
    own = tickets_of(shop, place)
    return (place.number * own + number % own) * 10 + WORKED_ON


def create_ticket(shop: Shop, place: Place, number: int) -> Call:
    body = {
        "vehicle_id": 1 + number % shop.customers,
        "problem_description": "The brakes squeal.",
        "odometer_miles": 50_000,
    }
    return Call("POST", "/api/service-tickets", json.dumps(body))


def install_part(shop: Shop, place: Place, number: int) -> Call:
    """Install another part each time a ticket's turn comes, never one a second time."""
    turn, step = divmod(number, tickets_of(shop, place))
    part = 1 + (turn + step) % shop.ample_parts
    path = f"/api/service-tickets/{ticket_of(shop, place, number)}/parts/{part}"
    return Call("POST", path, json.dumps({"quantity_used": 2, "warranty_months": 12}))


def edit_mechanics(shop: Shop, place: Place, number: int) -> Call:
    """Put two on a ticket and take off the two of the turn before."""
    ticket = ticket_of(shop, place, number)
    turn = number // tickets_of(shop, place)
    pair = [ticket + turn * 2, ticket + turn * 2 + 1]
    body = {
        "add_ids": [_active(shop, at) for at in pair],
        "remove_ids": [_active(shop, at - 2) for at in pair],
        "role": "Technician",
        "minutes_worked": 30,
    }
    return Call("PUT", f"/api/service-tickets/{ticket}/edit", json.dumps(body))


def _active(shop: Shop, at: int) -> int:
    """Skip every tenth mechanic, who has left."""
    at %= shop.mechanics // 10 * 9
    return at // 9 * 10 + at % 9 + 1


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(
            *("mechanics", "mechanics (warm)", get("/mechanics")),
            is_list=True,
            is_page_or_row=False,
        ),
        Workload(
            *("by_activity", "mechanics by activity", get("/mechanics/by-activity")),
            # Flask works for seconds on one: more at once would only wait in a queue.
            connections=2,
            is_list=True,
            is_page_or_row=False,
        ),
        Workload("customers", "customers, page 1", get("/customers"), is_list=True),
        Workload("customers_deep", "customers, a late page", deep_page, is_list=True),
        Workload(
            *("customer", "one customer"),
            get_row("/customers", lambda shop: shop.customers),
            VARIETY,
        ),
        Workload("tickets", "tickets, page 1", get("/service-tickets"), is_list=True),
        Workload(
            *("tickets_by_status", "tickets in progress"),
            get("/service-tickets?status=in_progress"),
            is_list=True,
        ),
        Workload(
            *("ticket", "one ticket"),
            get_row("/service-tickets", lambda shop: shop.tickets),
            VARIETY,
        ),
        Workload(
            *("low_stock", "parts low in stock", get("/inventory?low_stock=true")),
            is_list=True,
        ),
        Workload(
            *("part", "one part"),
            get_row("/inventory", lambda shop: shop.parts),
            VARIETY,
        ),
        Workload("me", "me", get("/auth/me")),
        Workload("login", "login", login, connections=1, is_page_or_row=False),
        Workload(
            *("create_ticket", "open a ticket", create_ticket, 0),
            writes=True,
            adds={"tickets_serviceticket": 1, "tickets_ticketevent": 1},
        ),
        Workload(
            *("install_part", "install a part", install_part, 0),
            writes=True,
            adds={
                "inventory_stockmovement": 1,
                "tickets_ticketpart": 1,
                "tickets_ticketevent": 1,
            },
        ),
        Workload("edit", "edit mechanics", edit_mechanics, 0, writes=True),
    )
}
