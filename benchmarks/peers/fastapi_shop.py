"""The shop as a good FastAPI service: typed models, eager loading, pools, fast JSON.

What waits for nothing runs in the event loop; an endpoint is one visit to the thread
pool, with one session. Reads go to a pool that commits by itself, so that no statement
is spent on transactions that have nothing to keep together.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from decimal import Decimal
from secrets import token_hex
from typing import Annotated, Any

import anyio.to_thread
import redis
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from sqlalchemy import Select, create_engine, func, select, update
from sqlalchemy.orm import Session as Unit
from sqlalchemy.orm import contains_eager, joinedload, selectinload, sessionmaker

from . import tokens
from .rules import pagination
from .tables import (
    Customer,
    Mechanic,
    Part,
    ServiceTicket,
    Session,
    StockMovement,
    TicketEvent,
    TicketMechanic,
    TicketPart,
    User,
    Vehicle,
    now,
)

THREADS = int(os.environ["THREADS"])
PER_PAGE = 10
CACHE_SECONDS = 300
CACHED_MECHANICS = "fastapi:mechanics"

URL = os.environ["DATABASE_URL"].replace("mysql://", "mysql+mysqldb://")
URL += "?charset=utf8mb4"
POOL: dict[str, Any] = {"pool_size": THREADS, "pool_recycle": 1_800}
reading = create_engine(
    URL,
    isolation_level="AUTOCOMMIT",
    skip_autocommit_rollback=True,
    pool_reset_on_return=None,
    **POOL,
)
writing = create_engine(URL, isolation_level="READ COMMITTED", **POOL)
Reading = sessionmaker(reading, autoflush=False, expire_on_commit=False)
Writing = sessionmaker(writing, expire_on_commit=False)
cache = redis.Redis.from_url(os.environ["REDIS_URL"])


# --- Models ---------------------------------------------------------------------------


class Model(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class CustomerOut(Model):
    customer_id: int = Field(validation_alias="id")
    first_name: str
    last_name: str
    email: str | None
    phone: str
    address: str
    city: str
    state: str
    postal_code: str
    created_at: datetime
    updated_at: datetime


class MechanicOut(Model):
    mechanic_id: int = Field(validation_alias="id")
    full_name: str
    email: str
    phone: str
    salary: int
    is_active: bool
    created_at: datetime
    updated_at: datetime


class RankedMechanic(Model):
    mechanic_id: int
    full_name: str
    is_active: bool
    ticket_count: int


class PartOut(Model):
    part_id: int = Field(validation_alias="id")
    part_number: str
    name: str
    description: str
    category: str
    manufacturer: str
    current_cost_cents: int
    price: float
    quantity_in_stock: int
    reorder_level: int
    supplier: str
    is_active: bool
    needs_reorder: bool
    created_at: datetime
    updated_at: datetime


class BriefMechanic(Model):
    mechanic_id: int = Field(validation_alias="id")
    full_name: str
    is_active: bool


class BriefCustomer(Model):
    customer_id: int = Field(validation_alias="id")
    first_name: str
    last_name: str
    phone: str


class BriefVehicle(Model):
    vehicle_id: int = Field(validation_alias="id")
    year: int
    make: str
    model: str
    license_plate: str
    vin: str | None


class AssignmentOut(Model):
    ticket_id: int
    mechanic_id: int
    role: str
    minutes_worked: int
    mechanic: BriefMechanic


class LineOut(Model):
    part_id: int
    part_number: str
    part_name: str
    quantity_used: int
    unit_cost_cents: int
    markup_percentage: float
    total_cost_cents: int
    warranty_months: int | None
    warranty_expires_on: date | None
    installed_date: datetime = Field(validation_alias="installed_at")
    installed_by_mechanic_id: int | None = Field(validation_alias="installed_by_id")
    returned_at: datetime | None


class TicketOut(Model):
    ticket_id: int = Field(validation_alias="id")
    vehicle_id: int
    customer_id: int
    status: str
    opened_at: datetime
    closed_at: datetime | None
    updated_at: datetime
    problem_description: str
    odometer_miles: int
    priority: int
    parts_total_cents: int
    vehicle: BriefVehicle
    customer: BriefCustomer
    ticket_mechanics: list[AssignmentOut]
    ticket_parts: list[LineOut]


class UserOut(Model):
    user_id: int = Field(validation_alias="id")
    email: str
    first_name: str
    last_name: str
    role: str
    is_staff: bool


class SignedIn(Model):
    message: str
    access_token: str
    refresh_token: str
    customer: CustomerOut | None
    user: UserOut


class CustomerPage(Model):
    customers: list[CustomerOut]
    pagination: dict[str, int | bool]


class TicketPage(Model):
    service_tickets: list[TicketOut]
    pagination: dict[str, int | bool]


class PartPage(Model):
    parts: list[PartOut]
    pagination: dict[str, int | bool]


class LoginIn(BaseModel):
    email: str = Field(max_length=254)
    password: str = Field(max_length=128)


class TicketIn(BaseModel):
    vehicle_id: int
    problem_description: str = Field(min_length=1, max_length=5_000)
    odometer_miles: int = Field(ge=0, le=2_000_000)
    priority: int = Field(default=3, ge=1, le=5)


class InstallIn(BaseModel):
    quantity_used: int = Field(ge=1, le=1_000_000)
    markup_percentage: Decimal = Field(default=Decimal(30), ge=0, le=Decimal("999.99"))
    warranty_months: int | None = Field(default=None, ge=0, le=600)


class EditIn(BaseModel):
    add_ids: list[int] = []
    remove_ids: list[int] = []
    role: str = Field(default="Technician", max_length=100)
    minutes_worked: int = Field(default=0, ge=0, le=100_000)


class InstalledOut(Model):
    message: str
    ticket_id: int
    part_id: int
    part_name: str
    quantity_used: int
    unit_cost_cents: int
    total_cost: float
    total_cost_cents: int
    remaining_stock: int


class EditedOut(Model):
    message: str
    ticket_id: int
    added_mechanics: list[int]
    removed_mechanics: list[int]
    unchanged: list[int]
    ticket: TicketOut


mechanics_list = TypeAdapter(list[MechanicOut])


# --- Who asks -------------------------------------------------------------------------


async def session_id(authorization: Annotated[str | None, Header()] = None) -> int:
    """Check the token; that needs no thread."""
    try:
        return tokens.session_id_of(authorization)
    except tokens.Refused as error:
        raise HTTPException(401) from error


Caller = Annotated[int, Depends(session_id)]
Page = Annotated[int, Query(ge=1)]

ALIVE = (
    select(User)
    .join(Session, Session.user_id == User.id)
    .where(Session.revoked_at.is_(None), User.is_active)
)


def user_of(unit: Unit, caller: int) -> User:
    user = unit.scalar(ALIVE.where(Session.id == caller))
    if user is None:
        raise HTTPException(401)
    return user


# --- Queries --------------------------------------------------------------------------

TICKETS = select(ServiceTicket).options(
    joinedload(ServiceTicket.vehicle, innerjoin=True),
    joinedload(ServiceTicket.customer, innerjoin=True),
    selectinload(ServiceTicket.ticket_mechanics).joinedload(
        TicketMechanic.mechanic, innerjoin=True
    ),
    selectinload(ServiceTicket.ticket_parts).joinedload(
        TicketPart.part, innerjoin=True
    ),
)
NEWEST = (ServiceTicket.opened_at.desc(), ServiceTicket.id.desc())
WITH_PEOPLE = (
    joinedload(User.customer),
    joinedload(User.mechanic),
    selectinload(User.groups),
)


def page_of(
    unit: Unit, rows: Select[Any], count: Select[Any], name: str, page: int
) -> tuple[list[Any], dict[str, object]]:
    total = unit.scalar(count) or 0
    found = unit.scalars(rows.limit(PER_PAGE).offset((page - 1) * PER_PAGE))
    return list(found), pagination(name, page, PER_PAGE, total)


def found_or_404(found: Any) -> Any:
    if found is None:
        raise HTTPException(404)
    return found


def lock_open(unit: Unit, pk: int) -> ServiceTicket:
    rows = select(ServiceTicket).where(ServiceTicket.id == pk).with_for_update()
    ticket: ServiceTicket = found_or_404(unit.scalar(rows))
    if ticket.is_closed:
        raise HTTPException(409)
    return ticket


# --- Reads ----------------------------------------------------------------------------

api = APIRouter(prefix="/api")


@api.get("/mechanics", response_model=list[MechanicOut])
def mechanics(caller: Caller) -> Response:
    with Reading() as unit:
        user_of(unit, caller)
        rendered = cache.get(CACHED_MECHANICS)
        if rendered is None:
            found = unit.scalars(select(Mechanic).order_by(Mechanic.id))
            rendered = mechanics_list.dump_json(
                mechanics_list.validate_python(list(found))
            )
            cache.set(CACHED_MECHANICS, rendered, CACHE_SECONDS)
    return Response(rendered, media_type="application/json")


@api.get("/mechanics/by-activity")
def by_activity(caller: Caller) -> list[RankedMechanic]:
    count = func.count(TicketMechanic.id).label("ticket_count")
    rows = (
        select(
            Mechanic.id.label("mechanic_id"),
            Mechanic.full_name,
            Mechanic.is_active,
            count,
        )
        .outerjoin(TicketMechanic, TicketMechanic.mechanic_id == Mechanic.id)
        .group_by(Mechanic.id)
        .order_by(count.desc(), Mechanic.id)
    )
    with Reading() as unit:
        user_of(unit, caller)
        return unit.execute(rows).all()


@api.get("/customers")
def customers(caller: Caller, page: Page = 1) -> CustomerPage:
    kept = Customer.erased_at.is_(None)
    with Reading() as unit:
        user_of(unit, caller)
        rows = select(Customer).where(kept).order_by(Customer.id)
        count = select(func.count(Customer.id)).where(kept)
        found, block = page_of(unit, rows, count, "customers", page)
        return {"customers": found, "pagination": block}


@api.get("/customers/{pk}")
def customer(caller: Caller, pk: int) -> CustomerOut:
    with Reading() as unit:
        user_of(unit, caller)
        row = select(Customer).where(Customer.id == pk, Customer.erased_at.is_(None))
        return found_or_404(unit.scalar(row))


@api.get("/service-tickets")
def tickets(caller: Caller, page: Page = 1, status: str | None = None) -> TicketPage:
    keys, count = select(ServiceTicket.id), select(func.count(ServiceTicket.id))
    if status:
        wanted = ServiceTicket.status.in_(status.split(","))
        keys, count = keys.where(wanted), count.where(wanted)
    with Reading() as unit:
        user_of(unit, caller)
        ids, block = page_of(
            unit, keys.order_by(*NEWEST), count, "service_tickets", page
        )
        # Joined to its vehicle and customer is what is shown: MariaDB would join and
        # sort all tickets for one statement.
        rows = TICKETS.where(ServiceTicket.id.in_(ids)).order_by(*NEWEST)
        return {"service_tickets": list(unit.scalars(rows)), "pagination": block}


@api.get("/service-tickets/{pk}")
def ticket(caller: Caller, pk: int) -> TicketOut:
    with Reading() as unit:
        user_of(unit, caller)
        return found_or_404(unit.scalar(TICKETS.where(ServiceTicket.id == pk)))


@api.get("/inventory")
def inventory(caller: Caller, page: Page = 1, low_stock: bool = False) -> PartPage:
    rows = select(Part).where(Part.is_active).order_by(Part.id)
    count = select(func.count(Part.id)).where(Part.is_active)
    if low_stock:
        low = Part.quantity_in_stock <= Part.reorder_level
        rows, count = rows.where(low), count.where(low)
    with Reading() as unit:
        user_of(unit, caller)
        found, block = page_of(unit, rows, count, "parts", page)
        return {"parts": found, "pagination": block}


@api.get("/inventory/{pk}")
def part(caller: Caller, pk: int) -> PartOut:
    with Reading() as unit:
        user_of(unit, caller)
        return found_or_404(unit.get(Part, pk))


@api.get("/auth/me", response_model=None)
def me(caller: Caller) -> dict[str, Any]:
    with Reading() as unit:
        row = ALIVE.where(Session.id == caller).options(*WITH_PEOPLE)
        user = unit.scalar(row)
        if user is None:
            raise HTTPException(401)
        answer = {
            **UserOut.model_validate(user).model_dump(),
            "customer_id": None,
            "mechanic_id": user.mechanic.id if user.mechanic else None,
        }
        if user.customer:
            answer |= CustomerOut.model_validate(user.customer).model_dump()
        return answer


# --- Writes ---------------------------------------------------------------------------


@api.post("/auth/login")
def login(body: LoginIn) -> SignedIn:
    with Writing() as unit:
        row = select(User).where(User.email == body.email.strip().lower())
        user = unit.scalar(row.options(*WITH_PEOPLE))
        unit.rollback()  # nothing is held while the password is hashed
        if user is None or not user.is_active:
            raise HTTPException(401)
        try:
            tokens.check_password(body.password, user.password)
        except tokens.Refused as error:
            raise HTTPException(401) from error
        session = Session(user_id=user.id, refresh_jti=token_hex(16))
        unit.add(session)
        unit.commit()
        customer = user.customer
        customer_id = customer.id if customer else None
        pair = tokens.pair(
            session.id, session.refresh_jti, user.id, customer_id, user.role
        )
        return {"message": "Signed in.", "customer": customer, "user": user, **pair}


def record(
    unit: Unit,
    ticket: ServiceTicket,
    kind: str,
    by: User,
    detail: dict[str, Any],
    *,
    visible: bool = False,
) -> None:
    ticket.updated_at = now()
    unit.add(
        TicketEvent(
            ticket_id=ticket.id,
            kind=kind,
            by_id=by.id,
            detail=detail,
            visible_to_customer=visible,
        )
    )


@api.post("/service-tickets", status_code=201)
def create_ticket(caller: Caller, body: TicketIn) -> TicketOut:
    with Writing() as unit:
        user = user_of(unit, caller)
        rows = (
            select(Vehicle)
            .join(Vehicle.customer)
            .options(contains_eager(Vehicle.customer))
            .where(Vehicle.id == body.vehicle_id)
            .with_for_update()
        )
        vehicle = found_or_404(unit.scalar(rows))
        created = ServiceTicket(
            **body.model_dump(exclude={"vehicle_id"}),
            vehicle=vehicle,
            customer=vehicle.customer,
            closed_at=None,
            ticket_mechanics=[],
            ticket_parts=[],
        )
        unit.add(created)
        unit.flush()
        record(unit, created, "opened", user, {"status": "open"}, visible=True)
        unit.commit()
        return created


@api.post("/service-tickets/{pk}/parts/{part_id}", status_code=201)
def install_part(
    caller: Caller, pk: int, part_id: int, body: InstallIn
) -> InstalledOut:
    with Writing() as unit:
        user = user_of(unit, caller)
        ticket = lock_open(unit, pk)
        present = select(TicketPart.id).where(
            TicketPart.ticket_id == pk, TicketPart.part_id == part_id
        )
        if unit.scalar(present):
            raise HTTPException(409)
        taken = unit.execute(
            update(Part)
            .where(
                Part.id == part_id,
                Part.quantity_in_stock >= body.quantity_used,
                Part.is_active,
            )
            .values(
                quantity_in_stock=Part.quantity_in_stock - body.quantity_used,
                updated_at=now(),
            )
            .execution_options(synchronize_session=False)
        )
        if not taken.rowcount:
            raise HTTPException(409)
        part = unit.get_one(Part, part_id)
        unit.add(
            StockMovement(
                part_id=part_id,
                ticket_id=pk,
                by_id=user.id,
                delta=-body.quantity_used,
                quantity_after=part.quantity_in_stock,
                reason="install",
            )
        )
        line = TicketPart(
            ticket_id=pk,
            part=part,
            unit_cost_cents=part.current_cost_cents,
            **body.model_dump(),
        )
        unit.add(line)
        total = line.total_cost_cents
        detail = {
            "part_id": part_id,
            "part_number": part.part_number,
            "part_name": part.name,
            "quantity_used": body.quantity_used,
            "unit_cost_cents": line.unit_cost_cents,
            "total_cost_cents": total,
        }
        record(unit, ticket, "part_installed", user, detail)
        unit.commit()
        return {
            "message": f"{body.quantity_used} × {part.name} installed.",
            "ticket_id": pk,
            "part_id": part_id,
            "part_name": part.name,
            "quantity_used": body.quantity_used,
            "unit_cost_cents": line.unit_cost_cents,
            "total_cost": total / 100,
            "total_cost_cents": total,
            "remaining_stock": part.quantity_in_stock,
        }


@api.put("/service-tickets/{pk}/edit")
def edit(caller: Caller, pk: int, body: EditIn) -> EditedOut:
    with Writing() as unit:
        user = user_of(unit, caller)
        ticket = lock_open(unit, pk)
        ids = {*body.add_ids, *body.remove_ids}
        found = unit.scalars(select(Mechanic).where(Mechanic.id.in_(ids)))
        mechanics = {mechanic.id: mechanic for mechanic in found}
        if mechanics.keys() != ids:
            raise HTTPException(400)
        rows = select(TicketMechanic).where(TicketMechanic.ticket_id == pk)
        present = {row.mechanic_id: row for row in unit.scalars(rows)}
        to_add = sorted(set(body.add_ids) - present.keys())
        to_remove = sorted(set(body.remove_ids) & present.keys())
        for mechanic_id in to_remove:
            row = present[mechanic_id]
            detail = detail_of(mechanics[mechanic_id], row.role, row.minutes_worked)
            record(unit, ticket, "mechanic_removed", user, detail)
            unit.delete(row)
        for mechanic_id in to_add:
            row = TicketMechanic(
                ticket_id=pk,
                mechanic_id=mechanic_id,
                role=body.role,
                minutes_worked=body.minutes_worked,
            )
            unit.add(row)
            detail = detail_of(mechanics[mechanic_id], body.role, body.minutes_worked)
            record(unit, ticket, "mechanic_assigned", user, detail)
        unit.flush()
        again = TICKETS.where(ServiceTicket.id == pk)
        shown = unit.scalar(again.execution_options(populate_existing=True))
        unit.commit()
        return {
            "message": f"{len(to_add)} added, {len(to_remove)} removed.",
            "ticket_id": pk,
            "added_mechanics": to_add,
            "removed_mechanics": to_remove,
            "unchanged": sorted(ids - {*to_add, *to_remove}),
            "ticket": shown,
        }


def detail_of(mechanic: Mechanic, role: str, minutes: int) -> dict[str, Any]:
    return {
        "mechanic_id": mechanic.id,
        "full_name": mechanic.full_name,
        "role": role,
        "minutes_worked": minutes,
    }


# --- The application ------------------------------------------------------------------


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    yield


app = FastAPI(lifespan=lifespan)
app.include_router(api)
