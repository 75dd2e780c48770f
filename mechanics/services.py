from __future__ import annotations

from django.db.models import ProtectedError

from mechanic_shop.api.errors import InUse

from .models import Mechanic


def delete_mechanic(*, mechanic: Mechanic) -> None:
    """Delete a mechanic who never worked on a ticket.

    :raises InUse: if tickets name the mechanic; deactivate instead
    """
    try:
        mechanic.delete()
    except ProtectedError as error:
        raise InUse(
            "This mechanic has worked on service tickets. Deactivate them instead."
        ) from error
