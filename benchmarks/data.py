"""A shop full of data: the product's own schema, filled by set-based SQL."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from argon2 import PasswordHasher

from .database import Database, connected
from .dataset_size import (
    CANCELLED,
    IN_PROGRESS,
    LOGINS,
    MANAGER_ID,
    OPEN,
    REORDER_LEVEL,
    WAITING,
    WORKED_ON,
    Shop,
)
from .environment import ROOT, environment_of_servers
from .progress import Progress

PASSWORD = "correct-horse-battery"  # noqa: S105
CHUNK = 50_000
FIRST_DAY = "2023-01-02 08:00:00"
SECONDS_OF_HISTORY = 100_000_000


@dataclass(frozen=True)
class Table:
    """Rows by number: ``{n}`` runs from 1 to ``rows``."""

    name: str
    rows: int
    columns: dict[str, str]
    source: str = ""

    def statement(self, first: int, last: int, *, verb: str = "INSERT") -> str:
        numbers = (
            f"(SELECT CAST(seq AS SIGNED) AS n FROM seq_{first}_to_{last}) AS numbers"
        )
        return (
            f"{verb} INTO {self.name} ({', '.join(self.columns)}) "
            f"SELECT {', '.join(self.columns.values())} FROM {numbers} {self.source}"
        )


def email_of(login: int) -> str:
    return f"login{login}@shop.example"


# --- Preparing and undoing ------------------------------------------------------------


def prepare(shop: Shop) -> None:
    """Leave a database in which the shop is as it was filled, however it was before."""
    if _fingerprint_of(shop) == _present_fingerprint(shop):
        restore(shop)
        _end_sessions(shop)
        return
    with connected() as server:
        server.run(f"DROP DATABASE IF EXISTS {shop.database}")
        server.run(f"CREATE DATABASE {shop.database} CHARACTER SET utf8mb4")
    migrate(shop)
    with connected(shop.database) as database:
        fill(shop, database)
        # What a row copies of others, and what is derived from it.
        manage(shop, "refresh_copies")
        database.run("CREATE TABLE bench_fill (fingerprint CHAR(64))")
        database.run("INSERT INTO bench_fill VALUES (%s)", [_fingerprint_of(shop)])


def migrate(shop: Shop) -> None:
    manage(shop, "migrate", "--verbosity", "0")


def manage(shop: Shop, *command: str) -> None:
    """Run one of the product's commands on the shop's database."""
    subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=environment_of_servers(shop.database, port=0),
        check=True,
    )


def last_ids(shop: Shop) -> dict[str, int]:
    """Name the tables that the workloads write to, and the last id before they do."""
    return {
        "tickets_ticketevent": 0,
        "inventory_stockmovement": shop.movements,
        "tickets_ticketpart": shop.lines,
        "tickets_ticketmechanic": shop.tickets * 2,
        "tickets_serviceticket": shop.tickets,
    }


def rows_added(shop: Shop) -> dict[str, int]:
    """Count what was written since the shop was filled."""
    with connected(shop.database) as database:
        return {
            table: database.value(f"SELECT COUNT(*) FROM {table} WHERE id > {last}")
            for table, last in last_ids(shop).items()
        }


def restore(shop: Shop) -> None:
    """Undo what the write workloads did; every row that they add has a higher id."""
    with connected(shop.database) as database:
        for table, last in last_ids(shop).items():
            database.run(f"DELETE FROM {table} WHERE id > {last}")
        _restore_assignments(shop, database)
        _restore_stock(shop, database)


def _end_sessions(shop: Shop) -> None:
    with connected(shop.database) as database:
        database.run("DELETE FROM accounts_session")


def _restore_assignments(shop: Shop, database: Database) -> None:
    """Put back the mechanics whom the bulk edits took off their tickets."""
    for table in assignments(shop):
        numbered = f"WHERE n % 10 = {WORKED_ON}"
        whole = Table(table.name, table.rows, table.columns, numbered)
        for first in range(1, table.rows + 1, CHUNK):
            last = min(first + CHUNK - 1, table.rows)
            database.run(whole.statement(first, last, verb="INSERT IGNORE"))


def _restore_stock(shop: Shop, database: Database) -> None:
    database.run(
        "UPDATE inventory_part JOIN inventory_stockmovement AS movement"
        " ON movement.id = inventory_part.id"
        " SET inventory_part.quantity_in_stock = movement.quantity_after"
        f" WHERE inventory_part.id <= {shop.ample_parts}"
    )


def _present_fingerprint(shop: Shop) -> str | None:
    with connected("information_schema") as schema:
        known = schema.run(
            "SELECT 1 FROM TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s",
            [shop.database, "bench_fill"],
        )
    if not known:
        return None
    with connected(shop.database) as database:
        return str(database.value("SELECT fingerprint FROM bench_fill"))


def _fingerprint_of(shop: Shop) -> str:
    """Name what decides how a filled shop looks: the migrations and this package."""
    files = [Path(__file__), Path(__file__).with_name("dataset_size.py")]
    files += sorted(ROOT.glob("*/migrations/*.py"))
    files += sorted(ROOT.glob("mechanic_shop/*/migrations/*.py"))
    digest = sha256(f"{shop.scale:g}".encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


# --- Filling --------------------------------------------------------------------------


def fill(shop: Shop, database: Database) -> None:
    for switch in ("unique_checks", "foreign_key_checks", "check_constraint_checks"):
        database.run(f"SET {switch} = 0")
    _add_logins(database)
    _add_parts(shop, database)
    database.run(
        "INSERT INTO mechanics_mechaniclistversion VALUES (1, %s)", [uuid4().hex]
    )
    tables = [
        *people(shop),
        *tickets(shop),
        *assignments(shop),
        *lines(shop),
        *movements(shop),
    ]
    progress = Progress(f"Filling {shop.database}", sum(table.rows for table in tables))
    for table in tables:
        for first in range(1, table.rows + 1, CHUNK):
            last = min(first + CHUNK - 1, table.rows)
            database.run(table.statement(first, last))
            progress.advance(last - first + 1, table.name)
    progress.end()
    for table in tables:
        database.run(f"ANALYZE TABLE {table.name}")


def _add_logins(database: Database) -> None:
    hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
    for login, group in LOGINS.items():
        is_staff = group is not None
        password = "argon2" + hasher.hash(PASSWORD)
        database.run(
            "INSERT INTO accounts_user (id, password, is_superuser, email, first_name,"
            " last_name, is_staff, is_active, created_at)"
            " VALUES (%s, %s, 0, %s, 'Robin', 'Example', %s, 1, %s)",
            [login, password, email_of(login), is_staff, FIRST_DAY],
        )
        database.run(
            "INSERT INTO accounts_user_groups (user_id, group_id)"
            " SELECT %s, id FROM auth_group WHERE name = %s",
            [login, group],
        )


def _add_parts(shop: Shop, database: Database) -> None:
    database.run(
        "CREATE TEMPORARY TABLE stock (part INT PRIMARY KEY, quantity INT, firsts INT,"
        " seconds INT, returns INT, initial INT)"
    )
    database.insert(
        "INSERT INTO stock VALUES (%s, %s, %s, %s, %s, %s)",
        [
            (
                *(stock.part, stock.quantity, stock.firsts),
                *(stock.seconds, stock.returns, stock.initial),
            )
            for stock in shop.stocks()
        ],
    )
    database.run(
        "INSERT INTO inventory_part (id, part_number, name, description, category,"
        " manufacturer, supplier, current_cost_cents, quantity_in_stock, reorder_level,"
        " is_active, created_at, updated_at)"
        " SELECT part, CONCAT('P-', LPAD(part, 7, '0')), CONCAT('Part ', part),"
        " 'Fits most cars of the last twenty years.', ELT(1 + part % 4, 'Brakes',"
        " 'Engine', 'Filters', 'Electrics'), 'Maker', 'Supplier',"
        " 500 + part * 37 % 50000,"
        " CAST(initial - quantity * (firsts + seconds - returns) AS SIGNED),"
        f" {REORDER_LEVEL}, 1, '{FIRST_DAY}', '{FIRST_DAY}' FROM stock"
    )


def people(shop: Shop) -> list[Table]:
    times = {"created_at": f"'{FIRST_DAY}'", "updated_at": f"'{FIRST_DAY}'"}
    return [
        Table(
            "mechanics_mechanic",
            shop.mechanics,
            {
                "id": "n",
                "full_name": "CONCAT('Mechanic ', n)",
                "email": "CONCAT('mechanic', n, '@shop.example')",
                "phone": "CONCAT('555-02', LPAD(n, 4, '0'))",
                "salary": "40000 + n * 100",
                "is_active": "n % 10 > 0",
                **times,
            },
        ),
        Table(
            "customers_customer",
            shop.customers,
            {
                "id": "n",
                "first_name": "ELT(1 + n % 5, 'Ana', 'Bo', 'Chris', 'Dana', 'Eli')",
                "last_name": "CONCAT('Example', n % 977)",
                "email": "CONCAT('customer', n, '@example.com')",
                "phone": "CONCAT('555-', LPAD(n, 7, '0'))",
                "address": "CONCAT(n % 300, ' Main Street')",
                "city": "ELT(1 + n % 3, 'Springfield', 'Shelbyville', 'Ogdenville')",
                "state": "'NY'",
                "postal_code": "LPAD(n % 90000, 5, '0')",
                **times,
            },
        ),
        Table(
            "customers_vehicle",
            shop.customers,
            {
                "id": "n",
                "customer_id": "n",
                "vin": "CONCAT('1HGCM8263', LPAD(n, 8, '0'))",
                "make": "ELT(1 + n % 3, 'Honda', 'Ford', 'Toyota')",
                "model": "CONCAT('Model ', n % 40)",
                "year": "1995 + n % 28",
                "color": "ELT(1 + n % 4, 'red', 'blue', 'white', 'black')",
                "license_plate": "CONCAT('BEN-', n)",
                "mileage": "10000 + n % 150000",
                **times,
            },
        ),
    ]


def opened_at(shop: Shop, ticket: str) -> str:
    seconds = f"{ticket} * {SECONDS_OF_HISTORY} DIV {shop.tickets}"
    return f"TIMESTAMPADD(SECOND, {seconds}, '{FIRST_DAY}')"


def tickets(shop: Shop) -> list[Table]:
    opened = opened_at(shop, "n")
    still_open = (*IN_PROGRESS, *OPEN, *WAITING)
    status = (
        f"CASE WHEN {_rest_in(IN_PROGRESS)} THEN 'in_progress'"
        f" WHEN {_rest_in(OPEN)} THEN 'open' WHEN {_rest_in(WAITING)} THEN 'waiting'"
        f" WHEN {_rest_in(CANCELLED)} THEN 'cancelled' ELSE 'completed' END"
    )
    columns = {
        "id": "n",
        "vehicle_id": f"1 + (n - 1) % {shop.customers}",
        "customer_id": f"1 + (n - 1) % {shop.customers}",
        "status": status,
        "priority": "1 + n % 5",
        "problem_description": "CONCAT('It rattles at ', 20 + n % 60, ' mph.')",
        "odometer_miles": "20000 + n % 150000",
        "opened_at": opened,
        "updated_at": opened,
        "closed_at": f"IF({_rest_in(still_open)}, NULL,"
        f" TIMESTAMPADD(DAY, 1, {opened}))",
        "handed_over_at": f"IF({_rest_in((*still_open, *CANCELLED))}, NULL,"
        f" TIMESTAMPADD(DAY, 2, {opened}))",
    }
    return [Table("tickets_serviceticket", shop.tickets, columns)]


def _rest_in(rests: tuple[int, ...]) -> str:
    return f"n % 10 IN ({', '.join(map(str, rests))})"


def assignments(shop: Shop) -> list[Table]:
    """Two mechanics for each ticket, some of whom are asked for more than others."""
    first = f"n * n % {shop.mechanics}"
    second = f"({first} + 1 + n % {shop.mechanics - 1}) % {shop.mechanics}"
    return [
        Table(
            "tickets_ticketmechanic",
            shop.tickets,
            {
                "id": f"n * 2 - {back}",
                "ticket_id": "n",
                "mechanic_id": f"1 + {mechanic}",
                "role": f"'{role}'",
                "minutes_worked": f"n % {minutes}",
            },
        )
        for back, mechanic, role, minutes in (
            (1, first, "Technician", 240),
            (0, second, "Inspector", 60),
        )
    ]


def lines(shop: Shop) -> list[Table]:
    """One part on every ticket, another one on every other."""
    tables = []
    for ticket, number, rows in (
        ("n", "n", shop.tickets),
        ("(n * 2)", f"{shop.tickets} + n", shop.second_lines),
    ):
        opened = opened_at(shop, ticket)
        returned = f"TIMESTAMPADD(DAY, 1, {opened})"
        columns = {
            "id": number,
            "ticket_id": ticket,
            "part_id": "stock.part",
            "quantity_used": "stock.quantity",
            "unit_cost_cents": "500 + stock.part * 37 % 50000",
            "markup_percentage": f"IF({ticket} % 3 = 0, 12.5, 30)",
            "warranty_months": f"IF({ticket} % 4 = 0, NULL, 12)",
            "installed_by_id": f"1 + {ticket} % {shop.mechanics}",
            "installed_at": f"TIMESTAMPADD(HOUR, 1, {opened})",
            "returned_at": f"IF({ticket} % 10 = {CANCELLED[0]}, {returned}, NULL)",
        }
        place = "n - 1" if ticket == "n" else "n * 2"
        source = _stock_at(shop, place)
        tables.append(Table("tickets_ticketpart", rows, columns, source))
    return tables


def movements(shop: Shop) -> list[Table]:
    """Every part's first units, what the tickets took, what cancelled ones gave back.

    ``quantity_after`` needs no look at the movements before: the tickets go through the
    parts in turn, so the n-th one is somebody's ``n DIV parts``-th time.
    """
    size = shop.used_parts
    after_firsts = "stock.initial - stock.quantity * stock.firsts"
    after_returns = f"{after_firsts} + stock.quantity * stock.returns"
    turn = f"stock.quantity * ((n - 1) DIV {size} + 1)"
    each: list[tuple[int, int, str, str, str, str, str, str]] = [
        (shop.parts, 0, "initial", "NULL", f"'{FIRST_DAY}'", "stock.initial", "1", ""),
        (
            *(shop.tickets, shop.parts, "install", "n", _hour_after(shop, "n")),
            *(f"stock.initial - {turn}", "-stock.quantity", "n - 1"),
        ),
        (
            *(shop.cancelled, shop.parts + shop.tickets, "return", "n * 10 - 1"),
            *(_hour_after(shop, "(n * 10 - 1)"), f"{after_firsts} + {turn}"),
            *("stock.quantity", "n * 10 - 2"),
        ),
        (
            *(shop.second_lines, shop.parts + shop.tickets + shop.cancelled),
            *("install", "n * 2", _hour_after(shop, "(n * 2)")),
            *(f"{after_returns} - {turn}", "-stock.quantity", "n * 2"),
        ),
    ]
    return [
        Table(
            "inventory_stockmovement",
            rows,
            {
                "id": f"{before} + n",
                "part_id": "stock.part",
                "delta": delta if place else "stock.initial",
                "quantity_after": after,
                "reason": f"'{reason}'",
                "note": "''",
                "ticket_id": ticket,
                "by_id": str(MANAGER_ID),
                "at": at,
            },
            _stock_at(shop, place) if place else "JOIN stock ON stock.part = n",
        )
        for rows, before, reason, ticket, at, after, delta, place in each
    ]


def _hour_after(shop: Shop, ticket: str) -> str:
    return f"TIMESTAMPADD(HOUR, 1, {opened_at(shop, ticket)})"


def _stock_at(shop: Shop, place: str) -> str:
    part = f"{shop.ample_parts} + 1 + ({place}) % {shop.used_parts}"
    return f"JOIN stock ON stock.part = {part}"
