"""Services for customers and vehicles: register, invite, update, delete or erase."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import ProtectedError, Q
from django.utils import timezone

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import is_staff_login
from mechanic_shop.accounts.services import (
    anonymize_admin_log,
    check_new_password,
    erase_user,
    report_new_email,
    send_set_password_link,
)
from mechanic_shop.core.errors import Conflict, InUse, NotFound
from mechanic_shop.core.locking import claim_for_cluster, lock_row, save_changes
from mechanic_shop.core.models import IdempotencyKey
from mechanic_shop.core.outbox import enqueue, erase_recipients
from mechanic_shop.core.transactions import retry_on_deadlock, unit_of_work

from .models import Customer, Vehicle
from .signals import customer_erasing

PERSONAL_FIELDS = (
    "first_name",
    "last_name",
    "phone",
    "address",
    "city",
    "state",
    "postal_code",
)
NEEDS_CONFIRMATION = "Send your password, too, to change the address of your login."
EMAIL_TAKEN = "This email address is already in use."


class EmailTaken(ValidationError):
    def __init__(self) -> None:
        super().__init__({"email": [EMAIL_TAKEN]})


class StaffLogin(Conflict):
    """The customer's login is also a staff login, which only its owner may change."""

    code = "staff_login"


class OwnerChanged(Conflict):
    """The vehicle has another owner by now, or its owner was erased."""

    code = "owner_changed"


def register_customer(*, password: str, **details: Any) -> Customer:
    """Create a customer with a login.

    For the address of a customer whom the shop entered itself the error is the same as
    for any taken one, but a link is mailed: only the link connects that record with a
    login.

    :raises EmailTaken: if a login or a customer has this address
    :raises ValidationError: if the password validators reject the password
    """
    user = User(
        email=details["email"],
        first_name=details["first_name"],
        last_name=details["last_name"],
    )
    check_new_password(password, user=user, field="password")
    # Hash before the transaction: it takes tens of milliseconds.
    user.password = make_password(password)
    try:
        return _create_customer(user, details)
    except IntegrityError as error:
        # Whose address it is, the worker finds out: all answers take the same time.
        email = user.email
        enqueue(kind="registration", payload={"email": email}, recipient=email)
        raise EmailTaken from error


@retry_on_deadlock
@unit_of_work
def _create_customer(user: User, details: dict[str, Any]) -> Customer:
    user.pk = None  # an earlier retry may have set it
    user.save(force_insert=True)
    return Customer.objects.create(user=user, **details)


@retry_on_deadlock
@unit_of_work
def invite_walk_in(*, email: str) -> User | None:
    """Return the login of that customer if only a mailed link can open it.

    A customer without one gets it now.
    """
    customer = _lock_walk_in(email)
    if customer is None:
        return None
    if customer.user is not None:
        return None if customer.user.has_usable_password() else customer.user
    if User.objects.filter(email=email).exists():
        return None
    return _give_login(customer)


def _lock_walk_in(email: str) -> Customer | None:
    """Return who has this address and keeps it until the transaction ends."""
    customer = Customer.objects.not_erased().filter(email=email).first()
    if customer is None:
        return None
    try:
        customer = _lock_customer(customer)
    except NotFound:
        return None
    return customer if customer.email == email else None


@retry_on_deadlock
@unit_of_work
def invite_customer(*, customer: Customer) -> User:
    """Give a customer a login that only the mailed link can open.

    :raises EmailTaken: if the address belongs to somebody else's login
    :raises NotFound: if the customer was deleted or erased meanwhile
    """
    user = _give_login(_lock_customer(customer))
    send_set_password_link(user=user)
    return user


def _give_login(customer: Customer) -> User:
    if not customer.email:
        raise ValidationError({"email": ["The customer has no email address."]})
    if customer.user is None:
        if User.objects.filter(email=customer.email).exists():
            raise EmailTaken
        customer.user = User.objects.create_user(
            customer.email,
            first_name=customer.first_name,
            last_name=customer.last_name,
        )
        customer.save(update_fields=["user", "updated_at"])
    return customer.user


@unit_of_work
def update_customer(
    *, customer: Customer, by: User, has_confirmed: bool = False, **changes: Any
) -> Customer:
    """Change a customer; a linked login keeps the same names and address.

    Customers confirm a new address of their own login by their password: whoever has
    the address can set another one. Clients of the systems without roles cannot know
    of it, so it is not asked for with open access.

    :raises EmailTaken: if another login has the new address
    :raises StaffLogin: if the address is the login of another member of staff
    :raises ValidationError: if a login would be left without an address
    :raises NotFound: if the customer was deleted or erased meanwhile
    """
    customer = _lock_customer(customer)
    if changes.get("email", customer.email) != customer.email:
        _check_email_change(customer, by, has_confirmed)
    customer = save_changes(customer, changes)
    if customer.user is not None:
        _sync_login(customer.user, customer, by)
    return customer


def _lock_customer(customer: Customer) -> Customer:
    """:raises NotFound: if the customer was deleted or erased meanwhile"""
    customer = lock_row(customer)
    if customer.erased_at:
        raise NotFound
    return customer


def _check_email_change(customer: Customer, by: User, has_confirmed: bool) -> None:
    """Keep staff from taking over a colleague's login by a password reset."""
    user = customer.user
    if user == by and not (has_confirmed or settings.SHOP_OPEN_ACCESS):
        raise ValidationError({"current_password": [NEEDS_CONFIRMATION]})
    if user is None or user == by or by.is_superuser:
        return
    if is_staff_login(user):
        raise StaffLogin("This is the login of staff; only they can change the email.")


def _sync_login(user: User, customer: Customer, by: User) -> None:
    if not customer.email:
        _withdraw_invitation(user, customer)
        return
    if User.objects.filter(email=customer.email).exclude(pk=user.pk).exists():
        raise EmailTaken
    old_email, user.email = user.email, customer.email
    user.first_name = customer.first_name
    user.last_name = customer.last_name
    user.save(update_fields=["email", "first_name", "last_name"])
    if user.email != old_email:
        report_new_email(user=user, old_email=old_email, by=by)


def _withdraw_invitation(user: User, customer: Customer) -> None:
    """Delete the login of an invitation that was not accepted yet."""
    if user.has_usable_password():
        raise ValidationError({"email": ["The login needs an email address."]})
    save_changes(customer, {"user": None})
    erase_user(user=user)


@unit_of_work
def delete_customer(*, customer: Customer) -> None:
    """Delete a customer, or erase the personal data of one who has tickets.

    Without tickets the customer, the vehicles and the login are deleted. With tickets
    all personal data is blanked, and an empty record and the tickets are kept.

    :raises InUse: while one of the customer's tickets is open
    :raises NotFound: if somebody else did the same at this moment
    """
    customer = _lock_customer(customer)
    if customer.service_tickets.still_open().exists():
        raise InUse("This customer has an open service ticket.")
    customer_erasing.send(Customer, customer=customer)
    user = customer.user
    anonymize_admin_log(customer, *customer.vehicles.all())
    IdempotencyKey.objects.delete_responses_about("customer_id", customer.pk)
    erase_recipients(*_own_emails(customer))
    customer_pk = customer.pk
    vehicle_pks = list(customer.vehicles.values_list("pk", flat=True))
    if customer.service_tickets.exists() or _has_vehicle_history(customer):
        _anonymize(customer)
    else:
        customer.delete()
    _anonymize_history(customer_pk, vehicle_pks)
    if user is not None and not is_staff_login(user):
        erase_user(user=user)


def _own_emails(customer: Customer) -> set[str]:
    """Return the addresses that were the customer's, except for somebody else's now."""
    emails = set(customer.history.values_list("email", flat=True))
    others = Customer.objects.exclude(pk=customer.pk).filter(email__in=emails)
    emails -= set(others.values_list("email", flat=True))
    return {email for email in (*emails, customer.email) if email}


def _has_vehicle_history(customer: Customer) -> bool:
    """Return whether a vehicle has tickets, perhaps those of an earlier owner."""
    return customer.vehicles.exclude(service_tickets=None).exists()


def _anonymize(customer: Customer) -> None:
    for name in PERSONAL_FIELDS:
        setattr(customer, name, "")
    customer.email = None
    customer.user = None
    customer.erased_at = timezone.now()
    customer.save()
    customer.vehicles.update(vin=None, license_plate="", updated_at=timezone.now())


def _anonymize_history(customer_pk: int, vehicle_pks: list[int]) -> None:
    """Blank the personal data in the history of changes; its rows are kept."""
    Customer.history.filter(id=customer_pk).update(
        **dict.fromkeys(PERSONAL_FIELDS, ""), email=None, user_id=None
    )
    theirs = Q(id__in=vehicle_pks) | Q(customer_id=customer_pk)
    Vehicle.history.filter(theirs).update(vin=None, license_plate="")


@unit_of_work
def add_vehicle(*, vehicle: Vehicle) -> Vehicle:
    """Save a new vehicle, while nobody can erase its owner.

    :raises OwnerChanged: if the owner was deleted or erased meanwhile
    """
    vehicle.customer = _lock_owner(vehicle.customer_id)
    vehicle.pk = None  # an earlier retry may have set it
    vehicle.save(force_insert=True)
    return vehicle


@unit_of_work
def update_vehicle(*, vehicle: Vehicle, **changes: Any) -> Vehicle:
    """Change a vehicle, while nobody can erase its owner.

    :raises OwnerChanged: if it got another owner meanwhile, or the owner is erased
    """
    return save_changes(lock_vehicle(vehicle), changes)


@unit_of_work
def change_owner(*, vehicle: Vehicle, customer: Customer) -> Vehicle:
    """Give a vehicle to another customer; its tickets keep their customer.

    :raises InUse: while a ticket of the vehicle is open
    :raises OwnerChanged: if somebody else did the same at this moment
    """
    pks = sorted({vehicle.customer_id, customer.pk})
    owners = Customer.objects.not_erased().filter(pk__in=pks)
    # Lock both owners in the order of ids, so that two changes cannot deadlock.
    for pk in pks:
        claim_for_cluster(Customer, pk)
    if customer not in owners.order_by("pk").select_for_update():
        raise OwnerChanged("The new owner is no longer a customer.")
    vehicle = lock_vehicle(vehicle)
    if vehicle.service_tickets.still_open().exists():
        raise InUse("This vehicle has an open service ticket.")
    vehicle.customer = customer
    vehicle.save(update_fields=["customer", "updated_at"])
    return vehicle


def lock_vehicle(vehicle: Vehicle) -> Vehicle:
    """Lock a vehicle's owner, then the vehicle, and return its current row.

    :raises OwnerChanged: if it got another owner meanwhile, or the owner is erased
    """
    owner = _lock_owner(vehicle.customer_id)
    claim_for_cluster(Vehicle, vehicle.pk)
    current = Vehicle.objects.select_for_update().filter(pk=vehicle.pk).first()
    if current is None:
        raise OwnerChanged("The owner of this vehicle is no longer a customer.")
    if current.customer_id != owner.pk:
        raise OwnerChanged("The vehicle has just got another owner. Try again.")
    current.customer = owner
    return current


def _lock_owner(customer_id: int) -> Customer:
    claim_for_cluster(Customer, customer_id)
    owners = Customer.objects.not_erased().select_for_update()
    owner = owners.filter(pk=customer_id).first()
    if owner is None:
        raise OwnerChanged("The owner of this vehicle is no longer a customer.")
    return owner


def delete_vehicle(*, vehicle: Vehicle) -> None:
    """Delete a vehicle that never had a ticket.

    :raises InUse: if the vehicle has service tickets
    """
    try:
        vehicle.delete()
    except ProtectedError as error:
        raise InUse("This vehicle has service tickets.") from error
