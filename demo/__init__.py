"""The made-up shop that ``manage.py seed_demo`` fills an empty database with.

``people``, ``cars``, ``shelf`` and ``jobs`` hold the tables and make the rows that are
there from the start. ``visits`` tells the story of one ticket, ``house`` what happens
beside them, ``plan`` decides who comes when, ``diary`` lets all of it happen in
order of time, ``past`` dates it back, and ``build`` puts the pieces together.
"""
