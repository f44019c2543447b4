"""Pedals to car: maps, lift-off, creep, reverse, gear changes (TQ-02 to TQ-05), against the truth of the plant."""

from __future__ import annotations

import numpy as np
import pytest

from hil.bench import Bench
from hil.nodes.inverter_control import RPM_PER_RADPS
from hil.plant.plant import GRAVITY_MPS2
from hil.scenarios.torque import AtSpeed, braking_g, reach, requested_nm

LIFT_OFF_G = {"Normal": 0.06, "Eco": 0.03, "Sport": 0.10, "Snow": 0.03}
MODES = tuple(LIFT_OFF_G)


@pytest.mark.req("TQ-01")
def test_travel_comes_from_both_sensors_in_a_tenth_of_a_percent(driving: Bench) -> None:
    """Each 0.1 % is seen in the demand; Sport's map is a straight line, and the same at all speeds."""
    driving.driver.drive_mode("Sport")
    driving.driver.pedal(40)
    driving.until(lambda: driving.speed_kmh > 10, timeout=5)
    seen = []
    for tenth in range(11):
        driving.driver.pedal(40 + tenth / 10)
        driving.run(0.06)
        seen.append(driving.latest("VcuStatus").TorqueDemand)
    per_tenth_nm = (660.0 + 86.5) / 1000
    steps = np.diff(seen)
    driving.measure("step_of_a_tenth_percent_nm", float(np.min(steps)), at_least=0.5 * per_tenth_nm, req="TQ-01")
    error = np.max(np.abs(seen - (per_tenth_nm * (400 + np.arange(11)) - 86.5))) / per_tenth_nm / 10
    driving.measure("travel_error_percent", float(error), 0.1, req="TQ-01")
    fault = driving.faults.offset("PedalsDriver", "Apps1", 200)  # 5 %: the other one counts
    driving.run(0.06)
    error = abs(driving.latest("VcuStatus").TorqueDemand - seen[-1]) / per_tenth_nm / 10
    driving.measure("travel_beside_a_high_sensor_percent", float(error), 0.1, req="TQ-01")
    fault.clear()


@pytest.mark.req("TQ-02")
@pytest.mark.parametrize("mode", MODES)
def test_no_step_of_torque_at_constant_pedal(driving: Bench, mode: str) -> None:
    """The speed sweeps by itself: from rest to 130 km/h at two pedals, then down to creeping."""
    driving.driver.drive_mode(mode)  # type: ignore[arg-type]
    steps = [0.0]
    for pedal, until_kmh in ((60, 60), (100, 130), (0, 5.5)):
        driving.driver.pedal(pedal)
        driving.run(1.0)  # the change of the pedal itself is the slew's
        begin = driving.time_s
        rising = driving.speed_kmh < until_kmh
        driving.until(lambda: (driving.speed_kmh >= until_kmh) == rising, timeout=150, every_ms=10)  # noqa: B023
        times, demand = driving.series("VcuStatus", "TorqueDemand")
        after = demand[times >= begin * 1e9]
        # Sum of two motors, told every second tick. At constant power alone it loses 2.6 Nm a tick at 65 km/h
        steps.append(float(np.max(np.abs(np.diff(after)))) / 4)
    driving.measure(
        f"step_at_constant_pedal_{mode.lower()}_nm",
        max(steps),
        2.0,
        req="TQ-02",
        comment="of the demand, for each motor and tick; hand-overs between the axles are the split's",
    )


@pytest.mark.req("TQ-02")
@pytest.mark.parametrize("slope_percent", [4, 8, 12])
def test_one_pedal_holds_the_car_downhill_without_swinging(driving: Bench, slope_percent: float) -> None:
    """It rolls where the fading regeneration balances the slope: the torque hangs on the speed more than elsewhere."""
    driving.driver.one_pedal(True)
    reach(driving, 20)
    driving.plant.slope_percent = -slope_percent
    driving.run(6.0)
    assert 3 < driving.speed_kmh < 6
    begin_ns = driving.kernel.now_ns
    driving.run(1.0)
    times, demand = driving.series("VcuStatus", "TorqueDemand")
    step_nm = float(np.max(np.abs(np.diff(demand[times >= begin_ns])))) / 4
    driving.measure(f"step_rolling_{slope_percent}_percent_downhill_nm", step_nm, 2.0, req="TQ-02")
    shafts, gear = [], driving.plant.parameters.driveline.gear_ratio
    for _ in range(300):
        driving.run(0.001)
        unit = driving.plant.front
        shafts.append(unit.speed_rpm - unit.wheel_speed_radps * gear * RPM_PER_RADPS)
    driving.measure(f"swing_rolling_{slope_percent}_percent_downhill_rpm", float(np.ptp(shafts)), 4.0, req="TQ-02")


@pytest.mark.req("TQ-02")
def test_full_pedal_asks_for_all_there_is(at_speed: AtSpeed) -> None:
    bench = at_speed(40)
    for kmh in (50, 100):
        bench.driver.pedal(100)
        bench.until(lambda: bench.speed_kmh >= kmh, timeout=20)  # noqa: B023
        plant = bench.plant
        available = sum(
            unit.torque_available_nm(unit.speed_radps, plant.link_voltage_v) for unit in (plant.front, plant.rear)
        )
        given = plant.front.torque_nm + plant.rear.torque_nm
        bench.measure(f"full_pedal_share_{kmh}_percent", 100 * given / available, within=(98.0, 102.0), req="TQ-02")


@pytest.mark.req("TQ-03")
@pytest.mark.parametrize(
    ("mode", "one_pedal", "wanted_g"),
    [("Normal", False, 0.06), ("Eco", False, 0.03), ("Sport", False, 0.10), ("Normal", True, 0.30)],
)
def test_lift_off_brakes_as_the_mode_says(at_speed: AtSpeed, mode: str, one_pedal: bool, wanted_g: float) -> None:
    bench = at_speed(70)
    bench.driver.drive_mode(mode)  # type: ignore[arg-type]
    bench.driver.one_pedal(one_pedal)
    bench.run(2.0)
    name = "one_pedal" if one_pedal else mode.lower()
    bench.measure(f"lift_off_{name}_g", braking_g(bench), within=(0.95 * wanted_g, 1.05 * wanted_g), req="TQ-03")


@pytest.mark.req("TQ-03")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("gear", ["D", "R"])
def test_lift_off_fades_between_8_and_3_kmh(bench: Bench, gear: str, mode: str) -> None:
    """With OnePedal, which does not creep. Backwards its 0.30 g would eat up the drive, and the mode's own counts."""
    bench.start_up(gear=gear)  # type: ignore[arg-type]
    bench.driver.drive_mode(mode)  # type: ignore[arg-type]
    bench.driver.one_pedal(True)
    bench.driver.pedal(100)
    bench.until(lambda: abs(bench.speed_kmh) >= 20, timeout=20)
    bench.driver.pedal(0)
    bench.until(lambda: abs(bench.speed_kmh) <= 8.05, timeout=60)
    wanted_g = 0.30 if gear == "D" else LIFT_OFF_G[mode]
    name = f"regeneration_at_8_kmh_{gear}_{mode.lower()}_g"
    bench.measure(name, abs(braking_g(bench)), within=(0.95 * wanted_g, 1.05 * wanted_g), req="TQ-03")
    bench.until(lambda: abs(bench.speed_kmh) <= 3.0, timeout=60)
    name = f"regeneration_under_3_kmh_{gear}_{mode.lower()}_g"
    bench.measure(name, abs(braking_g(bench)), 0.001, req="TQ-03")


@pytest.mark.req("TQ-03")
def test_stop_lamp_follows_regeneration_with_hysteresis(at_speed: AtSpeed) -> None:
    """One pedal from coast to full regeneration and back: the lamp by the car's deceleration."""
    bench = at_speed(100)
    bench.driver.one_pedal(True)
    bench.driver.pedal(40)
    bench.run(1.0)
    on = off = None
    for target in (0.0, 40.0):
        bench.driver.pedal(target, ramp_s=4.0)
        for _ in range(2500):
            lamp = bench.latest("VcuStatus").StopLamp
            decel = braking_g(bench) * GRAVITY_MPS2
            bench.run(0.002)
            changed = bench.latest("VcuStatus").StopLamp != lamp
            if changed and lamp == 0:
                on = decel
            elif changed:
                off = decel
        assert bench.speed_kmh > 15
    assert on is not None and off is not None
    bench.measure("stop_lamp_on_mps2", on, 1.3, at_least=0.7, req="TQ-03")
    bench.measure("stop_lamp_off_mps2", off, 1.3, at_least=0.7, req="TQ-03")


@pytest.mark.req("TQ-03")
def test_abs_takes_regeneration_away_within_a_tick(at_speed: AtSpeed) -> None:
    bench = at_speed(80)
    bench.driver.one_pedal(True)
    bench.run(1.5)
    bench.car.esc.abs_forced = True
    seconds = bench.until(lambda: abs(bench.plant.front.torque_nm) + abs(bench.plant.rear.torque_nm) < 1, timeout=1)
    bench.measure("abs_to_no_regeneration_ms", 1000 * seconds, 60, req="TQ-03")


@pytest.mark.req("TQ-03")
@pytest.mark.parametrize("why", ["full", "no charge power"])
def test_full_cells_and_no_charge_power_leave_no_regeneration(at_speed: AtSpeed, why: str) -> None:
    bench = at_speed(80)
    bench.driver.one_pedal(True)
    bench.run(1.5)
    if why == "full":
        bench.faults.sensor("BMS", "soc_percent", stuck=100.0)
    else:
        bench.car.bms.charge_limit_w = 0.0
    bench.run(3.5 if why == "full" else 0.2)
    name = why.replace(" ", "_")
    bench.measure(f"regeneration_{name}_g", braking_g(bench), within=(-0.002, 0.004), req="TQ-03")


@pytest.mark.req("TQ-04")
@pytest.mark.parametrize("gear", ["D", "R"])
def test_creep(bench: Bench, gear: str) -> None:
    bench.start_up(gear=gear)  # type: ignore[arg-type]
    bench.run(15)
    bench.measure(f"creep_speed_{gear}_kmh", abs(bench.speed_kmh), within=(3.0, 6.0), req="TQ-04")
    torques = np.abs(np.concatenate(requested_nm(bench)))
    bench.measure(f"creep_torque_{gear}_nm", float(np.max(torques)), 15.0, req="TQ-04")
    bench.driver.brake(20)
    bench.run(1.5)
    bench.driver.brake(0)
    bench.driver.one_pedal(True)
    bench.run(2)
    assert abs(bench.speed_kmh) < 0.2, "no creep with OnePedal"


@pytest.mark.req("TQ-05")
def test_reverse(bench: Bench) -> None:
    bench.start_up(gear="R")
    bench.driver.pedal(100)
    bench.run(12)
    torques = np.sum(requested_nm(bench), axis=0)
    bench.measure("reverse_torque_nm", -float(np.min(torques)), within=(130.0, 132.0), req="TQ-05")
    bench.measure("reverse_speed_kmh", -float(np.min(bench.recorder.series("speed_kmh"))), 30.0, req="TQ-05")
    bench.driver.pedal(0)
    bench.run(1.0)
    assert braking_g(bench) < 0, "lift-off brakes backward motion"


@pytest.mark.req("TQ-03", "SF-03")
@pytest.mark.parametrize("bar", [10, 20, 60])
def test_both_pedals_with_one_pedal_to_standstill_is_no_fault(at_speed: AtSpeed, bar: float) -> None:
    """The brake overrides the drive; the regeneration that is left fades out, and the monitor lets it."""
    bench = at_speed(30)
    bench.driver.one_pedal(True)
    bench.driver.brake(bar)
    bench.driver.pedal(35)
    bench.until(lambda: bench.speed_kmh < 0.5, timeout=20)
    bench.run(0.5)
    assert bench.vcu_state == "Drive"
    torque_nm = abs(bench.plant.front.torque_nm) + abs(bench.plant.rear.torque_nm)
    bench.measure(f"torque_at_rest_under_{bar}_bar_nm", torque_nm, 0.1, req="SF-03")


@pytest.mark.req("TQ-05")
@pytest.mark.parametrize("mode", MODES)
def test_reverse_down_a_slope(bench: Bench, mode: str) -> None:
    """30 km/h at most; 8 %, the pedal down."""
    bench.start_up(gear="R")
    bench.driver.drive_mode(mode)  # type: ignore[arg-type]
    bench.plant.slope_percent = 8.0
    bench.driver.pedal(100)
    bench.run(15)
    speeds = -bench.recorder.series("speed_kmh")
    bench.measure(f"reverse_downhill_{mode.lower()}_kmh", float(np.max(speeds)), 30.0, req="TQ-05")
    bench.measure(f"reverse_downhill_swing_{mode.lower()}_kmh", float(np.ptp(speeds[-300:])), 0.2, req="TQ-05")


@pytest.mark.req("TQ-05")
def test_reverse_with_one_pedal(bench: Bench) -> None:
    bench.start_up(gear="R")
    bench.driver.one_pedal(True)
    bench.driver.pedal(60)
    bench.run(10)
    bench.measure("reverse_60_percent_one_pedal_kmh", -bench.speed_kmh, at_least=12.0, req="TQ-05")


@pytest.mark.req("TQ-05")
@pytest.mark.parametrize(("first", "then"), [("D", "R"), ("R", "D")])
def test_gear_changes_wait_for_5_kmh(bench: Bench, first: str, then: str) -> None:
    """The other gear is selected at 20 km/h with the pedal pressed: no torque until the car is slow enough."""
    bench.start_up(gear=first)  # type: ignore[arg-type]
    bench.driver.pedal(60)
    bench.until(lambda: abs(bench.speed_kmh) >= 20, timeout=20)
    bench.driver.pedal(0)
    bench.run(0.8)
    bench.driver.gear(then)  # type: ignore[arg-type]
    bench.run(0.1)
    bench.driver.pedal(30)
    bench.run(1.0)
    assert abs(bench.plant.front.torque_nm) + abs(bench.plant.rear.torque_nm) < 1
    bench.driver.pedal(0)
    bench.driver.brake(15)
    bench.until(lambda: abs(bench.speed_kmh) < 6, timeout=20)
    bench.driver.brake(0)
    bench.driver.pedal(30)
    engaged = bench.until(lambda: abs(bench.plant.front.torque_nm) > 3, timeout=30, every_ms=10)
    assert engaged > 0
    bench.measure(f"speed_at_change_{first}_{then}_kmh", abs(bench.speed_kmh), 5.0, req="TQ-05")


@pytest.mark.req("TQ-05")
@pytest.mark.parametrize("gear", ["D", "R"])
@pytest.mark.parametrize("mode", MODES)
def test_lift_off_never_accelerates(bench: Bench, gear: str, mode: str) -> None:
    bench.start_up(gear=gear)  # type: ignore[arg-type]
    bench.driver.drive_mode(mode)  # type: ignore[arg-type]
    bench.driver.pedal(60)
    bench.until(lambda: abs(bench.speed_kmh) >= 25, timeout=20)
    bench.driver.pedal(0)
    bench.run(0.6)
    begin = len(bench.recorder.series("speed_kmh"))
    bench.until(lambda: abs(bench.speed_kmh) < 6.5, timeout=90, every_ms=10)
    speeds = np.abs(bench.recorder.series("speed_kmh")[begin:])
    bench.measure(f"lift_off_gain_{gear}_{mode.lower()}_kmh", float(np.max(np.diff(speeds))), 0.0, req="TQ-05")
