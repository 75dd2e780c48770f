"""The demo shop that ``manage.py seed_demo`` fills an empty database with.

``people``, ``vehicles``, ``parts`` and ``jobs`` hold the tables and make the rows that
are there from the start. ``tickets`` tells the story of one ticket, ``shop_events``
what happens beside them. ``schedule`` decides who comes when, ``simulation`` runs all
stories in order of time, ``backdating`` gives their rows the dates of the past, and
``build`` puts the pieces together.
"""
