from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from customers.models import Customer
from customers.tests.factories import VehicleFactory
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.tests.factories import UserFactory
from mechanic_shop.testing.contract import ResourceContract
from mechanic_shop.testing.garage import Garage
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from tickets.models import ServiceTicket
from tickets.services import add_note, assign_mechanic, install_part
from tickets.tests.factories import TicketFactory

#: How the clients of both old systems write it.
UNDERSCORE = ("service-tickets", "service_tickets")
JOB = {
    "vehicle_id": "{vehicle}",
    "problem_description": "It squeaks.",
    "odometer_miles": 10,
}


class TicketContract(ResourceContract):
    """What the lists of tickets and the tickets themselves share."""

    factory = TicketFactory

    def make_rows(self, customer: Customer, garage: Garage) -> Mapping[str, Any]:
        driven, by = VehicleFactory.create(customer=customer), garage.users["mgr"]
        ticket = TicketFactory.create(vehicle=driven)
        assigned, installed = MechanicFactory.create(), PartFactory.create()
        linked = mechanic_of_the_technician(garage)
        for mechanic in (assigned, linked):
            assign_mechanic(ticket=ticket, mechanic=mechanic, by=by)
        install_part(ticket=ticket, part=installed, quantity_used=1, by=by)
        return {
            "customer": customer,
            "vehicle": VehicleFactory.create(customer=customer),
            "ticket": ticket,
            "closed": TicketFactory.create(vehicle=driven, closed=True),
            "empty": TicketFactory.create(vehicle=driven),
            "assigned": assigned,
            "installed": installed,
            "linked": linked,
            "mechanic": MechanicFactory.create(),
            "part": PartFactory.create(),
        }

    def add_rows(self, garage: Garage) -> None:
        """Add tickets of the customer and of others, and work to those there are."""
        own = ServiceTicket.objects.get(pk=garage.own["ticket"])
        another = TicketFactory.create(vehicle=own.vehicle)
        for ticket in (own, another, TicketFactory.create()):
            work_on(ticket)


def mechanic_of_the_technician(garage: Garage) -> Mechanic:
    technician = garage.users["tech"]
    found = Mechanic.objects.filter(user=technician).first()
    return found or MechanicFactory.create(user=technician)


def work_on(ticket: ServiceTicket) -> None:
    """Let somebody new put a new mechanic and a new part on a ticket."""
    by, mechanic = UserFactory.create(is_staff=True), MechanicFactory.create()
    assign_mechanic(ticket=ticket, mechanic=mechanic, by=by)
    install_part(
        ticket=ticket,
        part=PartFactory.create(),
        quantity_used=1,
        by=by,
        installed_by=mechanic,
    )
    add_note(ticket=ticket, by=by, text="Done.", visible_to_customer=True)


class TestMyTicketsContract(TicketContract):
    """Always the caller's own, whatever else they may see."""

    path = "/customers/my-tickets"
    access = """
    own other tech adv mgr staff
    200 200   200  200 200 200      GET    /
    """
    queries = {"GET /": 5}


class TestCustomerTicketsContract(TicketContract):
    """Who may see the customer may see the customer's tickets."""

    path = "/customers/{customer}/service-tickets"
    alias = UNDERSCORE
    access = """
    own other tech adv mgr staff
    200 404   200  200 200 403      GET    /
    """
    queries = {"GET /": 5}


class TestTicketContract(TicketContract):
    """Customers open and watch; technicians work; advisors plan; managers delete."""

    path = "/service-tickets"
    alias = UNDERSCORE
    access = """
    own other tech adv mgr staff
    200 200   200  200 200 403      GET    /
    201 400   403  201 201 403      POST   /
    201 400   403  201 201 403      POST   /  job of the customer
    403 400   403  201 201 403      POST   /  started job
    200 404   200  200 200 403      GET    /{ticket}
    403 403   403  200 200 403      PUT    /{ticket}
    403 403   200  200 200 403      PUT    /{ticket}  same
    403 403   200  200 200 403      PUT    /{ticket}  start
    403 403   403  200 200 403      PATCH  /{ticket}
    403 403   200  200 200 403      PATCH  /{ticket}  same
    403 403   200  200 200 403      PATCH  /{ticket}  start
    403 403   403  200 200 403      PATCH  /{ticket}  other vehicle
    403 403   403  200 200 403      PATCH  /{ticket}  cancel
    403 403   403  200 200 403      PATCH  /{closed}  start
    403 403   403  403 204 403      DELETE /{empty}
    200 404   200  200 200 403      GET    /{ticket}/events
    403 403   201  201 201 403      POST   /{ticket}/notes  note

    403 403   403  200 200 403      PUT    /{ticket}/edit  mechanics
    403 403   403  200 200 403      PUT    /{ticket}/assign-mechanic/{mechanic}
    403 403   403  200 200 403      PUT    /{ticket}/remove-mechanic/{assigned}
    403 403   403  200 200 403      PATCH  /{ticket}/mechanics/{assigned}  minutes
    403 403   200  200 200 403      PATCH  /{ticket}/mechanics/{linked}  minutes
    403 403   200  200 200 403      PATCH  /{ticket}/mechanics/{linked}  same role
    403 403   403  200 200 403      PATCH  /{ticket}/mechanics/{linked}  role

    403 403   201  201 201 403      POST   /{ticket}/parts/{part}  quantity
    403 403   201  201 201 403      POST   /{ticket}/parts  inventory
    403 403   201  201 201 403      POST   /{ticket}/add-part/{part}
    403 403   200  200 200 403      PATCH  /{ticket}/parts/{installed}  quantity
    403 403   204  204 204 403      DELETE /{ticket}/parts/{installed}
    """
    create_body = JOB
    change_body = {"priority": 1}
    bodies = {
        "job of the customer": {**JOB, "customer_id": "{customer}", "status": "open"},
        "started job": {**JOB, "status": "in_progress"},
        "same": {"status": "open", "priority": 3},
        "start": {"status": "in_progress"},
        "other vehicle": {"vehicle_id": "{vehicle}"},
        "cancel": {"status": "cancelled"},
        "note": {"text": "It needs oil."},
        "mechanics": {"add_ids": ["{mechanic}"]},
        "minutes": {"minutes_worked": 30},
        "same role": {"role": "Technician", "minutes_worked": 30},
        "role": {"role": "Lead"},
        "quantity": {"quantity_used": 2},
        "inventory": {"inventory_id": "{part}"},
    }
    fields = "vehicle_id customer_id status problem_description odometer_miles priority"
    ignored_fields = "vehicle customer ticket_mechanics ticket_parts parts_total_cents"
    read_only_fields = "ticket_id opened_at closed_at updated_at"
    fields_of = {
        "note": "text visible_to_customer",
        "mechanics": "add_ids remove_ids role minutes_worked",
        "PUT /{ticket}/assign-mechanic/{mechanic}": "role minutes_worked",
        "PUT /{ticket}/remove-mechanic/{assigned}": "",
        "minutes": "role minutes_worked",
        "POST /{ticket}/parts/{part}": (
            "quantity_used warranty_months installed_by_mechanic_id markup_percentage"
        ),
        "inventory": (
            "quantity_used warranty_months installed_by_mechanic_id markup_percentage"
            " inventory_id"
        ),
        "POST /{ticket}/add-part/{part}": (
            "quantity_used warranty_months installed_by_mechanic_id markup_percentage"
        ),
        "PATCH /{ticket}/parts/{installed}": (
            "quantity_used warranty_months installed_by_mechanic_id"
        ),
    }
    nested = "assigned installed"
    limits = {"POST /": "CREATE_TICKET"}
    queries = {"GET /": 5, "GET /{ticket}": 4, "GET /{ticket}/events": 3}
    permissions = {
        "GET /{ticket}/events": "tickets.view_ticketevent",
        "POST /{ticket}/notes note": "tickets.add_note",
        "DELETE /{empty}": "tickets.delete_serviceticket",
        "PATCH /{ticket} start": "tickets.work_ticket",
        "PATCH /{ticket} cancel": "tickets.cancel_ticket",
        "PATCH /{closed} start": "tickets.reopen_ticket",
        "PUT /{ticket}/edit mechanics": "tickets.assign_mechanic",
        "PUT /{ticket}/assign-mechanic/{mechanic}": "tickets.assign_mechanic",
        "PUT /{ticket}/remove-mechanic/{assigned}": "tickets.assign_mechanic",
        "PATCH /{ticket}/mechanics/{linked} minutes": "tickets.log_minutes",
        "PATCH /{ticket}/mechanics/{assigned} minutes": "tickets.change_ticketmechanic",
        "POST /{ticket}/parts/{part} quantity": "tickets.install_part",
        "DELETE /{ticket}/parts/{installed}": "tickets.remove_part",
    }
