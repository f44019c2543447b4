"""Pieces of drives in which torque is measured."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hil.bench import Bench
from hil.plant.plant import GRAVITY_MPS2

AtSpeed = Callable[[float], Bench]
"""Brings a car to a speed in km/h."""


def reach(bench: Bench, kmh: float) -> Bench:
    """Full pedal to a speed, then pedal off."""
    bench.driver.pedal(100)
    bench.until(lambda: bench.speed_kmh >= kmh, timeout=60)
    bench.driver.pedal(0)
    return bench


def requested_nm(bench: Bench, since_s: float = 0.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Torque requests of both inverters, one row a command since a time: (front, rear)."""
    found = []
    for name in ("VcuInvFrontCommand", "VcuInvRearCommand"):
        times, values = bench.series(name, "TorqueRequest")
        found.append(values[times >= since_s * 1e9])
    count = min(map(len, found))
    return found[0][:count], found[1][:count]


def braking_g(bench: Bench) -> float:
    """Deceleration that the motors make, from their torques in the plant and the car's mass."""
    plant = bench.plant
    parameters = plant.parameters
    torque_nm = plant.front.torque_nm + plant.rear.torque_nm
    force_n = torque_nm * parameters.driveline.gear_ratio / parameters.tyre.rolling_radius_m
    return -force_n / (parameters.vehicle.mass_kg * GRAVITY_MPS2)
