"""The jobs and notes of the demo: problems, findings, minutes and parts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """A problem, its cause, and the minutes and parts of the repair."""

    problem: str
    finding: str
    minutes: int
    parts: tuple[tuple[str, int], ...] = ()


JOBS = (
    Job(
        "Grinding noise from the front when braking, worse going downhill.",
        "Front pads are down to the backing plates, both rotors are scored.",
        110,
        (("BRK-1101", 1), ("BRK-1201", 2), ("FLD-7201", 1)),
    ),
    Job(
        "Squeal from the rear brakes in the morning.",
        "Rear pads at 2 mm. Rotors measure fine and stay.",
        70,
        (("BRK-1102", 1),),
    ),
    Job(
        "Pulls to the left under braking.",
        "Front caliper sticks on its pins; the hose next to it has swollen.",
        135,
        (("BRK-1301", 1), ("BRK-1401", 1), ("BRK-1101", 1), ("FLD-7201", 1)),
    ),
    Job(
        "Oil change, and please look at the air filter.",
        "Oil was two quarts low. Air filter full of leaves.",
        45,
        (("FLT-2101", 1), ("FLD-7101", 5), ("FLT-2201", 1)),
    ),
    Job(
        "Scheduled service. The dashboard asks for it.",
        "Routine service, nothing unusual found.",
        60,
        (("FLT-2102", 1), ("FLD-7102", 5), ("FLT-2301", 1)),
    ),
    Job(
        "Musty smell whenever the heater runs.",
        "A mouse nest in the cabin filter housing.",
        35,
        (("FLT-2301", 1),),
    ),
    Job(
        "Engine stumbles at traffic lights, check engine light flashes.",
        "Misfire on cylinder 3: cracked coil, plugs well past their life.",
        95,
        (("ENG-3101", 4), ("ENG-3201", 1)),
    ),
    Job(
        "Timing belt is due according to the service book.",
        "Belt shows its age, no damage. Water pump replaced with it.",
        260,
        (("ENG-3301", 1), ("COL-9201", 1), ("FLD-7301", 1)),
    ),
    Job(
        "Chirping from under the hood after a cold start.",
        "Serpentine belt glazed, tensioner still good.",
        50,
        (("ENG-3401", 1),),
    ),
    Job(
        "Smell of burning oil after the motorway.",
        "Valve cover gasket weeps onto the manifold.",
        125,
        (("ENG-3501", 1), ("FLD-7101", 1)),
    ),
    Job(
        "Shudders when put into drive.",
        "Front engine mount has torn; the others are fine.",
        140,
        (("ENG-3601", 1),),
    ),
    Job(
        "Only clicks when I turn the key, third time this week.",
        "Battery holds 40 % of its rated current. Charging system is fine.",
        40,
        (("ELE-4101", 1),),
    ),
    Job(
        "Battery light stays on while driving.",
        "Alternator puts out 11.9 V under load.",
        120,
        (("ELE-4201", 1), ("ENG-3401", 1)),
    ),
    Job(
        "Starter whirs but the engine does not turn.",
        "Starter pinion does not engage.",
        105,
        (("ELE-4301", 1),),
    ),
    Job(
        "Both low beams look dim and yellow.",
        "Bulbs blackened; lenses polished at no charge.",
        30,
        (("ELE-4401", 2),),
    ),
    Job(
        "Check engine light is on, uses more fuel than before.",
        "Upstream oxygen sensor reacts slowly, mixture runs rich.",
        80,
        (("ELE-4501", 1), ("FLT-2201", 1)),
    ),
    Job(
        "Hesitates when overtaking.",
        "Air flow sensor reads a third too low even after cleaning.",
        75,
        (("ELE-4601", 1),),
    ),
    Job(
        "Clunk from the front right over speed bumps.",
        "Sway bar link has play, lower ball joint close to its limit.",
        115,
        (("SUS-5401", 2), ("SUS-5301", 1)),
    ),
    Job(
        "Bounces like a boat on the county road.",
        "Struts leak at the front, rear shocks are weak.",
        210,
        (("SUS-5101", 2), ("SUS-5102", 2)),
    ),
    Job(
        "Humming that grows with speed and fades in left bends.",
        "Right front wheel bearing is rough.",
        130,
        (("SUS-5501", 1),),
    ),
    Job(
        "Steering wanders and the tires wear on the inside.",
        "Outer tie rod end loose. Replaced, toe set.",
        100,
        (("GEN-0201", 1), ("SUS-5201", 1)),
    ),
    Job(
        "New tires before the holidays, please.",
        "Old set from six years ago, cracked at the shoulders.",
        75,
        (("TIR-6101", 4), ("TIR-6401", 4)),
    ),
    Job(
        "Picked up a screw, slow leak at the back.",
        "Hole is in the shoulder and cannot be plugged: a pair replaced.",
        55,
        (("TIR-6102", 2), ("TIR-6401", 2)),
    ),
    Job(
        "Tire pressure warning does not go out.",
        "Sensor battery at the left rear is empty.",
        40,
        (("TIR-6301", 1), ("TIR-6401", 1)),
    ),
    Job(
        "Sounds like a tractor since yesterday.",
        "Flex pipe burst, one hanger torn off.",
        90,
        (("EXH-8401", 1), ("EXH-8501", 2), ("EXH-8601", 2)),
    ),
    Job(
        "Failed the emissions test.",
        "Converter efficiency below the limit, no leak before it.",
        150,
        (("EXH-8201", 1), ("EXH-8301", 1)),
    ),
    Job(
        "Rattle from the back at idle.",
        "Baffle inside the muffler has come loose.",
        85,
        (("EXH-8101", 1), ("EXH-8601", 2)),
    ),
    Job(
        "Temperature needle climbs in traffic.",
        "Thermostat opens late, cap does not hold its pressure.",
        80,
        (("COL-9301", 1), ("COL-9601", 1), ("FLD-7301", 1)),
    ),
    Job(
        "Green puddle under the car every morning.",
        "Radiator seeps at the side tank, upper hose is soft.",
        155,
        (("COL-9101", 1), ("COL-9401", 1), ("FLD-7301", 2)),
    ),
    Job(
        "Wipers leave streaks, and a check before a long trip.",
        "Blades replaced, fluids topped up, everything else in order.",
        30,
        (("GEN-0101", 1), ("GEN-0102", 1)),
    ),
    Job(
        "Air conditioning blows warm.",
        "Refrigerant low; dye added to find the leak at the next visit.",
        65,
        (("GEN-0401", 2),),
    ),
    Job(
        "Heater fan works on the highest setting only.",
        "Blower motor draws too much and has cooked its resistor.",
        95,
        (("GEN-0301", 1),),
    ),
    Job(
        "Going to buy this car: what do you think of it?",
        "Inspection sheet filled in. Sound car, tires last one more season.",
        60,
    ),
)

#: The job of ticket 1, at which new users look first.
FIRST_JOB = Job(
    "Shakes at highway speed and squeaks when it is cold.",
    "To be looked at: wheel balance first, then the front brakes.",
    90,
)

COUNTER_NOTES = (
    "Customer waits in the lounge.",
    "Please call before anything over $300.",
    "Spare key is in the envelope.",
    "Customer needs the car back by Friday.",
    "Child seat in the back, leave it where it is.",
)
FOLLOW_UP_NOTES = (
    "Your car is ready. We are open until six.",
    "Picked up and paid.",
    "Called the day after: all is well.",
    "We put your old parts into the trunk, as you asked.",
)
WAITING_NOTES = (
    "Waiting for a part, the supplier promises two days.",
    "Waiting for your approval of the estimate.",
    "Waiting for the machine shop.",
)
CANCEL_NOTES = (
    "Customer decided to sell the car instead.",
    "Estimate was too high for the car's age.",
    "Noise did not come back on three test drives.",
    "Customer will have it done under the maker's recall.",
)
REOPEN_NOTE = "You told us that the noise is back: we look at it again, free of charge."
SECOND_ROLES = ("Apprentice", "Diagnostics", "Quality check")
