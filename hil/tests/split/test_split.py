"""The split in closed loop: threshold, gates, hand-over, stability, one unit alone. Truth comes from the plant."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from hil.bench import Bench
from hil.plant.drive_unit import DriveUnit

G_NM = 865.0
"""Summed torque of the motors that accelerates the car by 1 g: 2216 kg * 9.81 m/s2 * 0.341 m / 8.57."""

Samples = NDArray[np.float64]


def wheel_torque_nm(bench: Bench, unit: DriveUnit) -> float:
    """Torque in the shafts of an axle, at its wheels."""
    line = bench.plant.parameters.driveline
    damping = line.damping_share * 2.0 * np.sqrt(line.stiffness_nmprad * line.motor_inertia_kgm2 * line.gear_ratio**2)
    swing = unit.speed_radps / line.gear_ratio - unit.wheel_speed_radps
    return float(line.stiffness_nmprad * unit.twist_rad + damping * swing)


def cruise(bench: Bench, kmh: float, pedal: float, slope_percent: float) -> None:
    """Get to a speed, then hold this pedal on this slope."""
    bench.driver.pedal(50)
    bench.until(lambda: bench.speed_kmh >= kmh, timeout=30)
    bench.driver.pedal(pedal)
    bench.plant.slope_percent = slope_percent


def watch(bench: Bench, begins: Callable[[], bool], timeout: float) -> tuple[Samples, Samples]:
    """Time since `begins` held (s) and summed wheel torque (Nm), each ms from 200 ms before until 500 ms after it."""
    rows: list[tuple[float, float]] = []
    begun = end = None
    start = bench.time_s
    while end is None or bench.time_s < end:
        bench.run(0.001)
        plant = bench.plant
        rows.append((bench.time_s, wheel_torque_nm(bench, plant.front) + wheel_torque_nm(bench, plant.rear)))
        if begun is None and begins():
            begun, end = bench.time_s, bench.time_s + 0.5
        assert bench.time_s < start + timeout, "no change of split"
    table = np.array(rows)
    assert begun is not None
    table = table[table[:, 0] >= begun - 0.2]
    return table[:, 0] - begun, table[:, 1]


def measure_hand_over(bench: Bench, name: str, time_s: Samples, torque_nm: Samples) -> None:
    """SP-03 against the straight line through the torque before and after, since speed changes it too."""
    during = (time_s > -0.03) & (time_s < 0.25)
    line = np.polyval(np.polyfit(time_s[~during], torque_nm[~during], 1), time_s)
    off_nm = np.abs(torque_nm - line)[during]
    band_nm = max(0.03 * abs(float(line.mean())), 5.0)
    percent = 100.0 * float(off_nm.max()) / abs(float(line.mean()))
    bench.measure(
        f"hand_over_{name}_nm",
        float(off_nm.max()),
        band_nm,
        req="SP-03",
        comment=f"at the wheels, {percent:.2f} % of {line.mean():.0f} Nm; 3 % or 5 Nm allowed",
    )
    off_ms = float(np.count_nonzero(off_nm > band_nm / 3))
    bench.measure(f"hand_over_{name}_ms", off_ms, 100, req="SP-03", comment="off by more than 1 % or 1.7 Nm")


@pytest.mark.req("SP-01", "SP-03")
def test_release_to_one_axle_keeps_the_sum(driving: Bench) -> None:
    cruise(driving, 50, 14, 4.2)
    rear = driving.plant.rear
    driving.until(lambda: not rear.gates_on, timeout=8)
    driving.driver.pedal(25)
    driving.run(1)
    driving.driver.pedal(14)
    driving.run(1)
    assert rear.torque_nm > 15, "both axles at work before"
    level_nm = rear.torque_nm
    time_s, torque_nm = watch(driving, lambda: rear.torque_nm < level_nm - 1.0, timeout=8)
    measure_hand_over(driving, "to_one_axle", time_s, torque_nm)
    assert not rear.gates_on
    assert driving.plant.front.torque_nm == pytest.approx(driving.latest("VcuStatus").TorqueDemand, abs=0.5)


@pytest.mark.req("SP-02", "SP-03")
def test_coming_to_the_gate_limit_both_axles_work_and_the_sum_stays(driving: Bench) -> None:
    cruise(driving, 99, 18, -1.0)
    rear = driving.plant.rear
    driving.until(lambda: not rear.gates_on, timeout=8)
    time_s, torque_nm = watch(driving, lambda: rear.torque_nm > 1.0, timeout=60)
    assert rear.speed_rpm == pytest.approx(6950, abs=60)
    measure_hand_over(driving, "to_both_axles", time_s, torque_nm)


@pytest.mark.req("SP-01")
def test_both_at_once_above_the_threshold_and_one_again_after_five_seconds(driving: Bench) -> None:
    cruise(driving, 50, 12, 3.5)
    rear = driving.plant.rear
    driving.until(lambda: not rear.gates_on, timeout=8)
    driving.driver.pedal(25)
    engaged_s = driving.until(lambda: rear.torque_nm > 10.0, timeout=1)
    driving.measure(
        "second_axle_engaged_ms",
        1000 * engaged_s,
        200,
        req="SP-01",
        comment="from pedal step to 10 Nm: frames, waking the gates, slew around zero",
    )
    driving.driver.pedal(12)
    released_s = driving.until(lambda: not rear.gates_on, timeout=8)
    driving.measure("second_axle_released_s", released_s, within=(4.5, 5.3), req="SP-01")


@pytest.mark.req("SP-01")
def test_standing_with_the_brake_no_gates_are_on(driving: Bench) -> None:
    driving.driver.pedal(20)
    driving.run(2)
    driving.driver.pedal(0)
    driving.driver.brake(30)
    driving.until(lambda: driving.speed_kmh < 0.1, timeout=10)
    driving.run(1.0)
    assert not driving.plant.front.gates_on
    assert not driving.plant.rear.gates_on
    driving.driver.brake(0)
    driving.driver.pedal(20)
    woken_s = driving.until(lambda: driving.plant.front.torque_nm > 1.0, timeout=1)
    driving.measure("gates_woken_ms", 1000 * woken_s, 50, req="SP-01", comment="pedal step to torque from rest")


@pytest.mark.req("SP-02")
def test_no_gates_go_off_above_7000_rpm(driving: Bench) -> None:
    cruise(driving, 128, 0, 0.0)
    driving.driver.gear("N")
    driving.run(3)
    driving.driver.gear("D")
    driving.driver.one_pedal(True)
    driving.until(lambda: driving.speed_kmh < 60, timeout=20)
    off_rpm = 0.0
    for side in ("Front", "Rear"):
        _, gates = driving.series(f"Inv{side}Status", "GatesOn")
        _, rpm = driving.series(f"Inv{side}Status", "Speed")
        _, mode = driving.series(f"VcuInv{side}Command", "Mode")
        fast = np.abs(rpm) > 7000
        assert fast.sum() > 500
        assert gates[fast].all()
        off_rpm = max(off_rpm, float(np.abs(rpm[gates == 0]).max()))
        asked = np.interp(np.arange(len(mode)), np.linspace(0, len(mode) - 1, len(rpm)), np.abs(rpm))
        assert set(np.unique(mode[asked > 7050])) == {2.0}, "Mode stays Torque"
    driving.measure("fastest_with_gates_off_rpm", off_rpm, 7000, req="SP-02")


@pytest.mark.req("SP-04")
@pytest.mark.parametrize("weak", ["front", "rear"])
def test_what_a_hot_unit_cannot_give_the_other_gives(driving: Bench, weak: str) -> None:
    other = "rear" if weak == "front" else "front"
    node = {"front": "INV_F", "rear": "INV_R"}[weak]
    driving.driver.pedal(70)
    driving.run(1.5)
    driving.faults.sensor(node, "stator_degc", stuck=172.0)  # leaves 27 % of the torque
    driving.run(1)
    units = {"front": driving.plant.front, "rear": driving.plant.rear}
    available_nm = driving.latest(f"Inv{weak.capitalize()}Limits").TorqueAvailableDrive
    assert units[weak].torque_nm <= available_nm + 1
    assert units[other].torque_nm > units[weak].torque_nm + 50
    status = driving.latest("VcuStatus")
    kept = (units["front"].torque_nm + units["rear"].torque_nm) / status.TorqueDemand
    driving.measure(
        f"kept_with_weak_{weak}_percent",
        100 * kept,
        at_least=97,
        req="SP-04",
        comment=f"of the demand; the unit gives {available_nm:.0f} Nm at most",
    )


@pytest.mark.req("SP-05")
def test_driving_the_rear_share_follows_the_load(driving: Bench) -> None:
    worst = 0.0
    for pedal in (25, 40, 60, 80):
        driving.driver.pedal(pedal)
        driving.run(0.7)
        for _ in range(20):
            driving.run(0.02)
            front, rear = driving.plant.front.torque_nm, driving.plant.rear.torque_nm
            share = min(0.49 + 0.19 * (front + rear) / G_NM, 0.65)
            if front + rear > 0.15 * G_NM and share * (front + rear) < 325:
                worst = max(worst, abs(rear / (front + rear) - share))
    driving.measure("rear_share_error_percent", 100 * worst, 1.0, req="SP-05", comment="above 0.15 g, of the torque")


@pytest.mark.req("SP-05")
@pytest.mark.parametrize("one_pedal", [False, True])
def test_braking_leans_on_the_front_axle(driving: Bench, one_pedal: bool) -> None:
    driving.driver.pedal(60)
    driving.until(lambda: driving.speed_kmh > 110, timeout=20)
    driving.driver.one_pedal(one_pedal)
    driving.driver.pedal(0)
    least, rear_only = 1.0, 0.0
    while driving.speed_kmh > 9:
        driving.run(0.01)
        front, rear = -driving.plant.front.torque_nm, -driving.plant.rear.torque_nm
        if front >= 0 and rear >= 0 and front + rear > 0.05 * G_NM:
            least = min(least, front / (front + rear))
        if front < 1:
            rear_only = max(rear_only, rear)
    kind = "one_pedal" if one_pedal else "normal"
    driving.measure(
        f"front_share_{kind}_percent",
        100 * least,
        at_least=60,
        req="SP-05",
        comment="above 0.05 g",
    )
    driving.measure(f"rear_only_{kind}_g", rear_only / G_NM, 0.03, req="SP-05")


@pytest.mark.req("SP-05", "SP-07")
def test_the_rear_axle_alone_brakes_a_little_only(driving: Bench) -> None:
    driving.driver.pedal(50)
    driving.until(lambda: driving.speed_kmh > 60, timeout=20)
    driving.faults.power_cut("INV_F")
    driving.until(lambda: driving.vcu_state == "Limp", timeout=1)
    driving.driver.one_pedal(True)
    driving.driver.pedal(0)
    driving.run(1)
    assert driving.plant.rear.torque_nm < -10
    driving.measure("rear_only_limp_g", -driving.plant.rear.torque_nm / G_NM, 0.03, req="SP-05")


@pytest.mark.req("SP-07")
@pytest.mark.parametrize("axle", ["front", "rear"])
@pytest.mark.parametrize("kmh", [3, 60, 150])
def test_one_unit_lost_at_any_speed_and_the_other_drives_on(driving: Bench, axle: str, kmh: int) -> None:
    other = "rear" if axle == "front" else "front"
    node = {"front": "INV_F", "rear": "INV_R"}[axle]
    driving.driver.pedal(70 if kmh > 10 else 25)
    driving.until(lambda: driving.speed_kmh >= kmh, timeout=60)
    driving.faults.power_cut(node)
    from_ns = driving.kernel.now_ns
    driving.until(lambda: driving.vcu_state == "Limp", timeout=0.5)
    left = driving.plant.front if other == "front" else driving.plant.rear
    power_kw = torque_nm = 0.0
    driving.driver.pedal(100)
    for _ in range(200):
        driving.run(0.01)
        torque_nm = max(torque_nm, left.torque_nm)
        power_kw = max(power_kw, left.torque_nm * left.speed_radps / 1000)
    times_ns, request_nm = driving.series(f"VcuInv{other.capitalize()}Command", "TorqueRequest")
    after = request_nm[np.searchsorted(times_ns, from_ns) - 1 :]
    driving.measure("limp_torque_nm", torque_nm, 330.01, at_least=100, req="SP-07")
    driving.measure("limp_power_kw", power_kw, 150.5, req="SP-07", comment="torque lags by 5 ms as speed rises")
    driving.measure("limp_step_nm", float(np.max(np.diff(after))), 10.01, req="SP-07", comment="between commands")
    assert driving.vcu_state == "Limp"


@pytest.mark.req("SP-05", "SP-07")
@pytest.mark.parametrize("axle", ["front", "rear"])
@pytest.mark.parametrize("kmh", [40, 190])
def test_one_unit_lost_in_regeneration(driving: Bench, axle: str, kmh: int) -> None:
    """The front one takes over what the rear gave, by its slew; the rear one may not, and gives up what is too much."""
    other = "rear" if axle == "front" else "front"
    driving.driver.one_pedal(True)
    driving.driver.pedal(100)
    driving.until(lambda: driving.speed_kmh >= kmh, timeout=60)
    driving.driver.pedal(0)
    driving.run(0.6)
    lost, left = getattr(driving.plant, axle), getattr(driving.plant, other)
    driving.faults.power_cut({"front": "INV_F", "rear": "INV_R"}[axle])
    from_ns = driving.kernel.now_ns
    driving.until(lambda: driving.vcu_state == "Limp", timeout=0.5)
    driving.run(1.0)
    times_ns, request_nm = driving.series(f"VcuInv{other.capitalize()}Command", "TorqueRequest")
    after = -request_nm[np.searchsorted(times_ns, from_ns) - 1 :]
    name = f"limp_regeneration_{other}_{kmh}"
    driving.measure(f"{name}_step_nm", float(np.max(np.diff(after))), 10.01, req="SP-07", comment="between commands")
    driving.measure(f"{name}_kw", -left.torque_nm * left.speed_radps / 1000, 150.0, req="SP-07")
    assert abs(lost.torque_nm) < 1
    if other == "rear":
        driving.measure(f"{name}_g", -left.torque_nm / G_NM, 0.03, req="SP-05")
        after = after[10:]  # 100 ms
        driving.measure(f"{name}_after_100_ms_g", float(np.max(after)) / G_NM, 0.03, req="SP-05")
    else:
        assert left.torque_nm < -80, "it brakes for both"
    driving.driver.pedal(100)
    driving.run(1.0)
    assert left.torque_nm > 60, "and it drives on"
