"""The OpenAPI document: what every operation says of itself without being told.

``operations`` joins ``descriptions`` and ``components`` with headers and failures. What
many share is in ``parameters``, ``responses`` and ``examples``. ``path_names`` chooses
the spelling of a path that is listed, and ``unused_schemas`` drops what nothing refers
to. What is particular to an operation stands in the ``schema.py`` of its app.
"""
