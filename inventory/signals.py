"""What the inventory tells whoever wants to know."""

from django.dispatch import Signal

#: Sent with the ``part`` of which somebody wanted more units than there are. What the
#: request did is undone, and so is what a receiver writes into the database.
stock_ran_short = Signal()
