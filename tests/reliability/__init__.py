"""The production form under fire: four processes, 64 requests at once, broken services.

``make test-reliability`` runs this folder but for what is marked ``soak``; the ordinary
suites leave it out. A scenario takes ``shop`` and runs on SQLite without Redis and on a
MariaDB and a Redis of the tests' own. It begins with rows of its own, since the shop is
shared, and ends with ``assert_invariants``::

    class TestStock:
        @pytest.mark.race
        def test_goes_to_one_of_two(self, shop: Shop) -> None:
            part, tickets = shop.new_part(quantity_in_stock=1), shop.new_tickets(2)
            paths = [f"/service-tickets/{ticket}/parts/{part}" for ticket in tickets]

            answers = at_once(2, lambda i: shop.owner.post(paths[i], LINE))

            assert counted(answers) == {201: 1, 409: 1}
            assert shop.moved(part) == [-1]
            shop.assert_invariants()

``race`` runs the scenario once more on the server of ``naive_server.py``, which looks
first and acts afterwards. There an ``assert`` has to fail: a race that cannot tell the
two apart proves nothing and breaks the build. ``assert_invariants`` does nothing there,
so assert the figures of the own rows. What only prepares says ``.expect(201)``, whose
error is no failed assertion.

What stops, pauses or kills a server or a service starts its own with ``running_shop``
and ``MariaDB`` or ``Redis``, never the shared ones.

Tests that share a server belong to one ``xdist_group``: each process would start its
own otherwise.
"""
