"""The plant's state, in one piece of memory for the compiled step."""

from __future__ import annotations

from ctypes import Structure

from hil.native import structure
from hil.plant.battery import Battery
from hil.plant.coefficients import Coefficients
from hil.plant.drive_unit import DriveUnit


@structure
class State(Structure):
    """All that changes in the plant, and the constants of its step."""

    brake_pressure_bar: float
    parking_lock: bool
    slope_percent: float
    wind_mps: float
    speed_mps: float
    accel_mps2: float
    distance_m: float
    road_energy_j: float
    """Work against rolling resistance, air and slope."""
    transfer_n: float
    """Load that acceleration moves from the front to the rear axle."""
    front_unit: DriveUnit
    rear_unit: DriveUnit
    pack: Battery
    coefficients: Coefficients
    step_ns: int
    steps: int
    """Steps made so far."""
    next_ns: int
    """Before this time `advance` has nothing to do."""
    slow_ns: int
    """When heat and open-circuit voltage are to be stepped next."""
