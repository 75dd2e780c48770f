"""The production server: granian, started by ``python -m mechanic_shop.server``."""
