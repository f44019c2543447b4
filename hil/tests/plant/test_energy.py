"""Energy is conserved: what leaves the cells arrives somewhere.

The meter below takes the terms that the plant does not count itself (motion, springs, tyres, brakes) from its truth
before and after each step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt

import pytest

from hil.plant import Plant
from hil.plant.drive_unit import DriveUnit
from hil.plant.reference import ready_plant, set_torque


@dataclass
class Meter:
    """Steps a plant and sums, in J, what the shafts, tyres and brakes turn into heat. The car rolls forward."""

    plant: Plant
    shaft_j: float = 0.0
    slip_j: float = 0.0
    brake_j: float = 0.0
    auxiliaries_j: float = 0.0
    _start_j: float = field(init=False)

    def __post_init__(self) -> None:
        self._start_j = self.stored_j()

    def stored_j(self) -> float:
        """Kinetic energy of car, motors and wheels, and that of the twisted shafts."""
        car = self.plant.parameters
        total = 0.5 * car.vehicle.mass_kg * self.plant.speed_mps**2
        for unit in (self.plant.front, self.plant.rear):
            total += 0.5 * car.driveline.motor_inertia_kgm2 * unit.speed_radps**2
            total += car.tyre.wheel_inertia_kgm2 * unit.wheel_speed_radps**2
            total += 0.5 * car.driveline.stiffness_nmprad * unit.twist_rad**2
        return total

    def run(self, seconds: float) -> None:
        """Advance step by step."""
        plant = self.plant
        step_s = plant.step_ns * 1e-9
        for _ in range(round(seconds / step_s)):
            speed = plant.speed_mps
            before = [self._axle(unit) for unit in (plant.front, plant.rear)]
            plant.advance(plant.time_ns + plant.step_ns)
            mean_mps = 0.5 * (speed + plant.speed_mps)
            for unit, start in zip((plant.front, plant.rear), before, strict=True):
                self._count(unit, start, mean_mps, step_s)
            self.auxiliaries_j += plant.parameters.battery.auxiliaries_w * step_s

    def _axle(self, unit: DriveUnit) -> tuple[float, float, float]:
        """Wheel speed, torque of the shaft by its damping, and by damping and twist."""
        line = self.plant.parameters.driveline
        critical = 2.0 * sqrt(line.stiffness_nmprad * line.motor_inertia_kgm2) * line.gear_ratio
        damping = line.damping_share * critical * (unit.speed_radps / line.gear_ratio - unit.wheel_speed_radps)
        return unit.wheel_speed_radps, damping, damping + line.stiffness_nmprad * unit.twist_rad

    def _count(self, unit: DriveUnit, start: tuple[float, float, float], car_mps: float, step_s: float) -> None:
        tyre, line = self.plant.parameters.tyre, self.plant.parameters.driveline
        wheel, damping, shaft = start
        mean = 0.5 * (wheel + unit.wheel_speed_radps)
        inertia = 2.0 * tyre.wheel_inertia_kgm2
        from_road = tyre.rolling_radius_m * unit.tyre_force_n
        self.shaft_j += damping * (unit.speed_radps / line.gear_ratio - unit.wheel_speed_radps) * step_s
        self.slip_j += unit.tyre_force_n * (mean * tyre.rolling_radius_m - car_mps) * step_s
        self.brake_j += ((shaft - from_road) * step_s - inertia * (unit.wheel_speed_radps - wheel)) * mean

    def residual_j(self) -> float:
        """What is missing of the cells' energy."""
        plant = self.plant
        units_j = plant.front.loss_j + plant.rear.loss_j
        pack_j = plant.battery.energy_j - plant.battery.terminal_energy_j
        heat_j = units_j + pack_j + self.shaft_j + self.slip_j + self.brake_j + self.auxiliaries_j
        return plant.battery.energy_j - heat_j - plant.road_energy_j - (self.stored_j() - self._start_j)


def accelerate(step_ns: int = 1_000_000) -> Meter:
    meter = Meter(ready_plant(step_ns=step_ns, speed_mps=3.0))
    set_torque(meter.plant, 200.0)
    meter.run(6.0)
    return meter


def test_acceleration() -> None:
    meter = accelerate()
    assert meter.stored_j() > 0.5e6
    assert abs(meter.residual_j()) < 0.0005 * meter.plant.battery.energy_j
    assert abs(meter.brake_j) < 1.0, "nothing brakes"


def test_residual_is_the_error_of_the_step() -> None:
    """It goes to zero with the step, so that no term of the balance is left out."""
    coarse, fine = accelerate(1_000_000).residual_j(), accelerate(250_000).residual_j()
    assert abs(fine) < 0.3 * abs(coarse) + 1.0


def test_regeneration() -> None:
    meter = Meter(ready_plant(speed_mps=30.0))
    start_j = meter.stored_j()
    set_torque(meter.plant, -100.0)
    meter.run(6.0)
    assert abs(meter.residual_j()) < 0.0005 * (start_j - meter.stored_j())
    assert meter.plant.battery.energy_j < -0.5 * (start_j - meter.stored_j()), "most of it comes back"


def test_friction_brakes() -> None:
    meter = Meter(ready_plant(speed_mps=30.0))
    start_j = meter.stored_j()
    meter.plant.brake_pressure_bar = 30.0
    meter.run(4.0)
    lost_j = start_j - meter.stored_j()
    assert lost_j > 0.3e6
    assert abs(meter.residual_j()) < 0.0005 * lost_j
    assert meter.brake_j == pytest.approx(lost_j, rel=0.15)


def test_uphill_against_wind_on_snow() -> None:
    meter = Meter(ready_plant(speed_mps=8.0))
    meter.plant.slope_percent = 5.0
    meter.plant.wind_mps = 7.0
    meter.plant.set_friction(0.3, 0.2)
    set_torque(meter.plant, 75.0)
    meter.run(5.0)
    assert meter.slip_j > 1000.0
    assert abs(meter.residual_j()) < 0.001 * meter.plant.battery.energy_j


def test_cells_and_terminals_differ_by_the_heat_of_the_resistance() -> None:
    plant = ready_plant()
    plant.parking_lock = True
    for step in range(1, 1001):
        plant.advance(step * 1_000_000)
    battery = plant.battery
    power_w = battery.terminal_energy_j
    current_a = power_w / battery.pack_voltage_v
    heat_j = battery.energy_j - battery.terminal_energy_j
    assert heat_j == pytest.approx(battery.parameters.resistance_ohm * current_a**2, rel=0.01)
    gates_w = 2.0 * plant.parameters.losses.gates_fixed_w
    assert power_w == pytest.approx(battery.parameters.auxiliaries_w + gates_w, rel=1e-6)
