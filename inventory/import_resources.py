"""Imports of this app, found by the name of this module."""

from mechanic_shop.spreadsheets.registry import import_resources

from .part_import.resource import PartResource

import_resources.add(PartResource)
