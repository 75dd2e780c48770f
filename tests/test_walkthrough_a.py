"""System A's walkthrough over HTTP, in the order of its README, with the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from .support.server import Server, Site, running_server

pytestmark = pytest.mark.xdist_group("server of system A")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    path: Path = tmp_path_factory.mktemp("system-a")
    with running_server(path) as server:
        server.manage(
            *("createsuperuser", "--noinput", "--email", "owner@shop.example"),
            *("--first_name", "Olive", "--last_name", "Owner"),
        )
        yield server


def ok(answer: httpx.Response, status_code: int = 200) -> Any:
    """Check the status and return the body."""
    assert answer.status_code == status_code, answer.text
    return answer.json() if answer.content else None


class TestSystemA:
    def test_works_from_registering_to_deleting(self, server: Site) -> None:
        customer, customer_id = self.register_log_in_and_look(server)
        shop = server.sign_in()
        self.page_through_the_customers(shop)
        vehicle_id = self.add_a_vehicle(customer, customer_id)
        mechanics = self.hire_three_mechanics(shop)
        tickets = self.open_two_tickets(customer, shop, vehicle_id, customer_id)
        self.assign_remove_and_edit_mechanics(shop, tickets[0], mechanics)
        self.rank_the_mechanics(shop, mechanics)
        part_id = self.stock_a_part(shop)
        self.install_the_part(shop, tickets[0], part_id, mechanics[0])
        self.update_everything(customer, shop, customer_id, vehicle_id, tickets)
        self.delete_what_may_go(customer, shop, customer_id, mechanics, tickets)
        self.keep_what_the_books_need(shop, tickets[0], part_id, mechanics[0])

    def register_log_in_and_look(self, server: Site) -> tuple[httpx.Client, int]:
        registered = ok(
            server.client().post(
                "/auth/register",
                json={
                    "first_name": "John",
                    "last_name": "Doe",
                    "email": "john.doe@example.com",
                    "password": "SecurePass123!",
                    "phone": "555-1234",
                    "address": "123 Main St",
                    "city": "Denver",
                    "state": "CO",
                    "postal_code": "80202",
                },
            ),
            201,
        )
        customer = server.sign_in(
            email="john.doe@example.com", password="SecurePass123!"
        )
        me = ok(customer.get("/auth/me"))
        assert me["customer_id"] == registered["customer"]["customer_id"]
        assert (me["email"], me["role"]) == ("john.doe@example.com", "customer")
        return customer, me["customer_id"]

    def page_through_the_customers(self, shop: httpx.Client) -> None:
        for number in range(4):
            person = {"first_name": "Walk", "last_name": f"In {number}", "phone": "1"}
            ok(shop.post("/customers/", json=person), 201)
        page = ok(shop.get("/customers?page=2&per_page=2"))
        assert [row["last_name"] for row in page["customers"]] == ["In 1", "In 2"]
        assert page["pagination"] == {
            "page": 2,
            "per_page": 2,
            "total_customers": 5,
            "total_pages": 3,
            "has_next": True,
            "has_prev": True,
        }

    def add_a_vehicle(self, customer: httpx.Client, customer_id: int) -> int:
        url = f"/customers/{customer_id}/vehicles"
        car = {
            "vin": "1HGCM82633A123456",
            "make": "Honda",
            "model": "Accord",
            "year": 2020,
            "color": "Silver",
        }
        vehicle_id: int = ok(customer.post(url, json=car), 201)["vehicle_id"]
        assert [row["vehicle_id"] for row in ok(customer.get(url))] == [vehicle_id]
        return vehicle_id

    def hire_three_mechanics(self, shop: httpx.Client) -> list[int]:
        people = [
            ("Mike Johnson", "mike.johnson@mechanicshop.com", 65_000, True),
            ("Sarah Williams", "sarah.williams@mechanicshop.com", 72_000, True),
            ("Tom Davis", "tom.davis@mechanicshop.com", 58_000, False),
        ]
        ids = []
        for full_name, email, salary, is_active in people:
            body = {
                "full_name": full_name,
                "email": email,
                "phone": "555-9876",
                "salary": salary,
                "is_active": is_active,
            }
            ids.append(ok(shop.post("/mechanics", json=body), 201)["mechanic_id"])
        for _ in range(2):
            assert [row["mechanic_id"] for row in ok(shop.get("/mechanics"))] == ids
        assert ok(shop.get(f"/mechanics/{ids[0]}"))["ticket_count"] == 0
        return ids

    def open_two_tickets(
        self,
        customer: httpx.Client,
        shop: httpx.Client,
        vehicle_id: int,
        customer_id: int,
    ) -> list[int]:
        body = {
            "vehicle_id": vehicle_id,
            "customer_id": customer_id,
            "status": "open",
            "problem_description": "Engine making strange noise",
            "odometer_miles": 45_000,
            "priority": 3,
        }
        ids = [
            ok(client.post("/service_tickets", json=body), 201)["ticket_id"]
            for client in (customer, shop)
        ]
        page = ok(shop.get("/service_tickets"))
        assert [row["ticket_id"] for row in page["service_tickets"]] == ids[::-1]
        assert page["pagination"]["total_service_tickets"] == 2
        return ids

    def assign_remove_and_edit_mechanics(
        self, shop: httpx.Client, ticket: int, mechanics: list[int]
    ) -> None:
        first, second, inactive = mechanics
        url = f"/service_tickets/{ticket}"
        lead = {"role": "Lead Technician", "minutes_worked": 0}
        assert (
            ok(shop.put(f"{url}/assign-mechanic/{first}", json=lead))["role"]
            == "Lead Technician"
        )
        ok(shop.put(f"{url}/assign-mechanic/{second}"))
        assert shop.put(f"{url}/assign-mechanic/{second}").status_code == 409
        left = ok(shop.put(f"{url}/remove-mechanic/{second}"))["ticket"]
        assert [row["mechanic_id"] for row in left["ticket_mechanics"]] == [first]
        refused = shop.put(
            f"{url}/edit", json={"add_ids": [second, inactive], "remove_ids": [first]}
        )
        assert refused.status_code == 400
        edited = ok(
            shop.put(f"{url}/edit", json={"add_ids": [first, second], "remove_ids": []})
        )
        assert edited["added_mechanics"] == [second]
        assert edited["unchanged"] == [first]

    def rank_the_mechanics(self, shop: httpx.Client, mechanics: list[int]) -> None:
        def ranking(query: str) -> list[tuple[int, int]]:
            rows = ok(shop.get(f"/mechanics/by-activity?{query}"))
            return [(row["mechanic_id"], row["ticket_count"]) for row in rows]

        first, second, inactive = mechanics
        assert ranking("order=desc&active_only=true") == [(first, 1), (second, 1)]
        assert ranking("order=asc") == [(inactive, 0), (first, 1), (second, 1)]

    def stock_a_part(self, shop: httpx.Client) -> int:
        part = {
            "part_number": "BRK-001",
            "name": "Brake Pad Set",
            "category": "Brakes",
            "current_cost_cents": 4_500,
            "quantity_in_stock": 25,
            "reorder_level": 5,
            "manufacturer": "AutoParts Inc",
            "supplier": "Parts Warehouse",
        }
        part_id: int = ok(shop.post("/inventory", json=part), 201)["part_id"]
        assert ok(shop.get("/inventory"))["pagination"]["total_parts"] == 1
        assert ok(shop.get("/inventory?low_stock=true"))["parts"] == []
        adjusted = ok(
            shop.patch(f"/inventory/{part_id}/adjust-quantity", json={"adjustment": 10})
        )
        assert (adjusted["previous_quantity"], adjusted["new_quantity"]) == (25, 35)
        return part_id

    def install_the_part(
        self, shop: httpx.Client, ticket: int, part_id: int, mechanic: int
    ) -> None:
        url = f"/service_tickets/{ticket}/parts/{part_id}"
        body = {
            "quantity_used": 2,
            "markup_percentage": 30.0,
            "warranty_months": 12,
            "installed_by_mechanic_id": mechanic,
        }
        installed = ok(shop.post(url, json=body), 201)
        assert installed["unit_cost_cents"] == 4_500
        assert installed["total_cost_cents"] == 11_700
        assert installed["total_cost"] == 117.0
        assert installed["remaining_stock"] == 33
        ok(shop.delete(url), 204)
        assert ok(shop.get(f"/inventory/{part_id}"))["quantity_in_stock"] == 35
        assert ok(shop.post(url, json=body), 201)["remaining_stock"] == 33
        short = shop.patch(url, json={"quantity_used": 36})
        assert (short.status_code, short.json()["available"]) == (409, 33)
        movements = ok(shop.get(f"/inventory/{part_id}/movements"))["movements"]
        assert [row["delta"] for row in movements] == [-2, 2, -2, 10, 25]
        assert [row["quantity_after"] for row in movements] == [33, 35, 33, 35, 25]

    def update_everything(
        self,
        customer: httpx.Client,
        shop: httpx.Client,
        customer_id: int,
        vehicle_id: int,
        tickets: list[int],
    ) -> None:
        changed = ok(
            customer.put(f"/customers/{customer_id}", json={"phone": "555-1234-NEW"})
        )
        assert (changed["phone"], changed["city"]) == ("555-1234-NEW", "Denver")
        car = f"/customers/{customer_id}/vehicles/{vehicle_id}"
        assert ok(customer.put(car, json={"color": "Red"}))["make"] == "Honda"
        ticket = ok(
            shop.put(
                f"/service_tickets/{tickets[0]}",
                json={
                    "status": "in_progress",
                    "problem_description": "Diagnosis complete",
                    "odometer_miles": 45_000,
                    "priority": 3,
                },
            )
        )
        assert ticket["status"] == "in_progress"
        assert ticket["parts_total_cents"] == 11_700

    def delete_what_may_go(
        self,
        customer: httpx.Client,
        shop: httpx.Client,
        customer_id: int,
        mechanics: list[int],
        tickets: list[int],
    ) -> None:
        url = f"/customers/{customer_id}/vehicles"
        second = ok(
            customer.post(url, json={"make": "Ford", "model": "F-150", "year": 1978}),
            201,
        )
        ok(customer.delete(f"{url}/{second['vehicle_id']}"), 204)
        ok(shop.delete(f"/mechanics/{mechanics[2]}"), 204)
        ok(shop.delete(f"/service_tickets/{tickets[1]}/"), 204)
        spare = ok(shop.post("/inventory", json={"name": "Bulb", "price": 3.5}), 201)
        ok(shop.delete(f"/inventory/{spare['part_id']}"), 204)

    def keep_what_the_books_need(
        self, shop: httpx.Client, ticket: int, part_id: int, mechanic: int
    ) -> None:
        for url in (
            f"/service_tickets/{ticket}",
            f"/inventory/{part_id}",
            f"/mechanics/{mechanic}",
        ):
            refused = shop.delete(url)
            assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
        ok(shop.put(f"/service-tickets/{ticket}", json={"status": "cancelled"}))
        assert ok(shop.get(f"/inventory/{part_id}"))["quantity_in_stock"] == 35
