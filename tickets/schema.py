"""OpenAPI descriptions and examples of service tickets and their actions."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view

from customers.schema import BRIEF_CUSTOMER, VEHICLE
from inventory.schema import INSUFFICIENT_STOCK
from mechanic_shop.api.schema.examples import (
    THEN,
    request_example,
    set_response_example,
)
from mechanic_shop.api.schema.responses import conflict
from mechanics.schema import BRIEF_MECHANIC

from .serializers import (
    AddInventorySerializer,
    AddPartSerializer,
    AssignedMechanicSerializer,
    AssignMechanicSerializer,
    ChangeAssignmentSerializer,
    ChangeTicketPartSerializer,
    EditedMechanicsSerializer,
    EditMechanicsSerializer,
    InstalledPartSerializer,
    InstallPartSerializer,
    NoteSerializer,
    RemovedMechanicSerializer,
    ServiceTicketSerializer,
    TicketEventSerializer,
    TicketMechanicSerializer,
    TicketPartSerializer,
    TicketVehicleSerializer,
)

ASSIGNMENT = {
    "ticket_id": 1,
    "mechanic_id": 1,
    "role": "Lead",
    "minutes_worked": 15,
    "mechanic": BRIEF_MECHANIC,
}
LINE = {
    "part_id": 1,
    "part_number": "FLT-1",
    "part_name": "Cabin air filter",
    "quantity_used": 2,
    "unit_cost_cents": 1_250,
    "markup_percentage": 30.0,
    "total_cost_cents": 3_250,
    "warranty_months": 12,
    "warranty_expires_on": "2027-03-02",
    "installed_date": THEN,
    "installed_by_mechanic_id": 1,
    "returned_at": None,
}
TICKET: dict[str, Any] = {
    "ticket_id": 1,
    "vehicle_id": 1,
    "customer_id": 1,
    "status": "in_progress",
    "opened_at": THEN,
    "closed_at": None,
    "updated_at": THEN,
    "problem_description": "Musty smell from the vents",
    "odometer_miles": 41_200,
    "priority": 3,
    "parts_total_cents": 3_250,
    "vehicle": {name: VEHICLE[name] for name in TicketVehicleSerializer.Meta.fields},
    "customer": BRIEF_CUSTOMER,
    "ticket_mechanics": [ASSIGNMENT],
    "ticket_parts": [LINE],
}
INSTALLED = {
    "message": "2 × Cabin air filter installed.",
    "ticket_id": 1,
    "part_id": 1,
    "part_name": "Cabin air filter",
    "quantity_used": 2,
    "unit_cost_cents": 1_250,
    "total_cost": 32.5,
    "total_cost_cents": 3_250,
    "remaining_stock": 3,
}
EVENT = {
    "event_id": 7,
    "ticket_id": 1,
    "kind": "status_changed",
    "at": THEN,
    "by": {"user_id": 2, "name": "Otis Grant"},
    "detail": {"from": "open", "to": "in_progress"},
}
NOTE = {
    "event_id": 8,
    "ticket_id": 1,
    "kind": "note",
    "at": THEN,
    "by": {"user_id": 2, "name": "Otis Grant"},
    "detail": {"text": "Customer will call back.", "visible_to_customer": False},
}

set_response_example(ServiceTicketSerializer, TICKET)
set_response_example(TicketMechanicSerializer, ASSIGNMENT)
set_response_example(TicketPartSerializer, LINE)
set_response_example(InstalledPartSerializer, INSTALLED)
set_response_example(TicketEventSerializer, EVENT)
set_response_example(
    AssignedMechanicSerializer,
    {
        "message": "Lena Brandt is on the ticket.",
        "ticket_id": 1,
        "mechanic_id": 1,
        "ticket": TICKET,
        "role": "Lead",
        "minutes_worked": 15,
    },
)
set_response_example(
    RemovedMechanicSerializer,
    {
        "message": "Lena Brandt is off the ticket.",
        "ticket_id": 1,
        "mechanic_id": 1,
        "ticket": {**TICKET, "ticket_mechanics": []},
    },
)
set_response_example(
    EditedMechanicsSerializer,
    {
        "message": "1 added, 1 removed.",
        "ticket_id": 1,
        "added_mechanics": [1],
        "removed_mechanics": [2],
        "unchanged": [],
        "ticket": TICKET,
    },
)

TICKET_CLOSED = "This ticket is completed."
ILLEGAL_MOVE = {
    "message": "A ticket that is open cannot become completed.",
    "allowed": ["in_progress", "waiting", "cancelled"],
}
CLOSED = conflict(ticket_closed=TICKET_CLOSED)
OWNER_CHANGED = "The vehicle belongs to another customer by now."
UPDATED = {
    200: ServiceTicketSerializer,
    409: conflict(
        illegal_move=ILLEGAL_MOVE,
        ticket_closed=TICKET_CLOSED,
        owner_changed=OWNER_CHANGED,
    ),
}
FILTERS = "Newest first unless `ordering` says otherwise."

tickets = extend_schema_view(
    list=extend_schema(
        description=f"Staff see all tickets, customers their own. {FILTERS}"
        " `mechanic_id=me` lists the caller's own work."
    ),
    create=extend_schema(
        description="Staff may create it as `open`, `in_progress` or `waiting`; a"
        " customer's own ticket is `open`. The customer is the vehicle's owner.",
        responses={
            201: ServiceTicketSerializer,
            409: conflict(owner_changed=OWNER_CHANGED),
        },
        examples=[
            request_example(
                vehicle_id=1,
                odometer_miles=41_200,
                problem_description="Musty smell from the vents",
            )
        ],
    ),
    retrieve=extend_schema(description="Customers do not see the cost of the parts."),
    update=extend_schema(
        description="The same as PATCH: what is left out keeps its value.",
        responses=UPDATED,
        examples=[request_example(status="in_progress", priority=1)],
    ),
    partial_update=extend_schema(
        description="`status` moves it: open to in_progress, waiting or cancelled;"
        " in_progress and waiting to each other, to completed or cancelled; completed"
        " back to in_progress. Cancelling returns every part to the shelf. A closed"
        " ticket takes no other change.",
        responses=UPDATED,
        examples=[
            request_example("Begin", status="in_progress"),
            request_example("Finish", status="completed"),
        ],
    ),
    destroy=extend_schema(
        description="Possible while no work was done on it; otherwise cancel it.",
        responses={
            204: None,
            409: conflict(
                in_use="This ticket has parts, stock movements or minutes. Cancel it."
            ),
        },
    ),
)

customer_tickets = extend_schema_view(
    list=extend_schema(
        operation_id="list_customer_tickets",
        summary="List a customer's service tickets",
        description=FILTERS,
    )
)

my_tickets = extend_schema_view(
    list=extend_schema(
        operation_id="list_my_tickets",
        summary="List one's own service tickets",
        description=f"The tickets of the customer who is signed in, also for staff."
        f" {FILTERS}",
    )
)

# --- Mechanics ------------------------------------------------------------------------

assign_mechanic = extend_schema(
    description="The body may be left out; the defaults are the role Technician and no"
    " minutes.",
    request=AssignMechanicSerializer,
    responses={
        200: AssignedMechanicSerializer,
        409: conflict(
            already_assigned="Lena Brandt is on this ticket already.",
            mechanic_inactive="Lena Brandt is not active.",
            ticket_closed=TICKET_CLOSED,
        ),
    },
    examples=[request_example(role="Lead", minutes_worked=15)],
)

remove_mechanic = extend_schema(
    description="The minutes stay in the timeline. Nothing is read from the body.",
    request=None,
    responses={200: RemovedMechanicSerializer, 409: CLOSED},
)

edit = extend_schema(
    operation_id="edit_mechanics",
    description="Adding a mechanic who is on the ticket already, or removing one who is"
    " not, changes nothing; they are listed in `unchanged`."
    " An unknown id, an inactive mechanic, or an id in both lists is a 400, and nothing"
    " changes.",
    request=EditMechanicsSerializer,
    responses={200: EditedMechanicsSerializer, 409: CLOSED},
    examples=[request_example(add_ids=[2], remove_ids=[1], role="Lead")],
)

change_assignment = extend_schema(
    description="Technicians log the minutes of the mechanic linked to their login,"
    " service advisors those of all.",
    request=ChangeAssignmentSerializer,
    responses={200: TicketMechanicSerializer, 409: CLOSED},
    examples=[request_example(minutes_worked=45)],
)

# --- Parts ----------------------------------------------------------------------------

INSTALLING = {
    201: InstalledPartSerializer,
    409: conflict(
        insufficient_stock=INSUFFICIENT_STOCK,
        already_installed="FLT-1 Cabin air filter is on this ticket already.",
        part_inactive="FLT-1 Cabin air filter is no longer kept.",
        ticket_closed=TICKET_CLOSED,
    ),
}
WARRANTY = request_example(
    quantity_used=2,
    markup_percentage=30,
    warranty_months=12,
    installed_by_mechanic_id=2,
)

install_part = extend_schema(
    description="Takes the units off the shelf and copies today's cost onto the ticket."
    " The total is quantity × cost × (1 + markup), rounded half up. A part is on a"
    " ticket once: change its quantity to take more.",
    request=InstallPartSerializer,
    responses=INSTALLING,
    examples=[WARRANTY, request_example("Six units", quantity_used=6)],
)

change_installed_part = extend_schema(
    description="A changed quantity takes units off the shelf or puts them back. The"
    " cost stays as it was.",
    request=ChangeTicketPartSerializer,
    responses={
        200: TicketPartSerializer,
        409: conflict(
            insufficient_stock=INSUFFICIENT_STOCK, ticket_closed=TICKET_CLOSED
        ),
    },
    examples=[request_example(quantity_used=3)],
)

remove_part = extend_schema(
    description="The units go back on the shelf, once. The movements and the timeline"
    " keep the history.",
    responses={204: None, 409: CLOSED},
)

add_inventory = extend_schema(
    operation_id="install_part_from_body",
    description="The same as `POST …/parts/{part_id}`, with the part in the body and"
    " one unit by default.",
    request=AddInventorySerializer,
    responses=INSTALLING,
    examples=[request_example(inventory_id=1, quantity_used=1)],
)

add_part = extend_schema(
    description="The same as `POST …/parts/{part_id}`; without a body it is one unit.",
    request=AddPartSerializer,
    responses=INSTALLING,
    examples=[request_example(quantity_used=1)],
)

# --- Timeline -------------------------------------------------------------------------

notes = extend_schema(
    operation_id="add_note",
    description="For staff, unless `visible_to_customer` is true. Notes are kept as"
    " they are; a correction is another note. A closed ticket takes them too.",
    request=NoteSerializer,
    responses={201: TicketEventSerializer},
    examples=[request_example(text="Customer will call back.")],
)

events = extend_schema(
    operation_id="list_ticket_events",
    description="Moves, mechanics, parts, changed fields with old and new value, notes;"
    " `detail` differs by `kind`. Customers see the moves and the notes meant for them."
    " No event is ever changed or removed.",
    responses={200: TicketEventSerializer(many=True)},
)
