"""Follows a speed cycle as a driver on a test bed does: looks ahead, knows the car roughly, corrects what remains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from hil.nodes.base import NS_PER_MS, NS_PER_S
from hil.plant.drive_unit import torque_available_nm
from twinaxle.errors import UserError

if TYPE_CHECKING:
    from hil.kernel import Kernel
    from hil.nodes.pedals import Pedals
    from hil.plant import Parameters, Plant

_STEP_NS = 20 * NS_PER_MS
_STEP_S = _STEP_NS / NS_PER_S
_STEP_HZ = NS_PER_S // _STEP_NS
_PREVIEW_S = 0.25  # pedal to acceleration takes about this long: step, slew, lag
_SPEED_GAIN = 1.0  # m/s2 for each m/s of error
_ACCEL_GAIN = 1.2  # 1/s: how quickly a wrong picture of the car is put right
_ACCEL_FILTER = _STEP_S / 0.1  # the driver feels acceleration with about 0.1 s of lag
_CORRECTION_MAX_MPS2 = 3.0
_STILL_MPS = 0.15
_HOLD_BAR = 15.0
_REGEN_MPS2 = 0.28 * 9.81  # what the driver expects of lift-off with OnePedal, and
_COAST_MPS2 = 0.06 * 9.81  # without; TQ-03
_FADE_KMH = (3.0, 8.0)  # and that it fades to nothing between these
_BRAKE_SLACK_MPS2 = 0.15  # the foot does not go to the brake for less

TOLERANCE_KMH = 2.0
"""WLTP: the speed lies within +-2 km/h of the cycle,"""
TOLERANCE_S = 1.0
"""taken over +-1 s."""
_CHECKS_PER_S = 10


@dataclass(frozen=True, slots=True)
class Violation:
    """The car left the band of the cycle: when (s of the cycle), how fast, and the band, km/h."""

    time_s: float
    speed_kmh: float
    low_kmh: float
    high_kmh: float


class _Feel:
    """What a driver knows of the own car: how it pulls at full travel, how it rolls, how it brakes."""

    def __init__(self, car: Parameters) -> None:
        vehicle, tyre, driveline = car.vehicle, car.tyre, car.driveline
        radius = tyre.rolling_radius_m
        turning = 2.0 * driveline.motor_inertia_kgm2 * driveline.gear_ratio**2 + 4.0 * tyre.wheel_inertia_kgm2
        mass = vehicle.mass_kg + turning / radius**2
        self._motor = car.motor
        self._radps_per_mps = driveline.gear_ratio / radius
        self._mps2_per_nm = 2.0 * driveline.gear_ratio / radius / mass
        self._roll = vehicle.rolling_resistance * 9.81
        self._air = 0.5 * vehicle.air_density_kgpm3 * vehicle.drag_area_m2 / mass
        self.brake_mps2 = car.brakes.torque_per_bar_nm / radius / mass
        """Deceleration for each bar."""

    def full_mps2(self, speed_mps: float) -> float:
        """Acceleration by the motors at full travel."""
        voltage = self._motor.nominal_voltage_v
        return torque_available_nm(self._motor, speed_mps * self._radps_per_mps, voltage) * self._mps2_per_nm

    def resistance_mps2(self, speed_mps: float) -> float:
        """Deceleration by rolling and air."""
        return self._roll + self._air * speed_mps * speed_mps


class Follower:
    """A cycle under way.

    `done`: the cycle is over; the car is held by the brake then. `elapsed_s`: time in the cycle.
    `violations`: each time that the car left the band of +-2 km/h within +-1 s; `outside_s`: how long in all.
    `worst_kmh`: farthest outside the band; negative: it always stayed inside by so much. `stop()` ends it and leaves
    the pedals as they are.
    """

    def __init__(
        self, kernel: Kernel, pedals: Pedals, plant: Plant, cycle_kmh: Iterable[float], *, one_pedal: bool
    ) -> None:
        speeds_kmh = [float(speed) for speed in cycle_kmh]
        if len(speeds_kmh) < 2:
            raise UserError("a cycle needs two speeds at least, one a second")
        self.kernel = kernel
        self.pedals = pedals
        self.plant = plant
        self.length_s = len(speeds_kmh) - 1
        self.violations: list[Violation] = []
        self.outside_s = 0.0
        self.worst_kmh = -TOLERANCE_KMH
        self.done = False
        self._speeds_mps = [v / 3.6 for v in speeds_kmh] + [speeds_kmh[-1] / 3.6] * 3
        self._lift_off_mps2 = _REGEN_MPS2 if one_pedal else _COAST_MPS2
        self._band = _band(speeds_kmh)
        self._start_ns = kernel.now_ns
        self._stopped = False
        self._inside = True
        self._accel_mps2 = 0.0
        self._correction_mps2 = 0.0
        self._steps = 0
        self._car = _Feel(plant.parameters)
        kernel.at(kernel.now_ns, self._step)

    @property
    def elapsed_s(self) -> float:
        """Time since the start of the cycle, s."""
        return min(float(self.length_s), (self.kernel.now_ns - self._start_ns) / NS_PER_S)

    def stop(self) -> None:
        self._stopped = True

    def _step(self) -> None:
        if self._stopped:
            return
        kernel, plant = self.kernel, self.plant
        plant.advance(kernel.now_ns)
        elapsed_s = (kernel.now_ns - self._start_ns) / NS_PER_S
        if elapsed_s >= self.length_s:
            self.done = self._stopped = True
            self.pedals.pedal_percent = 0.0
            self.pedals.brake_bar = _HOLD_BAR
            return
        kernel.at(kernel.now_ns + _STEP_NS, self._step)
        speed = plant.speed_mps
        if self._steps % (_STEP_HZ // _CHECKS_PER_S) == 0:
            self._judge(elapsed_s, speed * 3.6)
        self._steps += 1

        second = int(elapsed_s)
        speeds_mps = self._speeds_mps
        target = speeds_mps[second] + (speeds_mps[second + 1] - speeds_mps[second]) * (elapsed_s - second)
        ahead_s = elapsed_s + _PREVIEW_S
        second = int(ahead_s)
        rise = speeds_mps[second + 1] - speeds_mps[second]
        ahead = speeds_mps[second] + rise * (ahead_s - second)
        if target < 0.01 and ahead < 0.01 and abs(speed) < _STILL_MPS:
            self._correction_mps2 = 0.0
            self.pedals.pedal_percent = 0.0
            self.pedals.brake_bar = _HOLD_BAR
            return
        wish = rise + _SPEED_GAIN * (target - speed)
        self._accel_mps2 += _ACCEL_FILTER * (plant.accel_mps2 - self._accel_mps2)
        correction = self._correction_mps2 + _ACCEL_GAIN * _STEP_S * (wish - self._accel_mps2)
        self._correction_mps2 = max(-_CORRECTION_MAX_MPS2, min(_CORRECTION_MAX_MPS2, correction))
        self._press(wish + self._correction_mps2, speed)

    def _press(self, accel_mps2: float, speed_mps: float) -> None:
        """Feet for an acceleration: travel of the accelerator, or none and the brake."""
        pedals, car = self.pedals, self._car
        fade = (abs(speed_mps) * 3.6 - _FADE_KMH[0]) / (_FADE_KMH[1] - _FADE_KMH[0])
        fade = 0.0 if fade < 0.0 else 1.0 if fade > 1.0 else fade
        resistance = car.resistance_mps2(speed_mps)
        lowest = -self._lift_off_mps2 * fade  # by the motors, at no travel
        highest = car.full_mps2(speed_mps)  # by the motors, at full travel
        wanted = accel_mps2 + resistance
        percent = 100.0 * (wanted - lowest) / (highest - lowest)
        pedals.pedal_percent = 0.0 if percent < 0.0 else 100.0 if percent > 100.0 else percent
        missing = lowest - wanted - _BRAKE_SLACK_MPS2
        pedals.brake_bar = missing / car.brake_mps2 if missing > 0.0 else 0.0

    def _judge(self, elapsed_s: float, speed_kmh: float) -> None:
        low, high = self._band[min(len(self._band) - 1, round(elapsed_s * _CHECKS_PER_S))]
        beyond = max(low - speed_kmh, speed_kmh - high)
        self.worst_kmh = max(self.worst_kmh, beyond)
        if beyond > 0.0:
            self.outside_s += 1.0 / _CHECKS_PER_S
            if self._inside:
                self.violations.append(Violation(elapsed_s, speed_kmh, low, high))
        self._inside = beyond <= 0.0


def _band(speeds_kmh: Sequence[float]) -> list[tuple[float, float]]:
    """Lowest and highest speed allowed at every tenth of a second."""
    fine = [v0 + (v1 - v0) * k / _CHECKS_PER_S for v0, v1 in pairwise(speeds_kmh) for k in range(_CHECKS_PER_S)]
    fine.append(speeds_kmh[-1])
    reach = round(TOLERANCE_S * _CHECKS_PER_S)
    windows = (fine[max(0, i - reach) : i + reach + 1] for i in range(len(fine)))
    return [(min(window) - TOLERANCE_KMH, max(window) + TOLERANCE_KMH) for window in windows]
