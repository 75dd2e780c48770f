"""The OpenAPI document: what every operation says of itself without being told.

``operations`` joins ``words`` and ``shapes`` with headers and failures. What many share
is in ``parameters``, ``answers`` and ``examples``; ``paths`` chooses the one spelling
that is listed, and ``pruning`` drops what nothing refers to. What is particular to an
operation stands in the ``schema.py`` of its app.
"""
