"""Services that change tickets, and the errors that they raise.

Rows are locked in one order: ticket, parts by id, mechanics.
"""

from .events import add_note
from .handing_over import NotReady, hand_over
from .locking import TicketClosed
from .mechanics import (
    AlreadyAssigned,
    MechanicEdit,
    MechanicInactive,
    assign_mechanic,
    change_assignment,
    edit_mechanics,
    remove_mechanic,
)
from .parts import (
    AlreadyInstalled,
    PartInactive,
    change_installed_part,
    install_part,
    remove_part,
)
from .tickets import (
    IllegalMove,
    delete_ticket,
    move_ticket,
    open_ticket,
    update_ticket,
)

__all__ = [
    "AlreadyAssigned",
    "AlreadyInstalled",
    "IllegalMove",
    "MechanicEdit",
    "MechanicInactive",
    "NotReady",
    "PartInactive",
    "TicketClosed",
    "add_note",
    "assign_mechanic",
    "change_assignment",
    "change_installed_part",
    "delete_ticket",
    "edit_mechanics",
    "hand_over",
    "install_part",
    "move_ticket",
    "open_ticket",
    "remove_mechanic",
    "remove_part",
    "update_ticket",
]
