"""What tickets tell the apps above them, which they do not know.

A service sends each with ``send()`` in its transaction, when its own rules allow the
change and before it is made. The ticket's row is locked until the end. A receiver may
write, and it may refuse by raising a ``Conflict``: then nothing of the request holds,
not even what other receivers wrote. The sender is always ``ServiceTicket``.
"""

from django.dispatch import Signal

#: A ticket is about to be completed or cancelled: ``ticket``, ``status``, ``by``.
ticket_closing = Signal()
#: A completed ticket is about to be in progress again: ``ticket``, ``by``.
ticket_reopening = Signal()
#: A ticket is about to be deleted: ``ticket``.
ticket_deleting = Signal()
