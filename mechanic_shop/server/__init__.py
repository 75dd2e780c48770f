"""The production server: gunicorn, started by ``python -m mechanic_shop.server``."""
