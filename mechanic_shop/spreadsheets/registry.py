"""Which kinds of rows can be imported: apps say so in an ``import_resources.py``."""

from __future__ import annotations

from mechanic_shop.core.registry import Registry

from .resource import ImportResource

import_resources: Registry[type[ImportResource]] = Registry("import_resources")


def get_resource(target: str) -> type[ImportResource]:
    """:raises LookupError: if no app imports rows of this kind"""
    for resource in import_resources:
        if resource.target() == target:
            return resource
    raise LookupError(f"No app imports rows of {target!r}.")
