"""How fast Python can be here: no framework, the SQL by hand, under gunicorn.

It asks the database what the product asks for the rows of an answer, on one connection
for each thread, and writes JSON with orjson. It checks no body and no permission.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime
from secrets import token_hex
from urllib.parse import parse_qs, unquote, urlsplit

import MySQLdb
import orjson
import redis
from MySQLdb.cursors import DictCursor

from benchmarks.peers import tokens
from benchmarks.peers.rules import (
    DEFAULT_MARKUP,
    pagination,
    role_of,
    total_cost_cents,
    warranty_expires_on,
)
from benchmarks.peers.tokens import Refused

PER_PAGE = 10
CACHE_SECONDS = 300
OPTIONS = orjson.OPT_UTC_Z
local = threading.local()
cache = redis.Redis.from_url(os.environ["REDIS_URL"])


# --- The database ---------------------------------------------------------------------


def connection():
    if not hasattr(local, "connection"):
        url = urlsplit(os.environ["DATABASE_URL"])
        local.connection = MySQLdb.connect(
            host=url.hostname,
            port=url.port or 3306,
            user=url.username,
            password=unquote(url.password or ""),
            database=url.path[1:],
            charset="utf8mb4",
            autocommit=True,
            cursorclass=DictCursor,
            init_command="SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        )
    return local.connection


def rows(sql, *values):
    cursor = connection().cursor()
    cursor.execute(sql, values)
    return cursor.fetchall()


def row(sql, *values):
    found = rows(sql, *values)
    return found[0] if found else None


def write(sql, *values):
    cursor = connection().cursor()
    cursor.execute(sql, values)
    return cursor.lastrowid


@contextmanager
def transaction():
    write("START TRANSACTION")
    try:
        yield
    except BaseException:
        connection().rollback()
        raise
    connection().commit()


def now():
    return datetime.now(UTC).replace(tzinfo=None)


def placeholders(values):
    return ", ".join(["%s"] * len(values))


# --- Who asks -------------------------------------------------------------------------

#: With the rights, which the product reads along; nobody asks for them here.
USER = """
    SELECT u.*, s.id AS session_id,
        (SELECT JSON_ARRAYAGG(p.permission_id) FROM auth_group AS g
            JOIN accounts_user_groups AS m ON m.group_id = g.id
            LEFT JOIN auth_group_permissions AS p ON p.group_id = g.id
            WHERE m.user_id = s.user_id) AS group_rights,
        (SELECT JSON_ARRAYAGG(p.id) FROM auth_permission AS p
            JOIN accounts_user_user_permissions AS m ON m.permission_id = p.id
            WHERE m.user_id = s.user_id) AS own_rights
    FROM accounts_session AS s
    JOIN accounts_user AS u ON u.id = s.user_id
    WHERE s.id = %s AND s.revoked_at IS NULL AND u.is_active
"""


def user_of(environ):
    session = tokens.session_id_of(environ.get("HTTP_AUTHORIZATION"))
    user = row(USER, session)
    if user is None:
        raise Refused
    return user


def role(user):
    groups = rows(
        "SELECT g.name FROM auth_group AS g JOIN accounts_user_groups AS m"
        " ON m.group_id = g.id WHERE m.user_id = %s",
        user["id"],
    )
    names = {group["name"] for group in groups}
    return role_of(names, is_staff=bool(user["is_staff"]))


# --- Shapes ---------------------------------------------------------------------------

CUSTOMER = (
    "id AS customer_id, first_name, last_name, email, phone, address, city, state,"
    " postal_code, created_at, updated_at"
)
MECHANIC = (
    "id AS mechanic_id, full_name, email, phone, salary, is_active, created_at,"
    " updated_at"
)
PART = (
    "id AS part_id, part_number, name, description, category, manufacturer,"
    " current_cost_cents, quantity_in_stock, reorder_level, supplier, is_active,"
    " created_at, updated_at"
)
TICKET = """
    SELECT t.id, t.vehicle_id, t.customer_id, t.status, t.opened_at, t.closed_at,
        t.updated_at, t.problem_description, t.odometer_miles, t.priority,
        v.year, v.make, v.model, v.license_plate, v.vin,
        c.first_name, c.last_name, c.phone {}
    FROM tickets_serviceticket AS t
    JOIN customers_vehicle AS v ON v.id = t.vehicle_id
    JOIN customers_customer AS c ON c.id = t.customer_id
"""
ASSIGNMENTS = """
    SELECT a.ticket_id, a.mechanic_id, a.role, a.minutes_worked, m.full_name,
        m.is_active
    FROM tickets_ticketmechanic AS a
    JOIN mechanics_mechanic AS m ON m.id = a.mechanic_id
    WHERE a.ticket_id IN ({}) ORDER BY a.id
"""
LINES = """
    SELECT l.ticket_id, l.part_id, p.part_number, p.name, l.quantity_used,
        l.unit_cost_cents, l.markup_percentage, l.warranty_months, l.installed_at,
        l.installed_by_id, l.returned_at
    FROM tickets_ticketpart AS l JOIN inventory_part AS p ON p.id = l.part_id
    WHERE l.ticket_id IN ({}) ORDER BY l.id
"""


def part_of(found):
    found["price"] = found["current_cost_cents"] / 100
    found["is_active"] = bool(found["is_active"])
    found["needs_reorder"] = found["quantity_in_stock"] <= found["reorder_level"]
    return found


def tickets_of(found):
    """Put together tickets of which the rows are there; the rest takes two queries."""
    ids = [ticket["id"] for ticket in found]
    if not ids:
        return []
    marks = placeholders(ids)
    mechanics, parts = defaultdict(list), defaultdict(list)
    for assignment in rows(ASSIGNMENTS.format(marks), *ids):
        mechanics[assignment["ticket_id"]].append(assignment_of(assignment))
    for line in rows(LINES.format(marks), *ids):
        parts[line["ticket_id"]].append(line_of(line))
    return [
        ticket_of(ticket, mechanics[ticket["id"]], parts[ticket["id"]])
        for ticket in found
    ]


def ticket_of(ticket, mechanics, parts):
    return {
        "ticket_id": ticket["id"],
        "vehicle_id": ticket["vehicle_id"],
        "customer_id": ticket["customer_id"],
        "status": ticket["status"],
        "opened_at": ticket["opened_at"],
        "closed_at": ticket["closed_at"],
        "updated_at": ticket["updated_at"],
        "problem_description": ticket["problem_description"],
        "odometer_miles": ticket["odometer_miles"],
        "priority": ticket["priority"],
        "parts_total_cents": sum(
            part["total_cost_cents"] for part in parts if part["returned_at"] is None
        ),
        "vehicle": {
            "vehicle_id": ticket["vehicle_id"],
            "year": ticket["year"],
            "make": ticket["make"],
            "model": ticket["model"],
            "license_plate": ticket["license_plate"],
            "vin": ticket["vin"],
        },
        "customer": {
            "customer_id": ticket["customer_id"],
            "first_name": ticket["first_name"],
            "last_name": ticket["last_name"],
            "phone": ticket["phone"],
        },
        "ticket_mechanics": mechanics,
        "ticket_parts": parts,
    }


def assignment_of(found):
    return {
        "ticket_id": found["ticket_id"],
        "mechanic_id": found["mechanic_id"],
        "role": found["role"],
        "minutes_worked": found["minutes_worked"],
        "mechanic": {
            "mechanic_id": found["mechanic_id"],
            "full_name": found["full_name"],
            "is_active": bool(found["is_active"]),
        },
    }


def line_of(found):
    quantity, cost = found["quantity_used"], found["unit_cost_cents"]
    markup, months = found["markup_percentage"], found["warranty_months"]
    installed_at = found["installed_at"]
    return {
        "part_id": found["part_id"],
        "part_number": found["part_number"],
        "part_name": found["name"],
        "quantity_used": quantity,
        "unit_cost_cents": cost,
        "markup_percentage": float(markup),
        "total_cost_cents": total_cost_cents(quantity, cost, markup),
        "warranty_months": months,
        "warranty_expires_on": warranty_expires_on(installed_at, months),
        "installed_date": installed_at,
        "installed_by_mechanic_id": found["installed_by_id"],
        "returned_at": found["returned_at"],
    }


def page_of(query):
    """Return the page that is asked for, and where it begins."""
    page = int(query.get("page", ["1"])[0])
    return page, (page - 1) * PER_PAGE


def page_with(name, found, page, shown=list):
    """Answer with rows, of which each says how many there are in all."""
    total = found[0]["total"] if found else 0
    for each in found:
        del each["total"]
    block = pagination(name, page, PER_PAGE, total)
    return 200, {name: shown(found), "pagination": block}


# --- Reads ----------------------------------------------------------------------------


def mechanics(request):
    version = row("SELECT generation FROM mechanics_mechaniclistversion WHERE id = 1")
    key = f"limit:mechanics:{version and version['generation']}"
    known = cache.get(key)
    if known is not None:
        return 200, known
    found = rows(f"SELECT {MECHANIC} FROM mechanics_mechanic ORDER BY id")
    for mechanic in found:
        mechanic["is_active"] = bool(mechanic["is_active"])
    rendered = dump(found)
    cache.set(key, rendered, CACHE_SECONDS)
    return 200, rendered


def by_activity(request):
    found = rows("""
        SELECT m.id AS mechanic_id, m.full_name, m.is_active,
            COUNT(a.id) AS ticket_count
        FROM mechanics_mechanic AS m
        LEFT JOIN tickets_ticketmechanic AS a ON a.mechanic_id = m.id
        GROUP BY m.id ORDER BY ticket_count DESC, m.id
    """)
    for mechanic in found:
        mechanic["is_active"] = bool(mechanic["is_active"])
    return 200, found


def customers(request):
    page, start = page_of(request.query)
    where = "FROM customers_customer WHERE erased_at IS NULL"
    shown = f"SELECT {CUSTOMER}, (SELECT COUNT(*) {where}) AS total"
    if start:
        keys = f"SELECT id {where} ORDER BY id LIMIT %s OFFSET %s"
        among = f"WHERE id IN (SELECT * FROM ({keys}) AS page)"
        found = rows(
            f"{shown} FROM customers_customer {among} ORDER BY id", PER_PAGE, start
        )
    else:
        found = rows(f"{shown} {where} ORDER BY id LIMIT %s", PER_PAGE)
    return page_with("customers", found, page)


def customer(request, pk):
    where = "FROM customers_customer WHERE id = %s AND erased_at IS NULL"
    return found_or_404(row(f"SELECT {CUSTOMER} {where}", pk))


def tickets(request):
    status = request.query.get("status")
    where, values = ("WHERE t.status = %s", status) if status else ("", [])
    page, start = page_of(request.query)
    among = f"FROM tickets_serviceticket AS t {where}"
    order = "ORDER BY t.opened_at DESC, t.id DESC"
    keys = f"SELECT t.id {among} {order} LIMIT %s OFFSET %s"
    found = rows(
        TICKET.format(f", (SELECT COUNT(*) {among}) AS total")
        + f"WHERE t.id IN (SELECT * FROM ({keys}) AS page) {order}",
        *(*values, *values, PER_PAGE, start),
    )
    return page_with("service_tickets", found, page, tickets_of)


def ticket(request, pk):
    found = tickets_of(rows(f"{TICKET.format('')} WHERE t.id = %s", pk))
    return found_or_404(found[0] if found else None)


def low_stock(request):
    page, start = page_of(request.query)
    where = "FROM inventory_part WHERE is_low = 1 AND is_active = 1"
    found = rows(
        f"SELECT {PART}, (SELECT COUNT(*) {where}) AS total {where}"
        " ORDER BY id LIMIT %s OFFSET %s",
        *(PER_PAGE, start),
    )
    return page_with("parts", found, page, lambda parts: list(map(part_of, parts)))


def part(request, pk):
    found = row(f"SELECT {PART} FROM inventory_part WHERE id = %s", pk)
    return found_or_404(found and part_of(found))


def me(request):
    user = request.user
    customer = row(
        f"SELECT {CUSTOMER} FROM customers_customer WHERE user_id = %s", user["id"]
    )
    mechanic = row("SELECT id FROM mechanics_mechanic WHERE user_id = %s", user["id"])
    answer = {
        "user_id": user["id"],
        "customer_id": None,
        "mechanic_id": mechanic["id"] if mechanic else None,
        "email": user["email"],
        "first_name": user["first_name"],
        "last_name": user["last_name"],
        "role": role(user),
        "is_staff": bool(user["is_staff"]),
    }
    return 200, {**answer, **(customer or {})}


def found_or_404(found):
    return (404, {"error": "404 Not Found"}) if found is None else (200, found)


# --- Writes ---------------------------------------------------------------------------


def login(request):
    body = request.json()
    user = row("SELECT * FROM accounts_user WHERE email = %s", body["email"].lower())
    if user is None or not user["is_active"]:
        raise Refused
    tokens.check_password(body["password"], user["password"])
    jti = token_hex(16)
    session = write(
        "INSERT INTO accounts_session (user_id, refresh_jti, auth_hash, created_at)"
        " VALUES (%s, %s, '', %s)",
        *(user["id"], jti, now()),
    )
    word = role(user)
    customer = row(
        f"SELECT {CUSTOMER} FROM customers_customer WHERE user_id = %s", user["id"]
    )
    customer_id = customer["customer_id"] if customer else None
    return 200, {
        "message": "Signed in.",
        **tokens.pair(session, jti, user["id"], customer_id, word),
        "customer": customer,
        "user": {
            "user_id": user["id"],
            "email": user["email"],
            "first_name": user["first_name"],
            "last_name": user["last_name"],
            "role": word,
            "is_staff": bool(user["is_staff"]),
        },
    }


def record(ticket, kind, by, detail, *, visible=False):
    at = now()
    write("UPDATE tickets_serviceticket SET updated_at = %s WHERE id = %s", at, ticket)
    write(
        "INSERT INTO tickets_ticketevent"
        " (ticket_id, kind, at, by_id, detail, visible_to_customer)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        *(ticket, kind, at, by, orjson.dumps(detail), visible),
    )


def create_ticket(request):
    body = request.json()
    with transaction():
        owner = row(
            "SELECT c.id FROM customers_customer AS c JOIN customers_vehicle AS v"
            " ON v.customer_id = c.id WHERE v.id = %s FOR UPDATE",
            body["vehicle_id"],
        )
        if owner is None:
            return 400, {"error": "400 Bad Request"}
        at = now()
        pk = write(
            "INSERT INTO tickets_serviceticket (vehicle_id, customer_id, status,"
            " priority, problem_description, odometer_miles, opened_at, updated_at)"
            " VALUES (%s, %s, 'open', 3, %s, %s, %s, %s)",
            *(body["vehicle_id"], owner["id"], body["problem_description"]),
            *(body["odometer_miles"], at, at),
        )
        detail = {"status": "open"}
        record(pk, "opened", request.user["id"], detail, visible=True)
        return 201, ticket(request, pk)[1]


def lock_open(pk):
    """Return the ticket's status and keep others from writing it."""
    found = row("SELECT status FROM tickets_serviceticket WHERE id = %s FOR UPDATE", pk)
    if found is None:
        return 404, {"error": "404 Not Found"}
    if found["status"] in ("completed", "cancelled"):
        return 409, {"error": "409 Conflict"}
    return None


def install_part(request, pk, part_id):
    body = request.json()
    quantity, by = body["quantity_used"], request.user["id"]
    with transaction():
        if refusal := lock_open(pk):
            return refusal
        present = "SELECT 1 FROM tickets_ticketpart WHERE ticket_id = %s"
        if row(f"{present} AND part_id = %s", pk, part_id):
            return 409, {"error": "409 Conflict"}
        at = now()
        cursor = connection().cursor()
        cursor.execute(
            "UPDATE inventory_part SET quantity_in_stock = quantity_in_stock - %s,"
            " updated_at = %s WHERE id = %s AND quantity_in_stock >= %s AND is_active",
            (quantity, at, part_id, quantity),
        )
        if not cursor.rowcount:
            return 409, {"error": "409 Conflict"}
        part = row("SELECT * FROM inventory_part WHERE id = %s", part_id)
        cost, left = part["current_cost_cents"], part["quantity_in_stock"]
        write(
            "INSERT INTO inventory_stockmovement"
            " (part_id, delta, quantity_after, reason, ticket_id, note, by_id, at)"
            " VALUES (%s, %s, %s, 'install', %s, '', %s, %s)",
            *(part_id, -quantity, left, pk, by, at),
        )
        write(
            "INSERT INTO tickets_ticketpart (ticket_id, part_id, quantity_used,"
            " unit_cost_cents, markup_percentage, warranty_months, installed_at)"
            " VALUES (%s, %s, %s, %s, 30, %s, %s)",
            *(pk, part_id, quantity, cost, body.get("warranty_months"), at),
        )
        total = total_cost_cents(quantity, cost, DEFAULT_MARKUP)
        detail = {
            "part_id": part_id,
            "part_number": part["part_number"],
            "part_name": part["name"],
            "quantity_used": quantity,
            "unit_cost_cents": cost,
            "total_cost_cents": total,
        }
        record(pk, "part_installed", by, detail)
    return 201, {
        "message": f"{quantity} × {part['name']} installed.",
        "ticket_id": pk,
        "part_id": part_id,
        "part_name": part["name"],
        "quantity_used": quantity,
        "unit_cost_cents": cost,
        "total_cost": total / 100,
        "total_cost_cents": total,
        "remaining_stock": left,
    }


def edit(request, pk):
    body, by = request.json(), request.user["id"]
    add, remove = body["add_ids"], body["remove_ids"]
    new_role, minutes = body["role"], body["minutes_worked"]
    with transaction():
        if refusal := lock_open(pk):
            return refusal
        ids = [*add, *remove]
        names = {
            mechanic["id"]: mechanic["full_name"]
            for mechanic in rows(
                "SELECT id, full_name FROM mechanics_mechanic"
                f" WHERE id IN ({placeholders(ids)})",
                *ids,
            )
        }
        if names.keys() != set(ids):
            return 400, {"error": "400 Bad Request"}
        present = {
            assignment["mechanic_id"]: assignment
            for assignment in rows(
                "SELECT * FROM tickets_ticketmechanic WHERE ticket_id = %s", pk
            )
        }
        to_add = sorted(set(add) - present.keys())
        to_remove = sorted(set(remove) & present.keys())
        for mechanic in to_remove:
            gone = present[mechanic]
            record(
                *(pk, "mechanic_removed", by),
                detail_of(mechanic, names, gone["role"], gone["minutes_worked"]),
            )
            write("DELETE FROM tickets_ticketmechanic WHERE id = %s", gone["id"])
        for mechanic in to_add:
            write(
                "INSERT INTO tickets_ticketmechanic"
                " (ticket_id, mechanic_id, role, minutes_worked)"
                " VALUES (%s, %s, %s, %s)",
                *(pk, mechanic, new_role, minutes),
            )
            detail = detail_of(mechanic, names, new_role, minutes)
            record(pk, "mechanic_assigned", by, detail)
        shown = ticket(request, pk)[1]
    return 200, {
        "message": f"{len(to_add)} added, {len(to_remove)} removed.",
        "ticket_id": pk,
        "added_mechanics": to_add,
        "removed_mechanics": to_remove,
        "unchanged": sorted({*ids} - {*to_add, *to_remove}),
        "ticket": shown,
    }


def detail_of(mechanic, names, role, minutes):
    return {
        "mechanic_id": mechanic,
        "full_name": names[mechanic],
        "role": role,
        "minutes_worked": minutes,
    }


# --- HTTP -----------------------------------------------------------------------------


class Request:
    def __init__(self, environ):
        self.environ = environ
        self.query = parse_qs(environ["QUERY_STRING"])

    def json(self):
        return orjson.loads(self.environ["wsgi.input"].read())


ROUTES: dict[tuple[str, str], Callable] = {
    ("GET", "mechanics"): mechanics,
    ("GET", "mechanics/by-activity"): by_activity,
    ("GET", "customers"): customers,
    ("GET", "customers/#"): customer,
    ("GET", "service-tickets"): tickets,
    ("GET", "service-tickets/#"): ticket,
    ("GET", "inventory"): low_stock,
    ("GET", "inventory/#"): part,
    ("GET", "auth/me"): me,
    ("POST", "auth/login"): login,
    ("POST", "service-tickets"): create_ticket,
    ("POST", "service-tickets/#/parts/#"): install_part,
    ("PUT", "service-tickets/#/edit"): edit,
}
STATUSES = {
    200: "200 OK",
    201: "201 Created",
    400: "400 Bad Request",
    401: "401 Unauthorized",
    404: "404 Not Found",
    409: "409 Conflict",
}


def dump(answer):
    return orjson.dumps(answer, default=str, option=orjson.OPT_NAIVE_UTC | OPTIONS)


def application(environ, start_response) -> Iterable[bytes]:
    path = environ["PATH_INFO"].removeprefix("/api/").split("/")
    numbers = [int(piece) for piece in path if piece.isdigit()]
    shape = "/".join("#" if piece.isdigit() else piece for piece in path)
    view = ROUTES.get((environ["REQUEST_METHOD"], shape))
    status, answer = respond(view, Request(environ), numbers)
    body = answer if isinstance(answer, bytes) else dump(answer)
    headers = [("Content-Type", "application/json")]
    start_response(STATUSES[status], headers)
    return [body]


def respond(view, request, numbers):
    if view is None:
        return 404, {"error": "404 Not Found"}
    try:
        if view is not login:
            request.user = user_of(request.environ)
        return view(request, *numbers)
    except Refused:
        return 401, {"error": "401 Unauthorized"}
