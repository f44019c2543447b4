"""What the brake and stability controller sends, compiled (see `hil.native`): wheel speeds and motion."""

from __future__ import annotations

from ctypes import Structure
from typing import Any

from hil.native import access, compiled, structure
from hil.nodes.layout import layout_at
from hil.nodes.pedals_report import feet_at
from hil.nodes.transmit import queue_next
from hil.plant.state import State

ABS_MIN_MPS = 2.0
"""No ABS slower than this (assumed)."""

ASK = -1
"""`report` has sent nothing: the ABS works, or begins to."""


@structure
class Told(Structure):
    """What the ESC sends and does not measure."""

    valid: int
    abs_active: bool
    esc_active: bool
    limits_torque: bool
    torque_max_nm: float
    accel_y_mps2: float
    yaw_rate_dps: float
    kmh_per_radps: float


_told_at = access(Told)
_plant_at = access(State)


@compiled
def report(told: Any, plant: Any, feet: Any, speeds: Any, motion: Any, line: Any, now_ns: int, port: int) -> int:
    """Wheel speeds and motion into the bus's queue. Returns how many of the two were queued, or `ASK`.

    `feet` is the driver's on the pedals, 0 where there are none.
    """
    own, car = _told_at(told), _plant_at(plant)
    if feet != 0:
        braking = feet_at(feet).brake_bar > 0.0 and abs(car.speed_mps) > ABS_MIN_MPS
        if braking or own.abs_active:
            return ASK
    wheels, body = layout_at(speeds), layout_at(motion)
    front = abs(car.front_unit.wheel_speed_radps) * own.kmh_per_radps
    rear = abs(car.rear_unit.wheel_speed_radps) * own.kmh_per_radps
    wheels.values[0] = own.valid
    wheels.values[1], wheels.values[2] = front, front
    wheels.values[3], wheels.values[4] = rear, rear
    body.values[0] = own.abs_active
    body.values[1] = own.esc_active
    body.values[2] = own.limits_torque
    body.values[3] = car.accel_mps2
    body.values[4], body.values[5] = own.accel_y_mps2, own.yaw_rate_dps
    body.values[6] = own.torque_max_nm
    if not queue_next(wheels, line, now_ns, port, True):
        return 0
    return 2 if queue_next(body, line, now_ns, port, True) else 1
