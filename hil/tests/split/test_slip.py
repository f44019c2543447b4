"""Slip control in closed loop: launches and braking on slippery roads, grip that goes and comes, sensors that lie."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from hil.bench import Bench
from hil.faults import Fault

BAND_SHARE = 0.10
BAND_MPS = 5.0 / 3.6
"""SP-06: slip under 10 % or 5 km/h."""


@dataclass
class Course:
    """What a stretch of driving showed, sampled each 10 ms."""

    grip_share: list[float] = field(default_factory=list)
    """Force on the tyres over what the road can take."""
    band_use: list[float] = field(default_factory=list)
    """Slip of the worse axle over what SP-06 allows."""
    torques_nm: list[tuple[float, float]] = field(default_factory=list)

    def outside_ms(self) -> float:
        """Time until the slip is in its band for good."""
        return 10.0 * max((number + 1 for number, use in enumerate(self.band_use) if use > 1.0), default=0)

    def mean_grip(self) -> float:
        """Mean share of the grip that was used."""
        return sum(self.grip_share) / len(self.grip_share)


def drive(bench: Bench, seconds: float, sign: float = 1.0) -> Course:
    """Let time pass and watch; `sign` -1 for braking."""
    course = Course()
    plant = bench.plant
    radius = plant.parameters.tyre.rolling_radius_m
    for _ in range(round(seconds * 100)):
        bench.run(0.01)
        force = sum(unit.tyre_force_n for unit in (plant.front, plant.rear))
        road = sum(unit.friction_mu * unit.normal_force_n for unit in (plant.front, plant.rear))
        slip = max(sign * (unit.wheel_speed_radps * radius - plant.speed_mps) for unit in (plant.front, plant.rear))
        share = slip / max(abs(plant.speed_mps), 0.05)
        course.grip_share.append(sign * force / road)
        course.band_use.append(min(slip / BAND_MPS, share / BAND_SHARE))
        course.torques_nm.append((plant.front.torque_nm, plant.rear.torque_nm))
    return course


@pytest.mark.req("SP-06")
@pytest.mark.parametrize("mu", [0.1, 0.3])
def test_launch_on_a_slippery_road(driving: Bench, mu: float) -> None:
    driving.plant.set_friction(mu)
    driving.driver.pedal(100)
    driving.run(0.5)
    first = drive(driving, 0.5)
    later = drive(driving, 3.0)
    name = f"launch_mu_{round(100 * mu):03d}"
    driving.measure(
        f"{name}_band_percent",
        100 * max(first.band_use + later.band_use),
        100,
        req="SP-06",
        unit="%",
        comment="largest slip from 0.5 s on, of 10 % or 5 km/h, whichever is more",
    )
    driving.measure(
        f"{name}_grip_percent",
        100 * later.mean_grip(),
        at_least=90,
        req="SP-06",
        comment="mean tyre force from 1 s to 4 s, of mu m g",
    )
    driving.note(
        f"{name}_grip_from_half_a_second_percent", 100 * Course(first.grip_share + later.grip_share).mean_grip()
    )


@pytest.mark.req("SP-06")
@pytest.mark.parametrize("pedal", [30, 50])
def test_grip_goes_and_comes_back(driving: Bench, pedal: int) -> None:
    driving.driver.pedal(pedal)
    driving.until(lambda: driving.speed_kmh > 40, timeout=20)
    before_nm = driving.plant.front.torque_nm
    driving.plant.set_friction(0.1)
    ice = drive(driving, 1.0)
    driving.plant.set_friction(1.0)
    dry = drive(driving, 1.0)
    name = f"mu_step_{pedal}_percent_pedal"
    driving.measure(
        f"{name}_in_band_ms",
        ice.outside_ms(),
        300,
        req="SP-06",
        comment=f"mu 1 to 0.1 at 40 km/h with {before_nm:.0f} Nm a motor",
    )
    driving.measure(f"{name}_back_in_band_ms", dry.outside_ms(), 300, req="SP-06", comment="mu 0.1 to 1")
    least = min(min(pair) for pair in ice.torques_nm + dry.torques_nm)
    driving.measure(f"{name}_least_torque_nm", least, at_least=-0.01, req="SP-06", comment="no sign change")
    assert driving.plant.front.torque_nm > 0.9 * before_nm, "the torque comes back"


@pytest.mark.req("SP-06")
def test_grip_lost_with_full_torque(driving: Bench) -> None:
    """The units' own 5000 Nm/s bound this: noted, not asked for."""
    driving.driver.pedal(100)
    driving.until(lambda: driving.speed_kmh > 40, timeout=20)
    driving.plant.set_friction(0.1)
    ice = drive(driving, 1.0)
    driving.note("mu_step_full_torque_in_band_ms", ice.outside_ms(), comment="330 Nm a motor at 40 km/h")
    assert min(min(pair) for pair in ice.torques_nm) > -0.01
    driving.measure("mu_step_full_torque_in_band_limit_ms", ice.outside_ms(), 600, comment="bounded all the same")


@pytest.mark.req("SP-05", "SP-06")
@pytest.mark.parametrize("mu", [0.1, 0.3])
def test_regeneration_locks_no_wheel(driving: Bench, mu: float) -> None:
    driving.driver.pedal(40)
    driving.until(lambda: driving.speed_kmh > 60, timeout=20)
    driving.driver.one_pedal(True)
    driving.driver.pedal(10)
    driving.run(1)
    driving.plant.set_friction(mu)
    driving.driver.pedal(0)
    braking = drive(driving, 2.0, sign=-1.0)
    name = f"regeneration_mu_{round(100 * mu):03d}"
    driving.measure(
        f"{name}_in_band_ms", braking.outside_ms(), 300, req="SP-06", comment="lift-off with OnePedal, 60 km/h"
    )
    # Oracle G4 (no rear lock) judges at the end of the run


def dry_launch(bench: Bench) -> float:
    """Seconds from rest to 60 km/h with full pedal."""
    bench.driver.pedal(100)
    return bench.until(lambda: bench.speed_kmh > 60, timeout=10)


LIES = {
    "front motor 10 % fast": lambda bench: bench.faults.sensor("INV_F", "speed_radps", gain=1.1),
    "rear motor stuck": lambda bench: bench.faults.sensor("INV_R", "speed_radps", stuck=10.0),
    "one wheel stands": lambda bench: bench.faults.sensor("ESC", "front_left_kmh", stuck=0.0),
    "one wheel races": lambda bench: bench.faults.sensor("ESC", "rear_right_kmh", offset=30.0),
    "no acceleration": lambda bench: bench.faults.sensor("ESC", "accel_x_mps2", stuck=0.0),
    "too much acceleration": lambda bench: bench.faults.sensor("ESC", "accel_x_mps2", offset=3.0),
    "too little acceleration": lambda bench: bench.faults.sensor("ESC", "accel_x_mps2", offset=-3.0),
}


def lie(bench: Bench, name: str) -> Fault:
    """Have one sensor lie from now on."""
    fault: Fault = LIES[name](bench)
    return fault


@pytest.mark.req("SP-06")
@pytest.mark.parametrize("name", LIES)
def test_one_sensor_that_lies_causes_no_slip_control(driving: Bench, name: str) -> None:
    lie(driving, name)
    seconds = dry_launch(driving)
    driving.measure("dry_0_60_with_lie_s", seconds, 2.9, req="SP-06", comment=f"{name}; 2.6 s without")


@pytest.mark.req("SP-06")
@pytest.mark.parametrize("name", LIES)
def test_one_sensor_that_lies_hides_no_slip(driving: Bench, name: str) -> None:
    driving.plant.set_friction(0.2)
    lie(driving, name)
    driving.driver.pedal(100)
    driving.run(0.5)
    course = drive(driving, 3.0)
    worst = max(course.band_use)
    driving.measure(
        "band_with_lie_percent", 100 * worst, 100, req="SP-06", unit="%", comment=f"{name}, launch at mu 0.2"
    )
    driving.note("grip_with_lie_percent", 100 * course.mean_grip(), comment=name)
    assert course.mean_grip() > 0.2, "the car gets going"


@pytest.mark.req("SP-06")
@pytest.mark.parametrize("valid", [0b0000, 0b1110, 0b1100])
def test_wheels_marked_invalid_are_not_used(driving: Bench, valid: int) -> None:
    driving.car.esc.valid = valid
    for wheel in ("front_left", "front_right", "rear_left", "rear_right")[: 4 if not valid else 1 if valid & 2 else 2]:
        driving.faults.sensor("ESC", f"{wheel}_kmh", stuck=99.0)
    driving.plant.set_friction(0.2)
    driving.driver.pedal(100)
    driving.run(0.5)
    course = drive(driving, 2.0)
    driving.measure("band_with_invalid_wheels_percent", 100 * max(course.band_use), 100, req="SP-06", unit="%")
    assert course.mean_grip() > 0.4


@pytest.mark.req("SP-04", "SP-06")
def test_an_axle_on_ice_leaves_the_torque_to_the_other(driving: Bench) -> None:
    driving.plant.set_friction(0.1, 1.0)
    driving.driver.pedal(55)
    driving.run(0.5)
    course = drive(driving, 1.5)
    front, rear = course.torques_nm[-1]
    driving.measure(
        "rear_torque_with_front_on_ice_nm", rear, at_least=250, req="SP-04", comment=f"front {front:.0f} Nm"
    )
    driving.measure("front_on_ice_band_percent", 100 * max(course.band_use), 100, req="SP-06", unit="%")
