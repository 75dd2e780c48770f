"""What customers tell the apps above them, which they do not know."""

from django.dispatch import Signal

#: The shop is about to forget a customer: ``customer``. The record is deleted, or kept
#: without anything personal where the books mention it. A service sends this with
#: ``send()`` in its transaction, with the customer's row locked and not yet changed. A
#: receiver removes what its own app knows of the customer, or refuses by raising a
#: ``Conflict``: then nothing holds. The sender is always ``Customer``.
customer_erasing = Signal()
