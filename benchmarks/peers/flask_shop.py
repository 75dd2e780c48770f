"""The shop the way small Flask systems are written.

ORM objects, relationships that load when a schema looks at them, lists that are counted
and filtered where it is the least to write, and the list of mechanics in a cache.
"""

from __future__ import annotations

import os
from functools import wraps
from secrets import token_hex

from flask import Blueprint, Flask, g, jsonify, request
from flask_caching import Cache
from marshmallow import Schema, fields
from sqlalchemy import create_engine
from sqlalchemy.orm import joinedload, scoped_session, sessionmaker

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

#: The systems that this one is modelled on trust the token and load nobody.
LOAD_USER = os.environ.get("LOAD_USER", "true") == "true"
PER_PAGE = 10

URL = os.environ["DATABASE_URL"].replace("mysql://", "mysql+mysqldb://")
engine = create_engine(f"{URL}?charset=utf8mb4")
db = scoped_session(sessionmaker(engine))
cache = Cache()
api = Blueprint("api", __name__, url_prefix="/api")


# --- Schemas --------------------------------------------------------------------------


class UTC(fields.DateTime):
    def _serialize(self, value, attr, obj, **kwargs):
        return value and value.isoformat().replace("+00:00", "Z")


class CustomerSchema(Schema):
    customer_id = fields.Integer(attribute="id")
    first_name = fields.String()
    last_name = fields.String()
    email = fields.String()
    phone = fields.String()
    address = fields.String()
    city = fields.String()
    state = fields.String()
    postal_code = fields.String()
    created_at = UTC()
    updated_at = UTC()


class MechanicSchema(Schema):
    mechanic_id = fields.Integer(attribute="id")
    full_name = fields.String()
    email = fields.String()
    phone = fields.String()
    salary = fields.Integer()
    is_active = fields.Boolean()
    created_at = UTC()
    updated_at = UTC()


class PartSchema(Schema):
    part_id = fields.Integer(attribute="id")
    part_number = fields.String()
    name = fields.String()
    description = fields.String()
    category = fields.String()
    manufacturer = fields.String()
    current_cost_cents = fields.Integer()
    price = fields.Float()
    quantity_in_stock = fields.Integer()
    reorder_level = fields.Integer()
    supplier = fields.String()
    is_active = fields.Boolean()
    needs_reorder = fields.Boolean()
    created_at = UTC()
    updated_at = UTC()


class BriefMechanicSchema(MechanicSchema):
    class Meta:
        fields = ("mechanic_id", "full_name", "is_active")


class BriefCustomerSchema(CustomerSchema):
    class Meta:
        fields = ("customer_id", "first_name", "last_name", "phone")


class BriefVehicleSchema(Schema):
    vehicle_id = fields.Integer(attribute="id")
    year = fields.Integer()
    make = fields.String()
    model = fields.String()
    license_plate = fields.String()
    vin = fields.String()


class TicketMechanicSchema(Schema):
    ticket_id = fields.Integer()
    mechanic_id = fields.Integer()
    role = fields.String()
    minutes_worked = fields.Integer()
    mechanic = fields.Nested(BriefMechanicSchema)


class TicketPartSchema(Schema):
    part_id = fields.Integer()
    part_number = fields.String()
    part_name = fields.String()
    quantity_used = fields.Integer()
    unit_cost_cents = fields.Integer()
    markup_percentage = fields.Float()
    total_cost_cents = fields.Integer()
    warranty_months = fields.Integer()
    warranty_expires_on = fields.Date()
    installed_date = UTC(attribute="installed_at")
    installed_by_mechanic_id = fields.Integer(attribute="installed_by_id")
    returned_at = UTC()


class TicketSchema(Schema):
    ticket_id = fields.Integer(attribute="id")
    vehicle_id = fields.Integer()
    customer_id = fields.Integer()
    status = fields.String()
    opened_at = UTC()
    closed_at = UTC()
    updated_at = UTC()
    problem_description = fields.String()
    odometer_miles = fields.Integer()
    priority = fields.Integer()
    parts_total_cents = fields.Integer()
    vehicle = fields.Nested(BriefVehicleSchema)
    customer = fields.Nested(BriefCustomerSchema)
    ticket_mechanics = fields.Nested(TicketMechanicSchema, many=True)
    ticket_parts = fields.Nested(TicketPartSchema, many=True)


class UserSchema(Schema):
    user_id = fields.Integer(attribute="id")
    email = fields.String()
    first_name = fields.String()
    last_name = fields.String()
    role = fields.String()
    is_staff = fields.Boolean()


class LoginSchema(Schema):
    email = fields.String(required=True)
    password = fields.String(required=True)


class NewTicketSchema(Schema):
    vehicle_id = fields.Integer(required=True)
    problem_description = fields.String(required=True)
    odometer_miles = fields.Integer(required=True)


class InstallSchema(Schema):
    quantity_used = fields.Integer(required=True)
    warranty_months = fields.Integer(load_default=None)


class EditSchema(Schema):
    add_ids = fields.List(fields.Integer(), load_default=list)
    remove_ids = fields.List(fields.Integer(), load_default=list)
    role = fields.String(load_default="Technician")
    minutes_worked = fields.Integer(load_default=0)


customer_schema, customers_schema = CustomerSchema(), CustomerSchema(many=True)
mechanics_schema = MechanicSchema(many=True)
part_schema, parts_schema = PartSchema(), PartSchema(many=True)
ticket_schema, tickets_schema = TicketSchema(), TicketSchema(many=True)
user_schema = UserSchema()


# --- Who asks -------------------------------------------------------------------------


def token_required(view):
    @wraps(view)
    def wrapper(*args, **kwargs):
        g.session_id = tokens.session_id_of(request.headers.get("Authorization"))
        if LOAD_USER:
            load_user()
        return view(*args, **kwargs)

    return wrapper


def load_user():
    session = (
        db.query(Session)
        .options(joinedload(Session.user))
        .filter(Session.id == g.session_id, Session.revoked_at.is_(None))
        .first()
    )
    if session is None or not session.user.is_active:
        raise tokens.Refused
    g.user = session.user
    return g.user


def signed_in_user():
    """Who writes has to be known, in the variant that loads nobody, too."""
    return g.user if "user" in g else load_user()


def paginate(query, name):
    page = request.args.get("page", 1, type=int)
    total = query.count()
    items = query.limit(PER_PAGE).offset((page - 1) * PER_PAGE).all()
    return items, pagination(name, page, PER_PAGE, total)


def get_or_404(model, pk):
    found = db.get(model, pk)
    if found is None:
        raise LookupError
    return found


# --- Reads ----------------------------------------------------------------------------


@api.get("/mechanics")
@token_required
@cache.cached(timeout=300)
def mechanics():
    return jsonify(
        mechanics_schema.dump(db.query(Mechanic).order_by(Mechanic.id).all())
    )


@api.get("/mechanics/by-activity")
@token_required
def by_activity():
    found = db.query(Mechanic).all()
    found.sort(key=lambda mechanic: (-len(mechanic.ticket_mechanics), mechanic.id))
    return jsonify(
        [
            {
                "mechanic_id": mechanic.id,
                "full_name": mechanic.full_name,
                "is_active": mechanic.is_active,
                "ticket_count": len(mechanic.ticket_mechanics),
            }
            for mechanic in found
        ]
    )


@api.get("/customers")
@token_required
def customers():
    query = db.query(Customer).filter(Customer.erased_at.is_(None))
    items, block = paginate(query.order_by(Customer.id), "customers")
    return jsonify(customers=customers_schema.dump(items), pagination=block)


@api.get("/customers/<int:pk>")
@token_required
def customer(pk):
    return jsonify(customer_schema.dump(get_or_404(Customer, pk)))


@api.get("/service-tickets")
@token_required
def tickets():
    query = db.query(ServiceTicket)
    if status := request.args.get("status"):
        query = query.filter(ServiceTicket.status == status)
    query = query.order_by(ServiceTicket.opened_at.desc(), ServiceTicket.id.desc())
    items, block = paginate(query, "service_tickets")
    return jsonify(service_tickets=tickets_schema.dump(items), pagination=block)


@api.get("/service-tickets/<int:pk>")
@token_required
def ticket(pk):
    return jsonify(ticket_schema.dump(get_or_404(ServiceTicket, pk)))


@api.get("/inventory")
@token_required
def inventory():
    parts = db.query(Part).filter(Part.is_active).order_by(Part.id).all()
    if request.args.get("low_stock") == "true":
        parts = [part for part in parts if part.needs_reorder]
    page = request.args.get("page", 1, type=int)
    items = parts[(page - 1) * PER_PAGE : page * PER_PAGE]
    block = pagination("parts", page, PER_PAGE, len(parts))
    return jsonify(parts=parts_schema.dump(items), pagination=block)


@api.get("/inventory/<int:pk>")
@token_required
def part(pk):
    return jsonify(part_schema.dump(get_or_404(Part, pk)))


@api.get("/auth/me")
@token_required
def me():
    user = signed_in_user()
    answer = {
        "customer_id": None,
        "mechanic_id": user.mechanic.id if user.mechanic else None,
        **user_schema.dump(user),
    }
    if user.customer:
        answer |= customer_schema.dump(user.customer)
    return jsonify(answer)


# --- Writes ---------------------------------------------------------------------------


@api.post("/auth/login")
def login():
    body = LoginSchema().load(request.get_json())
    user = db.query(User).filter_by(email=body["email"].lower()).first()
    if user is None or not user.is_active:
        raise tokens.Refused
    tokens.check_password(body["password"], user.password)
    session = Session(user_id=user.id, refresh_jti=token_hex(16))
    db.add(session)
    db.commit()
    customer_id = user.customer.id if user.customer else None
    pair = tokens.pair(session.id, session.refresh_jti, user.id, customer_id, user.role)
    return jsonify(
        message="Signed in.",
        customer=customer_schema.dump(user.customer) if user.customer else None,
        user=user_schema.dump(user),
        **pair,
    )


def record(ticket, kind, detail, *, visible=False):
    ticket.updated_at = now()
    db.add(
        TicketEvent(
            ticket_id=ticket.id,
            kind=kind,
            by_id=signed_in_user().id,
            detail=detail,
            visible_to_customer=visible,
        )
    )


@api.post("/service-tickets")
@token_required
def create_ticket():
    body = NewTicketSchema().load(request.get_json())
    vehicle = get_or_404(Vehicle, body["vehicle_id"])
    ticket = ServiceTicket(customer_id=vehicle.customer_id, **body)
    db.add(ticket)
    db.flush()
    record(ticket, "opened", {"status": "open"}, visible=True)
    db.commit()
    return jsonify(ticket_schema.dump(ticket)), 201


@api.post("/service-tickets/<int:pk>/parts/<int:part_id>")
@token_required
def install_part(pk, part_id):
    body = InstallSchema().load(request.get_json())
    ticket = get_or_404(ServiceTicket, pk)
    part = get_or_404(Part, part_id)
    quantity = body["quantity_used"]
    if ticket.is_closed or any(line.part_id == part_id for line in ticket.ticket_parts):
        return jsonify(error="409 Conflict"), 409
    taken = (
        db.query(Part)
        .filter(Part.id == part_id, Part.quantity_in_stock >= quantity)
        .update({"quantity_in_stock": Part.quantity_in_stock - quantity})
    )
    if not taken:
        return jsonify(error="409 Conflict"), 409
    db.refresh(part)
    part.updated_at = now()
    db.add(
        StockMovement(
            part_id=part_id,
            ticket_id=pk,
            by_id=signed_in_user().id,
            delta=-quantity,
            quantity_after=part.quantity_in_stock,
            reason="install",
        )
    )
    line = TicketPart(
        ticket_id=pk, part=part, unit_cost_cents=part.current_cost_cents, **body
    )
    db.add(line)
    db.flush()
    detail = {
        "part_id": part_id,
        "part_number": part.part_number,
        "part_name": part.name,
        "quantity_used": quantity,
        "unit_cost_cents": line.unit_cost_cents,
        "total_cost_cents": line.total_cost_cents,
    }
    record(ticket, "part_installed", detail)
    db.commit()
    answer = {
        "message": f"{quantity} × {part.name} installed.",
        "ticket_id": pk,
        "part_id": part_id,
        "part_name": part.name,
        "quantity_used": quantity,
        "unit_cost_cents": line.unit_cost_cents,
        "total_cost": line.total_cost_cents / 100,
        "total_cost_cents": line.total_cost_cents,
        "remaining_stock": part.quantity_in_stock,
    }
    return jsonify(answer), 201


@api.put("/service-tickets/<int:pk>/edit")
@token_required
def edit(pk):
    body = EditSchema().load(request.get_json())
    ticket = get_or_404(ServiceTicket, pk)
    if ticket.is_closed:
        return jsonify(error="409 Conflict"), 409
    added, removed, unchanged = [], [], []
    present = {row.mechanic_id: row for row in ticket.ticket_mechanics}
    for mechanic_id in body["remove_ids"]:
        mechanic = get_or_404(Mechanic, mechanic_id)
        if mechanic_id not in present:
            unchanged.append(mechanic_id)
            continue
        row = present[mechanic_id]
        detail = detail_of(mechanic, row.role, row.minutes_worked)
        record(ticket, "mechanic_removed", detail)
        db.delete(row)
        removed.append(mechanic_id)
    for mechanic_id in body["add_ids"]:
        mechanic = get_or_404(Mechanic, mechanic_id)
        if mechanic_id in present:
            unchanged.append(mechanic_id)
            continue
        minutes = body["minutes_worked"]
        row = TicketMechanic(
            ticket_id=pk,
            mechanic_id=mechanic_id,
            role=body["role"],
            minutes_worked=minutes,
        )
        db.add(row)
        detail = detail_of(mechanic, body["role"], minutes)
        record(ticket, "mechanic_assigned", detail)
        added.append(mechanic_id)
    db.commit()
    return jsonify(
        message=f"{len(added)} added, {len(removed)} removed.",
        ticket_id=pk,
        added_mechanics=sorted(added),
        removed_mechanics=sorted(removed),
        unchanged=sorted(unchanged),
        ticket=ticket_schema.dump(ticket),
    )


def detail_of(mechanic, role, minutes):
    return {
        "mechanic_id": mechanic.id,
        "full_name": mechanic.full_name,
        "role": role,
        "minutes_worked": minutes,
    }


# --- The application ------------------------------------------------------------------


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["CACHE_TYPE"] = "RedisCache"
    app.config["CACHE_REDIS_URL"] = os.environ["REDIS_URL"]
    app.config["CACHE_KEY_PREFIX"] = f"flask:{LOAD_USER}:"
    cache.init_app(app)
    app.register_blueprint(api)
    app.teardown_appcontext(lambda error: db.remove())
    app.register_error_handler(
        tokens.Refused, lambda error: (jsonify(error="401 Unauthorized"), 401)
    )
    app.register_error_handler(
        LookupError, lambda error: (jsonify(error="404 Not Found"), 404)
    )
    return app
