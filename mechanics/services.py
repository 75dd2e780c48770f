"""Business verbs around mechanics: a login, leaving, coming back, deleting."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import ProtectedError

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.services import send_set_password_link
from mechanic_shop.core.errors import Conflict, InUse
from mechanic_shop.core.locking import lock_row, save_changes
from mechanic_shop.core.transactions import unit_of_work

from .models import Mechanic


class HasLogin(Conflict):
    """The mechanic can sign in already."""

    code = "has_login"


class EmailTaken(Conflict):
    """The mechanic's address opens a login that is not theirs to take."""

    code = "email_taken"


class Deactivated(Conflict):
    """Who does not work here any more gets no login."""

    code = "deactivated"


class LoginOutOfReach(Conflict):
    """The login behind the mechanic is not one that this user may open or close."""

    code = "login_out_of_reach"


@unit_of_work
def give_login(*, mechanic: Mechanic, group: Group) -> User:
    """Let a mechanic into the back office, with the rights of a group.

    A login that staff made for this address is linked; otherwise one is made that only
    the mailed link can open.

    :raises HasLogin: if the mechanic has one
    :raises Deactivated: if the mechanic, or the login of that address, is switched off
    :raises EmailTaken: if the address is the login of a customer or of a colleague
    """
    mechanic = lock_row(mechanic)
    if mechanic.user_id is not None:
        raise HasLogin("This mechanic has a login already.")
    if not mechanic.is_active:
        raise Deactivated("This mechanic is deactivated. Reactivate them first.")
    user = _login_for(mechanic)
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    user.groups.add(group)
    save_changes(mechanic, {"user": user})
    transaction.on_commit(lambda: send_set_password_link(user=user))
    return user


def _login_for(mechanic: Mechanic) -> User:
    user = User.objects.filter(email=mechanic.email).first()
    if user is None:
        first, _, last = mechanic.full_name.rpartition(" ")
        return User.objects.create_user(
            mechanic.email, first_name=first or last, last_name=last if first else ""
        )
    _check_may_link(user)
    return user


def _check_may_link(user: User) -> None:
    """Keep out whoever signed up with a mechanic's address before the mechanic did.

    Customers sign up with an address that nobody verified and a password of their own:
    rights given to such a login would be given to a stranger.
    """
    if hasattr(user, "customer"):
        raise EmailTaken("A customer signs in with this address. Use another one.")
    if hasattr(user, "mechanic") or user.is_superuser:
        raise EmailTaken("A colleague signs in with this address. Use another one.")
    if not user.is_active:
        raise Deactivated("The login with this address is deactivated.")


@unit_of_work
def update_mechanic(*, mechanic: Mechanic, by: User, **changes: Any) -> Mechanic:
    """Change a mechanic; a login opens and closes with ``is_active``.

    :raises LoginOutOfReach: if the login is not for ``by`` to open or close
    """
    is_active = changes.pop("is_active", mechanic.is_active)
    mechanic = save_changes(mechanic, changes)
    if is_active != mechanic.is_active:
        mechanic = _switch(mechanic, by, is_active=is_active)
    return mechanic


@unit_of_work
def deactivate_mechanic(*, mechanic: Mechanic, by: User) -> Mechanic:
    """Take a mechanic off the team; their login closes and its sessions end.

    :raises LoginOutOfReach: if the login is not for ``by`` to close
    """
    return _switch(mechanic, by, is_active=False)


@unit_of_work
def reactivate_mechanic(*, mechanic: Mechanic, by: User) -> Mechanic:
    """Take a mechanic back; their login opens again.

    :raises LoginOutOfReach: if the login is not for ``by`` to open
    """
    return _switch(mechanic, by, is_active=True)


def _switch(mechanic: Mechanic, by: User, *, is_active: bool) -> Mechanic:
    mechanic = save_changes(mechanic, {"is_active": is_active})
    user = mechanic.user
    if user is not None and user.is_active != is_active:
        _check_may_switch(user, by)
        user.is_active = is_active
        user.save(update_fields=["is_active"])
    return mechanic


def _check_may_switch(user: User, by: User) -> None:
    if user == by:
        raise LoginOutOfReach("You cannot close your own login.")
    if not by.has_perm("accounts.change_user"):
        raise LoginOutOfReach("The login of this mechanic is not yours to change.")
    if user.is_superuser and not by.is_superuser:
        raise LoginOutOfReach("This is an owner's login; only owners may change it.")


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
