"""Imports of this app, found by the name of this module."""

from mechanic_shop.spreadsheets.registry import import_resources

from .imports.customers import CustomerResource
from .imports.vehicles import VehicleResource

import_resources.add(CustomerResource)
import_resources.add(VehicleResource)
