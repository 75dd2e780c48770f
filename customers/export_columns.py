"""The columns of exports; an import reads them all."""

from __future__ import annotations

from django.contrib import admin

from .models import Customer, Vehicle


@admin.display(description="Number")
def number(row: Customer | Vehicle) -> int:
    return row.pk


@admin.display(description="Owner number")
def owner_number(vehicle: Vehicle) -> int:
    return vehicle.customer_id


@admin.display(description="Owner first name")
def owner_first_name(vehicle: Vehicle) -> str:
    return vehicle.customer.first_name


@admin.display(description="Owner last name")
def owner_last_name(vehicle: Vehicle) -> str:
    return vehicle.customer.last_name


@admin.display(description="Owner email")
def owner_email(vehicle: Vehicle) -> str | None:
    return vehicle.customer.email


@admin.display(description="Owner phone")
def owner_phone(vehicle: Vehicle) -> str:
    return vehicle.customer.phone


CUSTOMER_COLUMNS = (
    number,
    "first_name",
    "last_name",
    "email",
    "phone",
    "address",
    "city",
    "state",
    "postal_code",
)
VEHICLE_COLUMNS = (
    number,
    "vin",
    "year",
    "make",
    "model",
    "color",
    "license_plate",
    "mileage",
    owner_number,
    owner_first_name,
    owner_last_name,
    owner_email,
    owner_phone,
)
