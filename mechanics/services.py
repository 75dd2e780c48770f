"""Services for mechanics: create a login, deactivate, reactivate, delete."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.db.models import ProtectedError

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.reach import LoginOutOfReach, can_grant, check_reach
from mechanic_shop.accounts.services import send_set_password_link
from mechanic_shop.core.errors import Conflict, InUse
from mechanic_shop.core.locking import lock_row, save_changes
from mechanic_shop.core.transactions import unit_of_work

from .models import Mechanic


class LoginExists(Conflict):
    """The mechanic has a login already."""

    code = "has_login"


class EmailTaken(Conflict):
    """The mechanic's address belongs to somebody else's login."""

    code = "email_taken"


class MechanicDeactivated(Conflict):
    """The mechanic, or the login with that address, is deactivated."""

    code = "deactivated"


@unit_of_work
def create_staff_login(*, mechanic: Mechanic, group: Group, by: User) -> User:
    """Create a staff login for a mechanic, with the permissions of a group.

    An existing staff login with this address is linked; otherwise one is created that
    can be used only through the mailed link.

    :raises LoginExists: if the mechanic has one
    :raises MechanicDeactivated: if the mechanic or the login is deactivated
    :raises EmailTaken: if the address is the login of a customer or of a colleague
    :raises LoginOutOfReach: if ``by`` lacks a permission of the group or of the login
    """
    if not can_grant(by=by, group=group):
        raise LoginOutOfReach(f"You may not make somebody a {group.name}.")
    mechanic = lock_row(mechanic)
    if mechanic.user_id is not None:
        raise LoginExists("This mechanic has a login already.")
    if not mechanic.is_active:
        raise MechanicDeactivated(
            "This mechanic is deactivated. Reactivate them first."
        )
    user = _get_or_create_login(mechanic)
    check_reach(by=by, user=user)
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    user.groups.add(group)
    save_changes(mechanic, {"user": user})
    send_set_password_link(user=user)
    return user


def _get_or_create_login(mechanic: Mechanic) -> User:
    user = User.objects.filter(email=mechanic.email).first()
    if user is None:
        first, _, last = mechanic.full_name.rpartition(" ")
        return User.objects.create_user(
            mechanic.email, first_name=first or last, last_name=last if first else ""
        )
    _check_linkable(user)
    return user


def _check_linkable(user: User) -> None:
    """Reject logins that somebody else may have created with the mechanic's address.

    Customers register with an address that nobody verified and a password of their own.
    Staff permissions for such a login would go to an unknown person.
    """
    if hasattr(user, "customer"):
        raise EmailTaken("A customer signs in with this address. Use another one.")
    if hasattr(user, "mechanic") or user.is_superuser:
        raise EmailTaken("A colleague signs in with this address. Use another one.")
    if not user.is_active:
        raise MechanicDeactivated("The login with this address is deactivated.")


@unit_of_work
def update_mechanic(*, mechanic: Mechanic, by: User, **changes: Any) -> Mechanic:
    """Change a mechanic; ``is_active`` is copied to the login.

    :raises LoginOutOfReach: if ``by`` may not change the login
    """
    is_active = changes.pop("is_active", mechanic.is_active)
    mechanic = save_changes(mechanic, changes)
    if is_active != mechanic.is_active:
        mechanic = _set_active(mechanic, by, is_active=is_active)
    return mechanic


@unit_of_work
def deactivate_mechanic(*, mechanic: Mechanic, by: User) -> Mechanic:
    """Deactivate a mechanic and their login, and end its sessions.

    :raises LoginOutOfReach: if ``by`` may not change the login
    """
    return _set_active(mechanic, by, is_active=False)


@unit_of_work
def reactivate_mechanic(*, mechanic: Mechanic, by: User) -> Mechanic:
    """Reactivate a mechanic and their login.

    :raises LoginOutOfReach: if ``by`` may not change the login
    """
    return _set_active(mechanic, by, is_active=True)


def _set_active(mechanic: Mechanic, by: User, *, is_active: bool) -> Mechanic:
    mechanic = save_changes(mechanic, {"is_active": is_active})
    user = mechanic.user
    if user is not None and user.is_active != is_active:
        _check_login_manageable(user, by)
        user.is_active = is_active
        user.save(update_fields=["is_active"])
    return mechanic


def _check_login_manageable(user: User, by: User) -> None:
    if user == by:
        raise LoginOutOfReach("You cannot close your own login.")
    if not by.has_perm("accounts.change_user"):
        raise LoginOutOfReach("The login of this mechanic is not yours to change.")
    check_reach(by=by, user=user)


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
