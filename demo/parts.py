"""The parts of the demo shop."""

from __future__ import annotations

from inventory.models import Part
from inventory.services import add_part
from mechanic_shop.accounts.models import User

from .backdating import DAY, Timeline

#: The day of the first stock count.
FIRST_COUNT = -77 * DAY

SUPPLIERS = {
    "Brakes": "Halden Friction Supply",
    "Filters": "Norwick Wholesale",
    "Engine": "Tri-County Engine Parts",
    "Electrical": "Brightline Auto Electric",
    "Suspension": "Halden Friction Supply",
    "Tires": "Round & Sons Tire Depot",
    "Fluids": "Norwick Wholesale",
    "Exhaust": "Tri-County Engine Parts",
    "Cooling": "Tri-County Engine Parts",
    "General": "Norwick Wholesale",
}
WARRANTY_MONTHS = {
    "Brakes": 24,
    "Engine": 12,
    "Electrical": 24,
    "Suspension": 12,
    "Tires": 36,
    "Exhaust": 12,
    "Cooling": 12,
}
#: The supplier is out of these, so the shelf stays short.
BACKORDERED = frozenset({"ELE-4201", "EXH-8201", "COL-9101", "SUS-5101", "GEN-0601"})
#: No longer sold.
RETIRED_PART = "FLT-2501"

#: By category: number, name, manufacturer, cost in cents, first count, reorder level.
Row = tuple[str, str, str, int, int, int]
PARTS: dict[str, tuple[Row, ...]] = {
    "Brakes": (
        ("BRK-1101", "Front brake pads, ceramic", "Stoppard", 4_250, 64, 12),
        ("BRK-1102", "Rear brake pads, ceramic", "Stoppard", 3_890, 40, 10),
        ("BRK-1201", "Front brake rotor, vented", "Stoppard", 5_475, 36, 10),
        ("BRK-1202", "Rear brake rotor, solid", "Stoppard", 4_620, 24, 8),
        ("BRK-1301", "Front brake caliper, rebuilt", "Calder", 7_940, 8, 3),
        ("BRK-1401", "Brake hose, front", "Calder", 1_865, 14, 4),
    ),
    "Filters": (
        ("FLT-2101", "Oil filter, spin-on", "Clearway", 585, 80, 20),
        ("FLT-2102", "Oil filter, cartridge", "Clearway", 745, 50, 15),
        ("FLT-2201", "Engine air filter", "Clearway", 1_290, 40, 10),
        ("FLT-2301", "Cabin air filter, charcoal", "Clearway", 1_475, 36, 10),
        ("FLT-2401", "Fuel filter, in-line", "Clearway", 1_820, 15, 5),
        ("FLT-2501", "Transmission filter kit, 4-speed", "Gearhart", 2_960, 3, 2),
    ),
    "Engine": (
        ("ENG-3101", "Spark plug, iridium", "Volta", 895, 96, 24),
        ("ENG-3201", "Ignition coil", "Volta", 4_380, 18, 6),
        ("ENG-3301", "Timing belt kit", "Tensio", 14_750, 7, 2),
        ("ENG-3401", "Serpentine belt", "Tensio", 2_640, 20, 6),
        ("ENG-3501", "Valve cover gasket set", "Sealwright", 3_115, 9, 3),
        ("ENG-3601", "Engine mount, hydraulic", "Sealwright", 6_890, 6, 2),
    ),
    "Electrical": (
        ("ELE-4101", "Battery, AGM group 35", "Volta", 13_900, 14, 5),
        ("ELE-4201", "Alternator, 130 A, rebuilt", "Brightline", 18_650, 2, 2),
        ("ELE-4301", "Starter motor, rebuilt", "Brightline", 15_280, 5, 2),
        ("ELE-4401", "Headlight bulb, H11", "Lumen & Co", 1_140, 30, 10),
        ("ELE-4501", "Oxygen sensor, upstream", "Volta", 5_960, 9, 3),
        ("ELE-4601", "Mass air flow sensor", "Volta", 8_425, 5, 2),
    ),
    "Suspension": (
        ("SUS-5101", "Front strut assembly", "Bergrade", 11_870, 3, 4),
        ("SUS-5102", "Rear shock absorber", "Bergrade", 6_140, 14, 4),
        ("SUS-5201", "Lower control arm with bushings", "Bergrade", 8_330, 8, 2),
        ("SUS-5301", "Ball joint, lower", "Bergrade", 3_585, 12, 4),
        ("SUS-5401", "Sway bar link", "Bergrade", 2_195, 22, 6),
        ("SUS-5501", "Wheel bearing and hub", "Rondell", 9_240, 9, 3),
    ),
    "Tires": (
        ("TIR-6101", "All-season tire 205/55 R16", "Meridian", 8_450, 32, 8),
        ("TIR-6102", "All-season tire 225/45 R17", "Meridian", 10_290, 24, 8),
        ("TIR-6103", "All-terrain tire 265/70 R17", "Meridian", 15_680, 16, 4),
        ("TIR-6201", "Winter tire 205/55 R16", "Norrland", 9_720, 16, 4),
        ("TIR-6301", "Tire pressure sensor", "Volta", 3_250, 24, 8),
        ("TIR-6401", "Valve stem, rubber", "Rondell", 145, 120, 40),
    ),
    "Fluids": (
        ("FLD-7101", "Engine oil 5W-30, quart", "Amberline", 545, 180, 60),
        ("FLD-7102", "Engine oil 0W-20, quart", "Amberline", 615, 180, 60),
        ("FLD-7201", "Brake fluid DOT 4, pint", "Amberline", 690, 36, 12),
        ("FLD-7301", "Coolant concentrate, gallon", "Amberline", 1_585, 30, 10),
        ("FLD-7401", "Automatic transmission fluid, quart", "Amberline", 780, 60, 20),
        ("FLD-7501", "Power steering fluid, pint", "Amberline", 625, 18, 6),
    ),
    "Exhaust": (
        ("EXH-8101", "Muffler, stainless", "Hushworks", 11_340, 5, 2),
        ("EXH-8201", "Catalytic converter, universal", "Hushworks", 32_900, 0, 1),
        ("EXH-8301", "Exhaust manifold gasket", "Sealwright", 1_235, 12, 4),
        ("EXH-8401", "Flex pipe, 2 inch", "Hushworks", 2_870, 8, 3),
        ("EXH-8501", "Exhaust hanger, rubber", "Hushworks", 385, 40, 10),
        ("EXH-8601", "Exhaust clamp, 2 inch", "Hushworks", 295, 50, 15),
    ),
    "Cooling": (
        ("COL-9101", "Radiator, aluminum", "Frostley", 16_420, 1, 2),
        ("COL-9201", "Water pump with gasket", "Frostley", 7_680, 8, 3),
        ("COL-9301", "Thermostat, 195 °F", "Frostley", 1_690, 16, 5),
        ("COL-9401", "Radiator hose, upper", "Frostley", 1_475, 14, 4),
        ("COL-9501", "Cooling fan assembly", "Frostley", 12_150, 4, 1),
        ("COL-9601", "Radiator cap, 16 psi", "Frostley", 785, 18, 5),
    ),
    "General": (
        ("GEN-0101", "Wiper blade, 24 inch", "Clearway", 965, 40, 12),
        ("GEN-0102", "Wiper blade, 18 inch", "Clearway", 845, 40, 12),
        ("GEN-0201", "Tie rod end, outer", "Bergrade", 3_240, 12, 4),
        ("GEN-0301", "Blower motor", "Brightline", 8_790, 4, 1),
        ("GEN-0401", "Refrigerant R-134a, can", "Frostley", 1_150, 36, 12),
        ("GEN-0601", "A/C compressor, rebuilt", "Frostley", 24_300, 1, 1),
    ),
}


def add_parts(timeline: Timeline, *, by: User) -> dict[str, Part]:
    """Create all parts with their initial stock."""
    timeline.start_minute(FIRST_COUNT)
    rows = [(category, row) for category in PARTS for row in PARTS[category]]
    parts = [
        _add_part(number, category, row, by)
        for number, (category, row) in enumerate(rows, start=1)
    ]
    return {part.part_number: part for part in parts}


def _add_part(number: int, category: str, row: Row, by: User) -> Part:
    part_number, name, manufacturer, cost, quantity, reorder_level = row
    return add_part(
        by=by,
        id=number,
        part_number=part_number,
        name=name,
        category=category,
        manufacturer=manufacturer,
        supplier=SUPPLIERS[category],
        current_cost_cents=cost,
        quantity_in_stock=quantity,
        reorder_level=reorder_level,
    )
