"""What the driver controls send, compiled (see `hil.native`): sensors, selector, buttons."""

from __future__ import annotations

from ctypes import Structure
from typing import Any

from hil.native import access, compiled, structure
from hil.nodes.layout import layout_at
from hil.nodes.transmit import queue_next
from hil.plant.state import State

APPS1_MV = (500.0, 4500.0)
APPS2_MV = (250.0, 2250.0)
"""0 and 100 % of travel, TQ-01."""
APPS1_RANGE_MV = APPS1_MV[1] - APPS1_MV[0]
APPS2_RANGE_MV = APPS2_MV[1] - APPS2_MV[0]

BRAKE_SWITCH_BAR = 1.0
"""The brake lamp switch closes at a slight touch (assumed)."""

ASK = -1
"""`report` has sent nothing: the car is to be locked."""


@structure
class Feet(Structure):
    """What the driver does; gear and drive mode as the bus has them."""

    pedal_percent: float
    brake_bar: float
    start_button: bool
    one_pedal: bool
    gear_raw: int
    mode_raw: int
    parks: bool
    """The selector is in P."""


feet_at = access(Feet)
_plant_at = access(State)


@compiled
def report(feet: Any, plant: Any, pedals: Any, line: Any, now_ns: int, port: int) -> int:
    """The sensors into the bus's queue. Returns the number of messages that were queued, or `ASK`."""
    own = feet_at(feet)
    if own.parks and not _plant_at(plant).parking_lock:
        return ASK
    told, travel = layout_at(pedals), own.pedal_percent * 0.01
    told.values[0] = own.gear_raw
    told.values[1] = own.start_button
    told.values[2] = APPS1_MV[0] + APPS1_RANGE_MV * travel
    told.values[3] = APPS2_MV[0] + APPS2_RANGE_MV * travel
    told.values[4] = own.brake_bar
    told.values[5] = own.brake_bar > BRAKE_SWITCH_BAR
    told.values[6] = own.one_pedal
    told.values[7] = own.mode_raw
    return 1 if queue_next(told, line, now_ns, port, True) else 0
