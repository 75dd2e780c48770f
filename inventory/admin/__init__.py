"""Admin pages of parts and their stock."""

from .parts import PartAdmin
from .stock_movements import StockMovementAdmin

__all__ = ["PartAdmin", "StockMovementAdmin"]
