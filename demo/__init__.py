"""The demo shop that ``manage.py seed_demo`` creates in an empty database.

``people``, ``vehicles``, ``parts`` and ``jobs`` hold the data and create the initial
rows. ``tickets`` simulates a ticket, ``shop_events`` what happens beside the tickets.
``schedule`` plans the tickets, ``simulation`` runs everything in order of time,
``backdating`` moves the rows into the past, and ``build`` puts the pieces together.
"""
