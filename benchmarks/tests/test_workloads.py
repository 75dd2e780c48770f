"""Requests follow from their number; no write meets what an earlier one did."""

from __future__ import annotations

import json

import pytest

from benchmarks.dataset_size import Shop
from benchmarks.workloads import (
    WORKLOADS,
    Place,
    edit_mechanics,
    install_part,
    ticket_of,
    tickets_of,
)

SHOP = Shop(0.1)
PEERS = 6


class TestTicketOf:
    def test_gives_each_peer_tickets_of_its_own(self) -> None:
        own = tickets_of(SHOP, Place(0, PEERS))

        tickets = [
            ticket_of(SHOP, Place(peer, PEERS), number)
            for peer in range(PEERS)
            for number in range(own)
        ]

        assert len(set(tickets)) == own * PEERS
        assert max(tickets) <= SHOP.tickets
        assert {ticket % 10 for ticket in tickets} == {1}


class TestInstallPart:
    def test_installs_no_part_twice_on_a_ticket(self) -> None:
        pairs = tickets_of(SHOP, Place(0, PEERS)) * SHOP.ample_parts

        paths = {
            install_part(SHOP, Place(0, PEERS), number).path for number in range(pairs)
        }

        assert len(paths) == pairs


class TestEditMechanics:
    def test_takes_off_whom_the_turn_before_put_on(self) -> None:
        place = Place(3, PEERS)
        turn = tickets_of(SHOP, place)

        before = edit_mechanics(SHOP, place, 5)
        after = edit_mechanics(SHOP, place, 5 + turn)

        assert before.path == after.path
        assert (
            json.loads(before.body)["add_ids"] == json.loads(after.body)["remove_ids"]
        )

    def test_asks_only_for_mechanics_who_are_still_there(self) -> None:
        for number in range(2_000):
            body = json.loads(edit_mechanics(SHOP, Place(0, 1), number).body)
            ids = body["add_ids"] + body["remove_ids"]

            assert len(set(ids)) == 4
            assert all(1 <= one <= SHOP.mechanics and one % 10 for one in ids)


class TestWorkloads:
    @pytest.mark.parametrize("name", WORKLOADS)
    def test_ask_the_api(self, name: str) -> None:
        call = WORKLOADS[name].make(SHOP, Place(0, 1), 499)

        assert call.path.startswith("/api/")
        assert bool(call.body) == (call.method != "GET")
        assert "\n" not in call.path + call.body
