"""Signals of the inventory."""

from django.dispatch import Signal

#: Sent with the ``part`` when more units were requested than are in stock. The request
#: is rolled back, and with it whatever a receiver writes into the database.
stock_ran_short = Signal()
