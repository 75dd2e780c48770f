"""The vehicles of the demo shop's customers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from random import Random

from customers.models import Customer, Vehicle
from customers.vin import compute_check_digit

from .backdating import Timeline
from .people import LAST_REGULAR

#: Code of the model year at position 10 of a VIN, from 2010 on (49 CFR 565.15).
YEAR_CODES = "ABCDEFGHJKLMNPRSTVWXY"
FIRST_CODED_YEAR = 2010
#: What European makers put where others have the check digit.
EUROPEAN_FILLER = "Z"

VEHICLES = 60
#: Vehicles without a VIN.
WITHOUT_VIN = frozenset({17, 33, 46})
#: Vehicles without tickets, which can be deleted or given to another owner.
NEVER_SERVICED = frozenset({38, 39, 52, 53})
#: The second vehicle of the first customer.
SECOND_VEHICLE = 40


@dataclass(frozen=True)
class Model:
    """A model with the first eight characters of its VINs and the years it is from."""

    make: str
    name: str
    vin_prefix: str
    first_year: int
    last_year: int


MODELS = (
    Model("Toyota", "Camry", "4T1BF1FK", 2012, 2017),
    Model("Toyota", "RAV4", "2T3RFREV", 2013, 2018),
    Model("Toyota", "Tacoma", "3TMCZ5AN", 2016, 2022),
    Model("Honda", "Civic", "2HGFC2F5", 2016, 2021),
    Model("Honda", "CR-V", "5J6RM4H7", 2012, 2016),
    Model("Honda", "Odyssey", "5FNRL5H6", 2011, 2017),
    Model("Ford", "F-150", "1FTEW1EP", 2015, 2020),
    Model("Ford", "Escape", "1FMCU9GD", 2013, 2019),
    Model("Ford", "Transit", "1FTBW2CM", 2015, 2021),
    Model("Chevrolet", "Malibu", "1G1ZD5ST", 2016, 2022),
    Model("Chevrolet", "Silverado", "3GCUKREC", 2014, 2018),
    Model("Subaru", "Outback", "4S4BSANC", 2015, 2019),
    Model("Subaru", "Forester", "JF2SJAEC", 2014, 2018),
    Model("Nissan", "Altima", "1N4AL3AP", 2013, 2018),
    Model("Nissan", "Rogue", "5N1AT2MV", 2014, 2020),
    Model("Jeep", "Wrangler", "1C4BJWDG", 2012, 2018),
    Model("Hyundai", "Elantra", "5NPD84LF", 2017, 2020),
    Model("Kia", "Sorento", "5XYPG4A3", 2016, 2020),
    Model("Mazda", "CX-5", "JM3KE4CY", 2013, 2016),
    Model("Dodge", "Grand Caravan", "2C4RDGCG", 2012, 2019),
    Model("Tesla", "Model 3", "5YJ3E1EA", 2018, 2023),
    Model("Volkswagen", "Golf", "WVWZZZAU", 2013, 2020),
    Model("Volkswagen", "Passat", "WVWZZZ3C", 2011, 2015),
    Model("Audi", "A3", "WAUZZZ8V", 2013, 2020),
    Model("Audi", "A4", "WAUZZZ8K", 2010, 2015),
    Model("Škoda", "Octavia", "TMBZZZ5E", 2013, 2019),
    Model("Porsche", "Macan", "WP1ZZZ95", 2015, 2021),
)
#: Built before 1981, when a VIN was whatever its maker liked: make, model, year.
CLASSICS = {
    58: ("Ford", "Mustang", 1967),
    59: ("Chevrolet", "C10", 1972),
    60: ("Volkswagen", "Beetle", 1979),
}
COLORS = ("White", "Black", "Silver", "Gray", "Blue", "Red", "Green", "Bronze", "")
PLATE_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


def add_vehicles(
    timeline: Timeline, rng: Random, customers: list[Customer]
) -> list[Vehicle]:
    """Create the vehicles: one for most customers, more for some, none for the last."""
    first, *others = MODELS
    models = cycle([first, *rng.sample(others, len(others))])
    return [
        _add_vehicle(timeline, rng, number, _owner_of(number, rng, customers), models)
        for number in range(1, VEHICLES + 1)
    ]


def _owner_of(number: int, rng: Random, customers: list[Customer]) -> Customer:
    if number < len(customers):
        return customers[number - 1]
    return customers[0 if number == SECOND_VEHICLE else rng.randrange(1, LAST_REGULAR)]


def _add_vehicle(
    timeline: Timeline,
    rng: Random,
    number: int,
    owner: Customer,
    models: Iterator[Model],
) -> Vehicle:
    timeline.start_minute(timeline.minute_of(owner.created_at))
    vehicle = _draw_classic(number) if number in CLASSICS else _draw(rng, next(models))
    vehicle.pk = number
    vehicle.customer = owner
    vehicle.color = rng.choice(COLORS)
    vehicle.license_plate = _draw_plate(rng)
    if number in WITHOUT_VIN:
        vehicle.vin = None
    if number in NEVER_SERVICED:
        vehicle.mileage = None
    vehicle.full_clean()
    vehicle.save(force_insert=True)
    return vehicle


def _draw(rng: Random, model: Model) -> Vehicle:
    year = rng.randint(model.first_year, model.last_year)
    return Vehicle(
        make=model.make,
        model=model.name,
        year=year,
        vin=_draw_vin(rng, model.vin_prefix, year),
        mileage=(2025 - year) * rng.randint(7_000, 14_000) + rng.randint(9_000, 12_000),
    )


def _draw_classic(number: int) -> Vehicle:
    make, model, year = CLASSICS[number]
    return Vehicle(make=make, model=model, year=year, mileage=88_000 + number)


def _draw_vin(rng: Random, prefix: str, year: int) -> str:
    tail = f"{YEAR_CODES[year - FIRST_CODED_YEAR]}{rng.choice('ABCGHKNRW')}"
    tail += f"{rng.randint(100_000, 899_999)}"
    if "ZZZ" in prefix:
        return f"{prefix}{EUROPEAN_FILLER}{tail}"
    # Position 9 itself has the weight 0: any character may stand in for it.
    return f"{prefix}{compute_check_digit(f'{prefix}0{tail}')}{tail}"


def _draw_plate(rng: Random) -> str:
    letters = "".join(rng.choices(PLATE_LETTERS, k=3))
    return f"{rng.randint(100, 999)} {letters}"
