"""Parts and their stock in the back office."""

from .ledger import StockMovementAdmin
from .parts import PartAdmin

__all__ = ["PartAdmin", "StockMovementAdmin"]
