"""The same shop by somebody who looks, thinks for a moment, and then acts.

Without transactions and without locks; where it decides on what it has seen, it lets
some time pass, so that others get in between. Constraints of the database stay, and
what they refuse is answered like any other loser's request, only too late.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from secrets import token_hex
from types import ModuleType
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.db import IntegrityError
from django.db.models import Model, QuerySet
from django.db.transaction import Atomic
from django.utils import timezone
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer

from customers import services as customers
from customers.models import Customer, Vehicle
from inventory import services as stock
from inventory.models import Part, StockMovement
from mechanic_shop.accounts import services as accounts
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tokens import read_claims
from mechanic_shop.api import list_cache, unique_errors
from mechanic_shop.api.etags import check_if_match
from mechanic_shop.api.models import (
    KnownAddressManager,
    Rate,
    RateCounterManager,
    ThrottleResult,
)
from mechanic_shop.api.parsers import StrictJSONParser
from mechanic_shop.api.viewsets import ShopViewSet
from mechanic_shop.core import locking, outbox
from mechanic_shop.core.errors import InUse, NotFound
from mechanic_shop.core.models import QueuedTask
from mechanics.models import Mechanic, MechanicListVersion
from tickets import services as tickets
from tickets.models import (
    DEFAULT_ROLE,
    ServiceTicket,
    TicketEventKind,
    TicketMechanic,
    TicketPart,
)
from tickets.services.events import line_detail, record
from tickets.services.locking import lock_open_ticket
from tickets.services.mechanics import _assign

M = TypeVar("M", bound=Model)

PAUSE_SECONDS = 0.1
#: Not to be found by ``replace``.
compare_tag = partial(check_if_match)


def take_over() -> None:
    """Put the naive variants in the place of what they imitate."""
    without_transactions_and_locks()
    replace(check_if_match, check_and_think)
    replace(locking.lock_row, look_at_row)
    replace(stock._move, move)
    replace(tickets.install_part, install_part)
    replace(tickets.assign_mechanic, assign_mechanic)
    replace(unique_errors.save_or_raise_validation_error, save)
    replace(customers.register_customer, register_customer)
    replace(customers.change_owner, change_owner)
    replace(customers.add_vehicle, add_vehicle)
    replace(customers.update_vehicle, update_vehicle)
    replace(accounts.rotate_session, rotate_session)
    replace(outbox.take, take_task)
    RateCounterManager.hit = hit  # type: ignore[method-assign]
    KnownAddressManager.knows = knows  # type: ignore[method-assign]
    replace(list_cache.cached_rendering, cached_rendering)
    MechanicListVersion.current = only_one  # type: ignore[method-assign]
    Mechanic.save = save_and_forget  # type: ignore[method-assign]
    StrictJSONParser.parse = JSONParser.parse  # type: ignore[method-assign]
    # At its first request a worker would import them, and meanwhile others be through.
    import_module(settings.ROOT_URLCONF)


def replace(original: Callable[..., Any], naive: Callable[..., Any]) -> None:
    """Put a function in the place of another, in every module that knows it.

    Modules that are loaded later take over what they find in these.
    """
    modules = [each for each in sys.modules.values() if isinstance(each, ModuleType)]
    for module in modules:
        for name, value in list(vars(module).items()):
            if value is original:
                setattr(module, name, naive)


def without_transactions_and_locks() -> None:
    """Let ``atomic`` and ``select_for_update`` do nothing, wherever they are used."""

    def nothing(self: Atomic, *_: object) -> None: ...

    def unlocked(self: Any, *_: Any, **__: Any) -> Any:
        return self.all()

    Atomic.__enter__ = Atomic.__exit__ = nothing  # type: ignore[method-assign]
    QuerySet.select_for_update = unlocked  # type: ignore[method-assign]


def think(pauses: int = 1) -> None:
    """Let the others get in between."""
    time.sleep(pauses * PAUSE_SECONDS)


# --- Every write ----------------------------------------------------------------------


def check_and_think(view: ShopViewSet[Any], request: Request) -> None:
    """Compare the tag, or look for a response under the key; act a moment later."""
    compare_tag(view, request)
    if {"If-Match", "Idempotency-Key"} & set(request.headers):
        think()


def look_at_row(row: M) -> M:
    """Read a row, and decide a moment later by what was read."""
    seen = type(row)._default_manager.filter(pk=row.pk).first()
    if seen is None:
        raise NotFound
    think()
    return seen


# --- Stock and tickets ----------------------------------------------------------------


def move(
    part: Part, delta: int, reason: str, by: User, **details: Any
) -> StockMovement:
    """Read the quantity, and write a moment later what follows from it."""
    available = Part.objects.get(pk=part.pk).quantity_in_stock
    if available + delta < 0:
        raise stock.InsufficientStock(part, requested=-delta, available=available)
    think()
    left = available + delta
    Part.objects.filter(pk=part.pk).update(quantity_in_stock=left)
    return StockMovement.objects.create(
        part=part, delta=delta, quantity_after=left, reason=reason, by=by, **details
    )


def install_part(
    *, ticket: ServiceTicket, part: Part, quantity_used: int, by: User, **details: Any
) -> TicketPart:
    """Take the units, and only then hear that the part is on the ticket already."""
    ticket = lock_open_ticket(ticket)
    if ticket.ticket_parts.filter(part=part).exists():
        raise tickets.AlreadyInstalled(f"{part} is on this ticket already.")
    stock.take_stock(part=part, quantity=quantity_used, by=by, ticket=ticket)
    line = TicketPart(
        ticket=ticket,
        part=part,
        part_number=part.part_number,
        part_name=part.name,
        quantity_used=quantity_used,
        unit_cost_cents=part.current_cost_cents,
        **details,
    )
    try:
        line.save()
    except IntegrityError as error:
        raise tickets.AlreadyInstalled(f"{part} was quicker.") from error
    record(ticket, TicketEventKind.PART_INSTALLED, by, line_detail(line))
    return line


def assign_mechanic(
    *,
    ticket: ServiceTicket,
    mechanic: Mechanic,
    by: User,
    role: str = DEFAULT_ROLE,
    minutes_worked: int = 0,
) -> TicketMechanic:
    """Look whether the mechanic is on the ticket, and leave the rest to chance."""
    ticket = lock_open_ticket(ticket)
    if ticket.ticket_mechanics.filter(mechanic=mechanic).exists():
        raise tickets.AlreadyAssigned(f"{mechanic} is on this ticket already.")
    think()
    return _assign(ticket, mechanic, by, role, minutes_worked)


# --- Limits and tokens ----------------------------------------------------------------


def hit(
    self: RateCounterManager, key: str, rate: Rate | tuple[int, int]
) -> ThrottleResult:
    """Look whether something is left, and count a moment later."""
    rate = Rate(*rate)
    window, over = divmod(int(time.time()), rate.seconds)
    count = self._present(key, window)
    think()
    if count < rate.limit:
        self._add_one(key, window)
    return ThrottleResult(
        key=key,
        window=window,
        allowed=count < rate.limit,
        limit=rate.limit,
        remaining=max(rate.limit - count - 1, 0),
        reset=rate.seconds - over,
    )


def knows(self: KnownAddressManager, account: str, address: str) -> bool:
    """Lock an account for everybody, its owner included."""
    return False


def rotate_session(*, refresh_token: str) -> accounts.TokenPair:
    """Compare the token with the session's newest, and renew it a moment later."""
    token = accounts._parse(refresh_token)
    claims = read_claims(token)
    session = claims and claims.find()
    if session is None or session.refresh_jti != token["jti"]:
        raise accounts.SessionEnded
    think()
    session.refresh_jti = token_hex(16)
    session.save()
    return accounts._issue(session)


# --- Customers and what is unique -----------------------------------------------------


def save(
    save: Callable[[BaseSerializer[Any]], None], serializer: BaseSerializer[Any]
) -> None:
    """Trust what the validators have seen a moment ago."""
    if serializer.instance is None:
        think()
    save(serializer)


def take_task(queue: str) -> QueuedTask | None:
    """Take what is due, and believe that it will be done."""
    task = QueuedTask.objects.due(queue, timezone.now()).first()
    if task is not None:
        think()
        task.attempts += 1
        task.state = QueuedTask.State.DONE
        task.save(update_fields=["attempts", "state"])
    return task


def register_customer(*, password: str, **details: Any) -> Customer:
    """Look whether the address is free, and believe it while hashing the password."""
    if User.objects.filter(email=details["email"]).exists():
        raise customers.EmailTaken
    names = {name: details[name] for name in ("email", "first_name", "last_name")}
    user = User(password=make_password(password), **names)
    think(10)
    user.save()
    return Customer.objects.create(user=user, **details)


def change_owner(*, vehicle: Vehicle, customer: Customer) -> Vehicle:
    """Look for open tickets, and hand the vehicle over a moment later."""
    if vehicle.service_tickets.still_open().exists():
        raise InUse("This vehicle has an open service ticket.")
    think()
    vehicle.customer = customer
    vehicle.save(update_fields=["customer", "updated_at"])
    return vehicle


def add_vehicle(*, vehicle: Vehicle) -> Vehicle:
    """Look who owns it, and save it a moment later."""
    if vehicle.customer.erased_at:
        raise customers.OwnerChanged("The owner is no longer a customer.")
    think()
    vehicle.save()
    return vehicle


def update_vehicle(*, vehicle: Vehicle, **changes: Any) -> Vehicle:
    """Write what is new, whoever the owner is by now."""
    think()
    Vehicle.objects.filter(pk=vehicle.pk).update(**changes)
    return vehicle


# --- The cached list of mechanics -----------------------------------------------------


def cached_rendering(render: Callable[[], bytes], *, key: str, seconds: int) -> bytes:
    """Look for the list, and keep what was read for it a moment later."""
    kept: bytes | None = cache.get(key)
    if kept is not None:
        return kept
    rendered = render()
    think()
    cache.set(key, rendered, seconds)
    return rendered


def only_one() -> str:
    """Keep one list for ever, as there is somebody who forgets it in time."""
    return "the only one"


def save_and_forget(self: Mechanic, *args: Any, **kwargs: Any) -> None:
    """Delete what is cached after every write; the product has another id instead."""
    Model.save(self, *args, **kwargs)
    cache.clear()
