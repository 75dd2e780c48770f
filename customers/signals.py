"""Signals of customers, for apps above that ``customers`` does not import."""

from django.dispatch import Signal

#: A customer is about to be deleted or erased: ``customer``. A service sends this with
#: ``send()`` in its transaction, with the customer's row locked and not yet changed. A
#: receiver removes its own app's data about the customer, or rejects the change by
#: raising a ``Conflict``: then everything is rolled back. The sender is always
#: ``Customer``.
customer_erasing = Signal()
