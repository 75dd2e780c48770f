"""Signals of tickets, for apps above that ``tickets`` does not import.

A service sends them with ``send()`` in its transaction, after its own checks and before
the change. The ticket's row is locked until the commit. A receiver may write, and it
may reject the change by raising a ``Conflict``: then the whole request is rolled back,
including what other receivers wrote. The sender is always ``ServiceTicket``.
"""

from django.dispatch import Signal

#: A ticket is about to be completed or cancelled: ``ticket``, ``status``, ``by``.
ticket_closing = Signal()
#: A completed ticket is about to be in progress again: ``ticket``, ``by``.
ticket_reopening = Signal()
#: A ticket is about to be deleted: ``ticket``.
ticket_deleting = Signal()
