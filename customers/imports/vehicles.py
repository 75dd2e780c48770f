"""Import of vehicles: known by number, by VIN, or by owner, plate and kind."""

from __future__ import annotations

from itertools import chain
from typing import Any, ClassVar

from customers import services
from customers.models import MAX_MILEAGE, Customer, Vehicle
from customers.vin import normalize_vin
from mechanic_shop.spreadsheets.cells import Cell
from mechanic_shop.spreadsheets.columns import (
    Column,
    KeptTextWidget,
    TextWidget,
    WholeNumberWidget,
)
from mechanic_shop.spreadsheets.resource import ImportResource, Row
from mechanic_shop.spreadsheets.tables import ROW

from .customers import MAX_NUMBER
from .matching import Candidates, CustomerFinder, key_for, load_by, text_of

ADD = "customers.add_vehicle"
CHANGE = "customers.change_vehicle"
NO_NUMBER = "The shop has no vehicle with this number."
NO_OWNER = (
    "The shop has no such customer. Import customers first, and name the owner by"
    " number, by email, or by name and phone."
)
VIN_TAKEN = "A vehicle with this VIN exists already."


class VinWidget(KeptTextWidget):
    """A VIN in the spelling in which it is stored; empty keeps the old one."""

    def read(self, cell: Cell) -> str:
        return normalize_vin(super().read(cell))


def owner_column(name: str, heading: str, example: str) -> Column:
    hint = "Finds the owner if there is no number. It does not change the customer."
    return Column(name, heading, TextWidget(), example, hint, is_reference=True)


COLUMNS = (
    Column(
        "pk",
        "Number",
        WholeNumberWidget(maximum=MAX_NUMBER),
        "",
        "The shop's number of the vehicle, as exported. Empty for new vehicles.",
        is_reference=True,
    ),
    Column(
        "vin",
        "VIN",
        VinWidget(),
        "1HGCM82633A004352",
        "Without a number, a VIN the shop knows changes that vehicle. Empty: stays as"
        " it is.",
    ),
    Column(
        "year",
        "Year",
        WholeNumberWidget(maximum=9_999, required=True),
        2003,
        "Required for new vehicles.",
        is_title=True,
    ),
    Column(
        "make",
        "Make",
        TextWidget(required=True),
        "Honda",
        "Required for new vehicles.",
        is_title=True,
    ),
    Column(
        "model",
        "Model",
        TextWidget(required=True),
        "Accord",
        "Required for new vehicles.",
        is_title=True,
    ),
    Column("color", "Color", TextWidget(), "Silver", "Any text."),
    Column("license_plate", "License plate", TextWidget(), "ABC-1234", "Any text."),
    Column(
        "mileage",
        "Mileage",
        WholeNumberWidget(maximum=MAX_MILEAGE),
        81_250,
        "Whole number. Empty: stays as it is.",
    ),
    Column(
        "customer_id",
        "Owner number",
        WholeNumberWidget(maximum=MAX_NUMBER),
        "",
        "The shop's number of the owner. Another one than today's gives the vehicle to"
        " that customer.",
    ),
    owner_column("customer__first_name", "Owner first name", "Ada"),
    owner_column("customer__last_name", "Owner last name", "Lovelace"),
    owner_column("customer__email", "Owner email", "ada@example.com"),
    owner_column("customer__phone", "Owner phone", "+44 20 7946 0123"),
)


class VehicleFinder(Candidates[Vehicle]):
    """Vehicles by number, by VIN, and by plate."""

    def __init__(self, rows: list[Row]) -> None:
        vehicles = Vehicle.objects.filter(customer__erased_at=None)
        with_plate = vehicles.exclude(license_plate="")
        super().__init__(
            # Joined with their owners, it would lock these, too.
            Vehicle.objects.all(),
            chain(
                load_by(vehicles, "pk__in", map(self._number, rows)),
                load_by(vehicles, "vin__in", map(self._vin, rows)),
                load_by(with_plate, "plate_key__in", map(self._plate_key, rows)),
            ),
        )

    def index(self) -> None:
        self.by_vin: dict[str, Vehicle] = {}
        self.by_kind: dict[Any, Vehicle] = {}
        for _, vehicle in sorted(self.by_number.items()):
            if vehicle.vin:
                self.by_vin[vehicle.vin] = vehicle
            if vehicle.license_plate:
                self.by_kind.setdefault(kind_of(vehicle), vehicle)

    @staticmethod
    def _number(row: Row) -> int | None:
        text = text_of(row, "Number")
        is_number = text.isascii() and text.isdecimal() and len(text) < 18
        return int(text) if is_number else None

    @staticmethod
    def _vin(row: Row) -> str | None:
        return normalize_vin(text_of(row, "VIN")) or None

    @staticmethod
    def _plate_key(row: Row) -> str | None:
        return key_for(Vehicle, "plate_key", text_of(row, "License plate"))

    def find(
        self, row: Row, owner: Customer | None
    ) -> tuple[Vehicle | None, dict[str, str]]:
        """Return the vehicle that a row means, and mistakes by attribute."""
        same_vin = self.by_vin.get(self._vin(row) or "")
        if text_of(row, "Number"):
            vehicle = self.by_number.get(self._number(row) or 0)
            if vehicle is None:
                return None, {"pk": NO_NUMBER}
            is_taken = same_vin not in (None, vehicle)
            return vehicle, {"vin": VIN_TAKEN} if is_taken else {}
        if self._vin(row) or owner is None:
            return same_vin, {}
        return self.by_kind.get(self.kind_in(row, owner)), {}

    @staticmethod
    def kind_in(row: Row, owner: Customer) -> Any:
        texts = (text_of(row, name) for name in ("License plate", "Make", "Model"))
        return owner.pk, *(text.casefold() for text in texts), text_of(row, "Year")

    def key_of(self, row: Row, owner: Customer | None) -> Any:
        """Return what tells a new vehicle from others in the file, if anything does."""
        if vin := self._vin(row):
            return vin
        has_plate = bool(text_of(row, "License plate"))
        return self.kind_in(row, owner) if owner and has_plate else None


def kind_of(vehicle: Vehicle) -> Any:
    texts = vehicle.license_plate, vehicle.make, vehicle.model
    names = (text.strip().casefold() for text in texts)
    return vehicle.customer_id, *names, str(vehicle.year)


class VehicleResource(ImportResource):
    columns = COLUMNS
    noun = ("vehicle", "vehicles")
    required_for_new = ("Year", "Make", "Model")
    permission_errors: ClassVar = {
        ADD: "The file has new vehicles, and you may not add vehicles.",
        CHANGE: "The file changes vehicles, and you may not change vehicles.",
    }

    class Meta(ImportResource.Meta):
        model = Vehicle

    def match(self, rows: list[Row], *, lock: bool) -> dict[int, Any]:
        owners, vehicles = CustomerFinder(rows, prefix="Owner"), VehicleFinder(rows)
        if lock:
            owners.lock(owners.find(row)[0] for row in rows)
            vehicles.lock(vehicles.find(row, owners.find(row)[0])[0] for row in rows)
        self.owners: dict[int, Customer] = {}
        found: dict[int, Any] = {}
        first_row: dict[Any, int] = {}
        for row in rows:
            mistakes = self._find_owner(row, owners)
            owner = self.owners.get(row[ROW])
            vehicle, more = vehicles.find(row, owner)
            mistakes |= more
            if vehicle:
                found[row[ROW]] = vehicle
            elif owner is None and not mistakes:
                mistakes["customer_id"] = NO_OWNER
            key = vehicle.pk if vehicle else vehicles.key_of(row, owner)
            if key and first_row.setdefault(key, row[ROW]) != row[ROW]:
                mistakes["vin"] = f"This vehicle is in row {first_row[key]} already."
            if mistakes:
                self.mistakes[row[ROW]] = mistakes
        return found

    def _find_owner(self, row: Row, owners: CustomerFinder) -> dict[str, str]:
        owner, mistakes = owners.find(row)
        if mistakes:
            return {"customer_id": " ".join(mistakes.values())}
        if owner is None:
            is_named = any(text_of(row, name) for name in owners.headings.values())
            return {"customer_id": NO_OWNER} if is_named else {}
        self.owners[row[ROW]] = owner
        attributes = {column.column_name: column.attribute for column in COLUMNS}
        return {
            attributes[heading]: f"Customer {owner.pk} has another one. An import of"
            " vehicles does not change customers."
            for heading in owners.contradictions(row, owner)
        }

    def after_init_instance(
        self, instance: Vehicle, new: bool, row: Row, **kwargs: Any
    ) -> None:
        if owner := self.owners.get(row[ROW]):
            instance.customer = owner

    def import_field(
        self, field: Any, instance: Vehicle, row: Row, is_m2m: bool = False, **kw: Any
    ) -> None:
        if field.attribute != "customer_id":
            super().import_field(field, instance, row, is_m2m, **kw)

    def describe_new(self, row: Row) -> str:
        texts = (text_of(row, name) for name in ("Year", "Make", "Model", "VIN"))
        return " ".join(filter(None, texts)) or "one without a name"

    def needed_permissions(self, *, is_new: bool, names: list[str]) -> set[str]:
        return {ADD if is_new else CHANGE}

    def add(self, values: dict[str, Any], instance: Vehicle) -> Vehicle:
        return services.add_vehicle(vehicle=Vehicle(**values))

    def change(self, known: Vehicle, values: dict[str, Any], instance: Vehicle) -> None:
        if values.pop("customer_id", None) is not None:
            known = services.change_owner(vehicle=known, customer=instance.customer)
        services.update_vehicle(vehicle=known, **values)

    def title_of(self, instance: Vehicle) -> tuple[str, str]:
        return str(instance), instance.license_plate
