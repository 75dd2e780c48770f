"""Hints about customers and vehicles that are probably entered by mistake."""

from __future__ import annotations

from .models import Customer, Vehicle

#: More customers of one name are not compared.
MAX_NAMESAKES = 100


def hint_at_double(customer: Customer) -> dict[str, str]:
    """Return a hint, by field, at a customer of the same name and phone number."""
    namesakes = (
        Customer.objects.not_erased()
        .filter(
            last_name__iexact=customer.last_name, first_name__iexact=customer.first_name
        )
        .exclude(pk=customer.pk)
        .order_by("pk")
    )
    phone = _digits(customer.phone)
    for other in namesakes[:MAX_NAMESAKES]:
        if phone and _digits(other.phone) == phone:
            text = f"{other} with this phone is a customer already, number {other.pk}."
            return {"phone": text}
    return {}


def hint_at_mileage(vehicle: Vehicle) -> dict[str, str]:
    """Return a hint, by field, at a mileage below the stored one."""
    known = Vehicle.objects.values_list("mileage", flat=True).get(pk=vehicle.pk)
    if known is None or vehicle.mileage is None or vehicle.mileage >= known:
        return {}
    return {"mileage": f"This vehicle had {known:,} miles before."}


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))
