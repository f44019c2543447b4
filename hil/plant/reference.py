"""What the car does without any firmware, beside independent check runs: `python -m hil.plant.reference`.

A plain script stands in for driver and controller: both units share the torque half and half, full pedal ramps torque
by `LAUNCH_RAMP_NMPS`. `figures()` is what the command prints; the single measurements are functions of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import pi

import numpy as np
from numpy.typing import NDArray

from hil.plant.coefficients import GRAVITY_MPS2
from hil.plant.cycle import wltc_class3b
from hil.plant.drive_unit import loss_w, torque_available_nm
from hil.plant.parameters import Parameters, load_parameters
from hil.plant.plant import STEP_NS, Plant

LAUNCH_RAMP_NMPS = 943.0
"""Full torque of one motor in 0.35 s."""

ROLLOUT_M = 0.3048
"""1 ft: a drag strip's clock starts when the car has left its first light beam."""

QUARTER_MILE_M = 402.336
KMH = 1.0 / 3.6
_TICK_NS = 10_000_000

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """One line of the table. `expected` is None where no check run gives a value."""

    name: str
    value: float
    unit: str
    expected: float | None = None

    @property
    def deviation(self) -> float | None:
        """Of the value from the expected one, relative."""
        return None if self.expected is None else self.value / self.expected - 1.0


@dataclass(frozen=True)
class Launch:
    """Full pedal from rest, seconds. The quarter mile is counted from the end of the rollout."""

    to_100_kmh_s: float
    quarter_mile_s: float
    from_100_to_200_kmh_s: float


@dataclass(frozen=True)
class CycleEnergy:
    """A driven cycle: energy at the pack's terminals and out of the cells, work against the road, distance."""

    terminals_wh: float
    cells_wh: float
    road_wh: float
    distance_m: float
    worst_error_mps: float

    @property
    def whpkm(self) -> float:
        """At the pack's terminals."""
        return self.terminals_wh / self.distance_m * 1000.0


def ready_plant(parameters: Parameters | None = None, *, step_ns: int = STEP_NS, speed_mps: float = 0.0) -> Plant:
    """A plant with contactors closed and gates on, rolling without slip at this speed."""
    plant = Plant(parameters, step_ns=step_ns)
    plant.battery.link_voltage_v = plant.battery.open_circuit_v
    plant.main_closed = True
    plant.place(speed_mps)
    for unit in (plant.front, plant.rear):
        unit.gates_on = True
    return plant


def set_torque(plant: Plant, torque_nm: float) -> None:
    """The same target for both motors."""
    plant.front.target_torque_nm = plant.rear.target_torque_nm = torque_nm


def inertial_mass_kg(parameters: Parameters) -> float:
    """Mass of the car with its rotating parts seen from the road."""
    driveline, tyre = parameters.driveline, parameters.tyre
    rotating = 4.0 * tyre.wheel_inertia_kgm2 + 2.0 * driveline.motor_inertia_kgm2 * driveline.gear_ratio**2
    return parameters.vehicle.mass_kg + rotating / tyre.rolling_radius_m**2


def road_load_n(parameters: Parameters, speed_mps: float) -> float:
    """Rolling and air resistance on the flat, N, at a speed above zero."""
    vehicle = parameters.vehicle
    air = 0.5 * vehicle.air_density_kgpm3 * vehicle.drag_area_m2 * speed_mps**2
    return vehicle.rolling_resistance * vehicle.mass_kg * GRAVITY_MPS2 + air


def launch(parameters: Parameters | None = None, *, step_ns: int = STEP_NS) -> Launch:
    """Full pedal from rest on a dry, level road up to 200 km/h."""
    plant = ready_plant(parameters, step_ns=step_ns)
    step_s = step_ns * 1e-9
    torque = 0.0
    marks = {"100": 0.0, "200": 0.0, "rollout": 0.0, "quarter": 0.0}
    passed = {"100": (100 * KMH, False), "200": (200 * KMH, False)}
    passed |= {"rollout": (ROLLOUT_M, True), "quarter": (ROLLOUT_M + QUARTER_MILE_M, True)}
    steps = 0
    while passed:
        before = plant.speed_mps, plant.distance_m
        torque += LAUNCH_RAMP_NMPS * step_s
        for unit in (plant.front, plant.rear):
            unit.target_torque_nm = min(torque, unit.torque_available_nm(unit.speed_radps, plant.link_voltage_v))
        steps += 1
        plant.advance(steps * step_ns)
        after = plant.speed_mps, plant.distance_m
        for name, (level, is_distance) in list(passed.items()):
            if after[is_distance] >= level:
                share = (level - before[is_distance]) / (after[is_distance] - before[is_distance])
                marks[name] = (steps - 1 + share) * step_s
                del passed[name]
    return Launch(marks["100"], marks["quarter"] - marks["rollout"], marks["200"] - marks["100"])


def drive_cycle(speeds_mps: Iterable[float], parameters: Parameters | None = None) -> CycleEnergy:
    """Follow speeds, one a second with straight lines between, by feed-forward and feedback; brakes only at rest."""
    plant = ready_plant(parameters)
    car, losses = plant.parameters, plant.parameters.losses
    gear = car.driveline.gear_ratio / car.tyre.rolling_radius_m
    mass = inertial_mass_kg(car)
    speeds = [float(speed) for speed in speeds_mps]
    ticks = 1_000_000_000 // _TICK_NS
    worst = 0.0
    for second, (start, end) in enumerate(pairwise(speeds)):
        for tick in range(1, ticks + 1):
            wanted = start + (end - start) * tick / ticks
            force, plant.brake_pressure_bar = 0.0, 10.0
            if wanted > 0.0:
                drag_n = 2.0 * gear * (losses.drag_linear_w + losses.drag_square_w * gear * wanted)
                force = mass * (end - start) + road_load_n(car, wanted) + drag_n
                force += 4.0 * mass * (wanted - plant.speed_mps)
                plant.brake_pressure_bar = 0.0
            set_torque(plant, 0.5 * force / gear)
            plant.advance((second * ticks + tick) * _TICK_NS)
            worst = max(worst, abs(wanted - plant.speed_mps))
    battery = plant.battery
    return CycleEnergy(
        battery.terminal_energy_wh, battery.energy_wh, plant.road_energy_j / 3600.0, plant.distance_m, worst
    )


def cycle_torque(
    speeds_mps: NDArray[np.float64], step_s: float, parameters: Parameters | None = None
) -> tuple[Array, Array, float]:
    """What a cycle needs, without a plant; all braking is regeneration, and torque is zero at rest.

    Returns summed torque of both motors (Nm) and their speed (rpm) in the middle of each step, and the power of the
    auxiliaries (W).
    """
    car = parameters or load_parameters()
    losses, gear = car.losses, car.driveline.gear_ratio / car.tyre.rolling_radius_m
    time_s = np.arange(step_s / 2, len(speeds_mps) - 1, step_s)
    speed = np.interp(time_s, np.arange(len(speeds_mps)), speeds_mps)
    accel = np.diff(speeds_mps)[time_s.astype(int)]
    vehicle = car.vehicle
    road_n = (
        vehicle.rolling_resistance * vehicle.mass_kg * GRAVITY_MPS2
        + 0.5 * vehicle.air_density_kgpm3 * vehicle.drag_area_m2 * speed**2
    )
    turning = gear * speed
    drag_nm = 2.0 * (
        losses.drag_linear_w + losses.drag_square_w * turning + losses.drag_fixed_w / np.maximum(turning, 15.0)
    )
    torque = (inertial_mass_kg(car) * accel + road_n) / gear + drag_nm
    return np.where(speed > 0.0, torque, 0.0), turning * 30.0 / pi, car.battery.auxiliaries_w


def steady_whpkm(kmh: float, parameters: Parameters | None = None, *, seconds: float = 10.0) -> float:
    """Energy at the terminals at a constant speed on the flat, Wh/km."""
    plant = ready_plant(parameters, speed_mps=kmh * KMH)
    car = plant.parameters
    torque = 0.5 * road_load_n(car, kmh * KMH) * car.tyre.rolling_radius_m / car.driveline.gear_ratio
    start_wh = start_m = 0.0
    for tick in range(int(2 * seconds * 100)):
        error = kmh * KMH - plant.speed_mps
        torque += 0.2 * error
        set_torque(plant, torque + 40.0 * error)
        plant.advance((tick + 1) * _TICK_NS)
        if tick + 1 == int(seconds * 100):
            start_wh, start_m = plant.battery.terminal_energy_wh, plant.distance_m
    return (plant.battery.terminal_energy_wh - start_wh) / (plant.distance_m - start_m) * 1000.0


def step_response(
    friction_mu: float, torque_nm: float, *, speed_mps: float = 5.0, seconds: float = 0.6
) -> tuple[Array, Array]:
    """Time s and twist rad of the front driveline after a torque step on both axles, one value a millisecond."""
    plant = ready_plant(speed_mps=speed_mps)
    plant.set_friction(friction_mu)
    set_torque(plant, torque_nm)
    times, twists = [], []
    for step in range(1, round(seconds * 1000) + 1):
        plant.advance(step * STEP_NS)
        times.append(step * 1e-3)
        twists.append(plant.front.twist_rad)
    return np.array(times), np.array(twists)


def frequency_hz(time_s: Array, values: Array, *, settle_s: float = 0.02) -> float:
    """Frequency of a decaying oscillation around its final value, from the times of its zero crossings."""
    deviation = values - values[-len(values) // 4 :].mean()
    at = np.flatnonzero((deviation[:-1] * deviation[1:] < 0.0) & (time_s[1:] > settle_s))
    times = time_s[at] + (time_s[1] - time_s[0]) * deviation[at] / (deviation[at] - deviation[at + 1])
    strong = [t for t, i in zip(times, at, strict=True) if np.abs(deviation[i : i + 30]).max() > 1e-5]
    return float((len(strong) - 1) / 2.0 / (strong[-1] - strong[0]))


def shuffle_hz(*, ice: bool) -> float:
    """Frequency of the driveline after a torque step: wheels gripping, or sliding on ice (mu 0.1)."""
    return frequency_hz(*(step_response(0.1, 150.0) if ice else step_response(1.0, 50.0)))


def efficiency(parameters: Parameters, torque_nm: float, speed_rpm: float) -> float:
    """Of one drive unit in drive: shaft power over the power from the link."""
    speed = speed_rpm * pi / 30.0
    shaft_w = torque_nm * speed
    return shaft_w / (shaft_w + loss_w(parameters.losses, torque_nm, speed, True))


def envelope_kw(parameters: Parameters, speed_radps: float) -> float:
    """Shaft power that one unit gives at the nominal voltage."""
    motor = parameters.motor
    return torque_available_nm(motor, speed_radps, motor.nominal_voltage_v) * speed_radps * 1e-3


def quick_figures(parameters: Parameters | None = None) -> list[Figure]:
    """All but the driving cycle: less than a second."""
    car = parameters or load_parameters()
    run = launch(car)
    return [
        Figure("0-100 km/h", run.to_100_kmh_s, "s", 4.66),
        Figure("quarter mile after 1 ft rollout", run.quarter_mile_s, "s", 12.60),
        Figure("100-200 km/h", run.from_100_to_200_kmh_s, "s", 13.3),
        Figure("steady 90 km/h", steady_whpkm(90, car), "Wh/km", 158.0),
        Figure("steady 120 km/h", steady_whpkm(120, car), "Wh/km", 216.0),
        Figure("shuffle, gripping", shuffle_hz(ice=False), "Hz", 10.0),
        Figure("shuffle, on ice", shuffle_hz(ice=True), "Hz", 17.0),
        Figure("efficiency 50 Nm, 3000 rpm", 100 * efficiency(car, 50, 3000), "%", 93.2),
        Figure("efficiency 150 Nm, 4000 rpm", 100 * efficiency(car, 150, 4000), "%", 94.2),
        Figure("power of one unit at 650 rad/s", envelope_kw(car, 650), "kW", 150.0),
        Figure("power of one unit at 1431 rad/s", envelope_kw(car, 1431), "kW", 113.0),
    ]


def figures(parameters: Parameters | None = None) -> list[Figure]:
    """Everything, with WLTC class 3b (some ten seconds)."""
    car = parameters or load_parameters()
    energy = drive_cycle(wltc_class3b(), car)
    range_km = car.battery.usable_kwh * 1e6 / energy.whpkm / 1000.0
    return [
        *quick_figures(car),
        Figure("WLTC at the pack's terminals", energy.whpkm, "Wh/km", 159.2),
        Figure("WLTC out of the cells", energy.cells_wh / energy.distance_m * 1000.0, "Wh/km"),
        Figure("WLTC range from the usable energy", range_km, "km", 471.0),
    ]


def main() -> None:
    """Print the table."""
    print(f"{'':36}{'plant':>10}{'check run':>12}{'':>10}")
    for figure in figures():
        expected = "" if figure.expected is None else f"{figure.expected:.2f}"
        deviation = "" if figure.deviation is None else f"{100 * figure.deviation:+.2f} %"
        print(f"{figure.name:36}{figure.value:10.2f}{expected:>12}{deviation:>10}  {figure.unit}")


if __name__ == "__main__":
    main()
