"""Slip control in closed loop: launches and braking on slippery roads, grip that goes and comes, sensors that lie."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from hil.bench import Bench
from hil.faults import Fault
from hil.pytest_plugin import BenchFactory
from hil.scenarios.slip import Course, drive, grip_lost_ms, launch, varied
from hil.workshop import variant_calibration
from twinaxle.calibration import Calibration


@pytest.mark.req("SP-06")
@pytest.mark.parametrize("mu", [0.1, 0.3])
def test_launch_on_a_slippery_road(driving: Bench, mu: float) -> None:
    first, later = launch(driving, mu)
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
@pytest.mark.parametrize("pedal", [34, 54])
def test_grip_goes_and_comes_back(driving: Bench, pedal: int) -> None:
    driving.driver.pedal(pedal)
    driving.until(lambda: driving.speed_kmh > 40, timeout=20)
    before_nm = driving.plant.front.torque_nm
    driving.plant.set_friction(0.1)
    ice = drive(driving, 1.0)
    assert driving.observer.label("VcuStatus", "LimitReason") == "Slip"
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


class Lost(NamedTuple):
    """Grip that went: torques before, and the time until the slip was in its band for good."""

    front_nm: float
    rear_nm: float
    milliseconds: float


def grip_lost(
    new_bench: BenchFactory,
    pedal: float,
    kmh: float,
    phase_ms: float = 0,
    *,
    perfect: bool = False,
    seed: int = 1,
    calibration: Calibration | None = None,
) -> Lost:
    """Grip goes at a speed with a pedal, so long after that speed was reached."""
    bench = new_bench(seed=seed, calibration=calibration)
    bench.start_up()
    bench.driver.pedal(pedal)
    bench.until(lambda: bench.speed_kmh > kmh, timeout=20)
    bench.run(phase_ms / 1000)
    before_nm = bench.plant.front.torque_nm, bench.plant.rear.torque_nm
    milliseconds = grip_lost_ms(bench, perfect=perfect)
    bench.end(judge=not perfect)  # a perfect controller's commands are not those of the firmware
    return Lost(*before_nm, milliseconds)


PHASES_MS = (0, 2, 4, 6, 8)
"""Of the step of friction in the cycles of all nodes, 10 ms."""


SEEDS = (1, 2)
"""Of the nodes' phases and clocks: with those of the second one the news of the wheels come late."""


@pytest.mark.req("SP-06")
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kmh", [20, 40, 60])
def test_grip_lost_with_most_of_the_torque(new_bench: BenchFactory, kmh: float, seed: int) -> None:
    runs = [grip_lost(new_bench, 76, kmh, phase, seed=seed) for phase in PHASES_MS]
    bench = new_bench()
    bench.measure(
        f"mu_step_at_{kmh}_kmh_76_percent_pedal_in_band_ms",
        max(run.milliseconds for run in runs),
        300,
        req="SP-06",
        comment=f"{runs[0].front_nm:.0f} Nm in front and {runs[0].rear_nm:.0f} Nm behind, worst of five phases, "
        f"seed {seed}",
    )


PEDALS = (24, 26, 28, 28.5, 29, 30, 30.1, 31, 33, 36)
"""A little more torque than the slippery road takes: the wheels come on slowly."""


@pytest.mark.req("SP-06")
@pytest.mark.parametrize("kmh", [40, 60])
def test_grip_lost_with_little_torque(new_bench: BenchFactory, kmh: float) -> None:
    runs = [grip_lost(new_bench, pedal, kmh) for pedal in PEDALS]
    bench = new_bench()
    bench.measure(
        f"mu_step_at_{kmh}_kmh_little_torque_in_band_ms",
        max(run.milliseconds for run in runs),
        300,
        req="SP-06",
        comment=f"worst of {len(PEDALS)} pedals, {runs[0].front_nm:.0f} to {runs[-1].front_nm:.0f} Nm in front",
    )


@pytest.mark.req("SP-06")
@pytest.mark.parametrize("share", [-0.15, 0.15])
@pytest.mark.parametrize(
    "name", ["slip.inertia_dnm", "slip.begin_came_rpm", "slip.unheld_below_e3", "slip.doubt_mmps2"]
)
def test_grip_lost_with_little_torque_and_a_number_off(new_bench: BenchFactory, name: str, share: float) -> None:
    off = varied(variant_calibration("78kWh"), name, share)
    runs = [grip_lost(new_bench, pedal, 40, calibration=off) for pedal in (26, 28, 30, 32)]
    bench = new_bench()
    worst = max(run.milliseconds for run in runs)
    comment = f"{name} {100 * share:+.0f} %, four pedals"
    bench.measure("mu_step_off_in_band_ms", worst, 300, req="SP-06", comment=comment)


@pytest.mark.parametrize(
    ("kmh", "pedal", "seed"), [(20, 100, 1), (40, 100, 1), (60, 100, 1), (20, 100, 2), (40, 82, 1), (40, 82, 2)]
)
def test_grip_lost_with_full_torque_is_as_good_as_it_can_be(
    new_bench: BenchFactory, kmh: float, pedal: float, seed: int
) -> None:
    """From 310 Nm on the units' 5000 Nm/s and the road's 45 Nm can take more than 300 ms, whoever commands them."""
    bounds = [grip_lost(new_bench, pedal, kmh, phase, perfect=True, seed=seed).milliseconds for phase in PHASES_MS]
    runs = [grip_lost(new_bench, pedal, kmh, phase, seed=seed) for phase in PHASES_MS]
    times = [run.milliseconds for run in runs]
    bench = new_bench()
    name = f"mu_step_at_{kmh}_kmh_{pedal}_percent_pedal"
    torques = f"{runs[0].front_nm:.0f} Nm in front and {runs[0].rear_nm:.0f} Nm behind"
    bench.note(f"{name}_bound_ms", max(bounds), comment="zero torque from the first command that could know")
    bench.note(f"{name}_in_band_ms", max(times), comment=f"{torques}, worst of five phases, seed {seed}")
    bench.measure(f"{name}_behind_bound_ms", max(times) - max(bounds), 10, comment="worst of five phases of each")


@pytest.mark.req("SP-06")
def test_grip_lost_with_full_torque_turns_no_torque(driving: Bench) -> None:
    driving.driver.pedal(100)
    driving.until(lambda: driving.speed_kmh > 40, timeout=20)
    driving.plant.set_friction(0.1)
    ice = drive(driving, 1.0)
    least = min(min(pair) for pair in ice.torques_nm)
    driving.measure("mu_step_full_torque_least_torque_nm", least, at_least=-0.01, req="SP-06", comment="no sign change")


# Numbers of slip control that are off, and a road; `make bench-slip` has them all
OFF: list[tuple[str, float, float]] = [
    ("slip.target_least_rpm", -0.15, 0.1),
    ("slip.target_least_rpm", 0.15, 0.08),
    ("slip.back_ticks", -0.15, 0.08),
    ("slip.back_ticks", 0.15, 0.1),
    ("slip.inertia_dnm", -0.15, 0.1),
    ("slip.inertia_dnm", 0.15, 0.3),
    ("slip.climb_ticks", -0.15, 0.1),
    ("slip.retry_below_e3", 0.15, 0.3),
    ("slip.target_at_full_grip_e4", 0.15, 0.5),
    ("slip.target_at_full_grip_e4", -0.15, 0.3),
]


@pytest.mark.req("SP-06")
@pytest.mark.parametrize(("name", "share", "mu"), OFF)
def test_no_number_stands_at_a_cliff(new_bench: BenchFactory, name: str, share: float, mu: float) -> None:
    bench = new_bench(calibration=varied(variant_calibration("78kWh"), name, share))
    bench.start_up()
    first, later = launch(bench, mu)
    comment = f"{name} {100 * share:+.0f} %, launch at mu {mu:g}"
    used = 100 * max(first.band_use + later.band_use)
    bench.measure("launch_off_band_percent", used, 100, req="SP-06", unit="%", comment=comment)
    bench.measure("launch_off_grip_percent", 100 * later.mean_grip(), at_least=90, req="SP-06", comment=comment)


@pytest.mark.req("SP-06")
@pytest.mark.parametrize("percent", [-15, -10, 5, 10])
@pytest.mark.parametrize("mu", [0.2, 0.3])
def test_launch_on_a_slope(driving: Bench, mu: float, percent: float) -> None:
    driving.plant.slope_percent = percent
    first, later = launch(driving, mu)
    comment = f"slope {percent:+g} %, mu {mu:g}"
    used = 100 * max(first.band_use + later.band_use)
    driving.measure("launch_on_slope_band_percent", used, 100, req="SP-06", unit="%", comment=comment)
    # Steeper than slip.learn_mmps2 knows of, the car outruns what is thought of it
    grip = 90 if percent >= -10 else 85
    driving.measure("launch_on_slope_grip_percent", 100 * later.mean_grip(), at_least=grip, comment=comment)


@pytest.mark.req("SP-06")
@pytest.mark.parametrize("mu", [0.08, 0.1])
def test_launch_in_reverse(bench: Bench, mu: float) -> None:
    bench.start_up("R")
    first, later = launch(bench, mu, sign=-1.0)
    used = 100 * max(first.band_use + later.band_use)
    bench.measure("launch_reverse_band_percent", used, 100, req="SP-06", unit="%", comment=f"mu {mu:g}")
    bench.measure("launch_reverse_grip_percent", 100 * later.mean_grip(), at_least=89, comment=f"mu {mu:g}")


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
    assert course.mean_grip() > 0.85, "the car gets going"


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
    assert course.mean_grip() > 0.85


ROADS = {"front on ice": (0.1, 1.0), "rear on ice": (1.0, 0.1), "front on ice, rear on snow": (0.1, 0.3)}


@pytest.mark.req("SP-06")
@pytest.mark.parametrize("pedal", [50, 100])
@pytest.mark.parametrize("name", ROADS)
def test_each_axle_has_its_own_road(driving: Bench, name: str, pedal: float) -> None:
    driving.plant.set_friction(*ROADS[name])
    driving.driver.pedal(pedal)
    driving.run(0.5)
    used = 100 * max(drive(driving, 2.5).band_use)
    comment = f"{name}, {pedal:g} % pedal"
    driving.measure("launch_on_two_roads_band_percent", used, 100, req="SP-06", unit="%", comment=comment)


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
