"""Parts and their stock in the back office."""

from .parts import PartAdmin
from .stock_movements import StockMovementAdmin

__all__ = ["PartAdmin", "StockMovementAdmin"]
