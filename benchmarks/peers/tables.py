"""The product's tables as SQLAlchemy sees them, for the Flask and the FastAPI peer.

Relationships load when they are looked at; what loads them earlier is said by a query.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, Column, DateTime, ForeignKey, String, Table, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from . import rules


class Moment(TypeDecorator[datetime]):
    """A time that knows it is UTC; the database keeps it without saying so."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> Any:
        return value and value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> Any:
        return value and value.replace(tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    type_annotation_map = {datetime: Moment}


memberships = Table(
    "accounts_user_groups",
    Base.metadata,
    Column("user_id", ForeignKey("accounts_user.id")),
    Column("group_id", ForeignKey("auth_group.id")),
)


class Group(Base):
    __tablename__ = "auth_group"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(150))


class User(Base):
    __tablename__ = "accounts_user"

    id: Mapped[int] = mapped_column(primary_key=True)
    password: Mapped[str]
    email: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]
    is_staff: Mapped[bool]
    is_active: Mapped[bool]

    groups: Mapped[list[Group]] = relationship(secondary=memberships)
    customer: Mapped[Customer | None] = relationship(back_populates="user")
    mechanic: Mapped[Mechanic | None] = relationship(back_populates="user")

    @property
    def role(self) -> str:
        names = {group.name for group in self.groups}
        return rules.role_of(names, is_staff=self.is_staff)


class Session(Base):
    __tablename__ = "accounts_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id"))
    refresh_jti: Mapped[str]
    auth_hash: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()


class Customer(Base):
    __tablename__ = "customers_customer"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_user.id"))
    first_name: Mapped[str]
    last_name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str]
    address: Mapped[str]
    city: Mapped[str]
    state: Mapped[str]
    postal_code: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]

    user: Mapped[User | None] = relationship(back_populates="customer")


class Vehicle(Base):
    __tablename__ = "customers_vehicle"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers_customer.id"))
    vin: Mapped[str | None]
    make: Mapped[str]
    model: Mapped[str]
    year: Mapped[int]
    license_plate: Mapped[str]

    customer: Mapped[Customer] = relationship()


class Mechanic(Base):
    __tablename__ = "mechanics_mechanic"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_user.id"))
    full_name: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str]
    salary: Mapped[int]
    is_active: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    user: Mapped[User | None] = relationship(back_populates="mechanic")
    ticket_mechanics: Mapped[list[TicketMechanic]] = relationship(
        back_populates="mechanic"
    )


class Part(Base):
    __tablename__ = "inventory_part"

    id: Mapped[int] = mapped_column(primary_key=True)
    part_number: Mapped[str]
    name: Mapped[str]
    description: Mapped[str]
    category: Mapped[str]
    manufacturer: Mapped[str]
    supplier: Mapped[str]
    current_cost_cents: Mapped[int]
    quantity_in_stock: Mapped[int]
    reorder_level: Mapped[int]
    is_active: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @property
    def price(self) -> float:
        return self.current_cost_cents / 100

    @property
    def needs_reorder(self) -> bool:
        return self.quantity_in_stock <= self.reorder_level


class StockMovement(Base):
    __tablename__ = "inventory_stockmovement"

    id: Mapped[int] = mapped_column(primary_key=True)
    part_id: Mapped[int] = mapped_column(ForeignKey("inventory_part.id"))
    ticket_id: Mapped[int | None] = mapped_column(
        ForeignKey("tickets_serviceticket.id")
    )
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id"))
    delta: Mapped[int]
    quantity_after: Mapped[int]
    reason: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=now)


class ServiceTicket(Base):
    __tablename__ = "tickets_serviceticket"

    id: Mapped[int] = mapped_column(primary_key=True)
    vehicle_id: Mapped[int] = mapped_column(ForeignKey("customers_vehicle.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers_customer.id"))
    status: Mapped[str] = mapped_column(default="open")
    priority: Mapped[int] = mapped_column(default=3)
    problem_description: Mapped[str]
    odometer_miles: Mapped[int]
    opened_at: Mapped[datetime] = mapped_column(default=now)
    closed_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(default=now)

    vehicle: Mapped[Vehicle] = relationship()
    customer: Mapped[Customer] = relationship()
    ticket_mechanics: Mapped[list[TicketMechanic]] = relationship(
        back_populates="ticket", order_by="TicketMechanic.id"
    )
    ticket_parts: Mapped[list[TicketPart]] = relationship(order_by="TicketPart.id")

    @property
    def is_closed(self) -> bool:
        return self.status in ("completed", "cancelled")

    @property
    def parts_total_cents(self) -> int:
        return sum(
            line.total_cost_cents
            for line in self.ticket_parts
            if line.returned_at is None
        )


class TicketMechanic(Base):
    __tablename__ = "tickets_ticketmechanic"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets_serviceticket.id"))
    mechanic_id: Mapped[int] = mapped_column(ForeignKey("mechanics_mechanic.id"))
    role: Mapped[str]
    minutes_worked: Mapped[int]

    ticket: Mapped[ServiceTicket] = relationship(back_populates="ticket_mechanics")
    mechanic: Mapped[Mechanic] = relationship(back_populates="ticket_mechanics")


class TicketPart(Base):
    __tablename__ = "tickets_ticketpart"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets_serviceticket.id"))
    part_id: Mapped[int] = mapped_column(ForeignKey("inventory_part.id"))
    quantity_used: Mapped[int]
    unit_cost_cents: Mapped[int]
    markup_percentage: Mapped[Decimal] = mapped_column(default=rules.DEFAULT_MARKUP)
    warranty_months: Mapped[int | None]
    installed_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("mechanics_mechanic.id")
    )
    installed_at: Mapped[datetime] = mapped_column(default=now)
    returned_at: Mapped[datetime | None]

    part: Mapped[Part] = relationship()

    @property
    def part_number(self) -> str:
        return self.part.part_number

    @property
    def part_name(self) -> str:
        return self.part.name

    @property
    def total_cost_cents(self) -> int:
        return rules.total_cost_cents(
            self.quantity_used, self.unit_cost_cents, self.markup_percentage
        )

    @property
    def warranty_expires_on(self) -> date | None:
        return rules.warranty_expires_on(self.installed_at, self.warranty_months)


class TicketEvent(Base):
    __tablename__ = "tickets_ticketevent"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets_serviceticket.id"))
    by_id: Mapped[int] = mapped_column(ForeignKey("accounts_user.id"))
    kind: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    visible_to_customer: Mapped[bool] = mapped_column(default=False)
