"""Battery power, derating and the reason that is told (LM-01 to LM-03), in closed loop at speed."""

from __future__ import annotations

import numpy as np
import pytest

from hil.bench import Bench
from hil.scenarios.torque import AtSpeed, reach

AUXILIARIES_W = 350.0


def battery_power_kw(bench: Bench, seconds: float) -> np.ndarray:
    """Electrical power of both units, each millisecond, kW (drawn positive)."""
    rows = []
    for _ in range(round(seconds * 1000)):
        bench.run(0.001)
        battery = bench.plant.battery
        rows.append(battery.pack_voltage_v * battery.pack_current_a * 1e-3)
    return np.array(rows)


def time_above_ms(power_kw: np.ndarray, limit_kw: float) -> float:
    """Time from now on (the limit is on the bus) until the power is inside 102 % of it for good."""
    above = np.flatnonzero(power_kw > 1.02 * limit_kw)
    return float(above[-1] + 1) if len(above) else 0.0


def reason(bench: Bench) -> str:
    return bench.observer.label("VcuStatus", "LimitReason")


@pytest.mark.req("LM-01", "LM-03")
@pytest.mark.parametrize(
    ("kmh", "limit_kw"), [(10, 5), (10, 60), (40, 5), (40, 80), (90, 150), (90, 20), (150, 5), (150, 100), (190, 20)]
)
def test_a_step_of_the_discharge_limit(at_speed: AtSpeed, kmh: float, limit_kw: float) -> None:
    bench = at_speed(kmh)
    bench.driver.pedal(100)
    bench.run(0.7)
    bench.car.bms.discharge_limit_w = 1e3 * limit_kw
    bench.until(lambda: bench.latest("BmsLimits").DischargePowerMax == 1e3 * limit_kw, timeout=0.1)
    power = battery_power_kw(bench, 1.5)
    name = f"discharge_{kmh}_kmh_{limit_kw}_kw"
    bench.measure(f"{name}_above_102_percent_ms", time_above_ms(power, limit_kw), 100.0, req="LM-01")
    # Drag, that the shaft brakes, counts as electrical power, too: at 190 km/h that is 4.5 kW
    assert np.mean(power[-500:]) > 0.98 * limit_kw - 5, "what the battery gives is used"
    assert reason(bench) == "BatteryDischarge"


@pytest.mark.req("LM-01", "LM-03")
@pytest.mark.parametrize(("kmh", "limit_kw"), [(12, 2), (25, 20), (60, 20), (60, 0), (110, 40), (195, 5)])
def test_a_step_of_the_charge_limit(at_speed: AtSpeed, kmh: float, limit_kw: float) -> None:
    bench = at_speed(kmh)
    bench.driver.one_pedal(True)
    bench.run(1.2)
    bench.car.bms.charge_limit_w = 1e3 * limit_kw
    bench.until(lambda: bench.latest("BmsLimits").ChargePowerMax == 1e3 * limit_kw, timeout=0.1)
    power = -battery_power_kw(bench, 1.0)
    name = f"charge_{kmh}_kmh_{limit_kw}_kw"
    bench.measure(f"{name}_above_102_percent_ms", time_above_ms(power, limit_kw), 100.0, req="LM-01")
    assert np.max(power[-500:]) > 0.98 * limit_kw - 3, "what the battery takes is used"
    assert reason(bench) == "BatteryCharge"


@pytest.mark.req("LM-01")
def test_the_limit_holds_from_rest_to_speed(driving: Bench) -> None:
    """The power grows with the speed until the limit binds: predicted, not found out."""
    driving.car.bms.discharge_limit_w = 120e3
    driving.driver.pedal(100)
    power = battery_power_kw(driving, 5.0)
    driving.measure("power_from_rest_percent_of_limit", 100 * np.max(power) / 120, 102.0, req="LM-01")


# Values at which the unit itself and the battery management do not limit yet
DERATINGS = {
    "stator": ("INV_F", "stator_degc", 149.0, "StatorTemp"),
    "inverter": ("INV_R", "inverter_degc", 84.0, "InverterTemp"),
    "cells": ("BMS", "cell_max_degc", 50.0, "CellTemp"),
    "soc": ("BMS", "soc_percent", 13.0, "Soc"),
    "cell_voltage": ("BMS", "cell_min_v", 2.95, "Voltage"),
    "link_voltage": ("BMS", "link_voltage_v", 262.0, "Voltage"),
}


@pytest.mark.req("LM-02", "LM-03")
@pytest.mark.parametrize("name", DERATINGS)
def test_derating_is_slow_and_has_its_name(driving: Bench, name: str) -> None:
    node, channel, value, wanted = DERATINGS[name]
    driving.driver.pedal(100)
    driving.run(0.45)
    begin_ns = driving.time_s * 1e9
    driving.faults.sensor(node, channel, stuck=value)
    driving.run(0.8)
    steepest = 0.0
    for message in ("VcuInvFrontCommand", "VcuInvRearCommand"):
        times, torque = driving.series(message, "TorqueRequest")
        after = torque[times >= begin_ns]
        # Over 50 ms, so that the damping's two parts do not count twice
        steepest = max(steepest, float(np.max(after[:-5] - after[5:])) / 0.05)
    driving.measure(f"derating_by_{name}_nmps", round(steepest, 3), 100.0, req="LM-02", unit="Nm/s")
    assert steepest > 50, "something is taken away"
    assert reason(driving) == wanted


# What the units may still take in begins far above what they do, so these last longer. Both give that much themselves,
# and the axles keep their shares
REGEN_DERATINGS = {
    "stator": ("INV_F", "stator_degc", 163.0, "StatorTemp"),
    "inverter": ("INV_F", "inverter_degc", 94.5, "InverterTemp"),
    "cell_voltage": ("BMS", "cell_max_v", 4.175, "Voltage"),
    "link_voltage": ("BMS", "link_voltage_v", 464.0, "Voltage"),
}


@pytest.mark.req("LM-02", "LM-03")
@pytest.mark.parametrize("name", REGEN_DERATINGS)
def test_derating_of_regeneration_is_slow_and_has_its_name(at_speed: AtSpeed, name: str) -> None:
    node, channel, value, wanted = REGEN_DERATINGS[name]
    bench = at_speed(55)
    bench.driver.one_pedal(True)
    bench.plant.slope_percent = -30.0  # holds the speed
    bench.run(1.0)
    before_nm = bench.latest("VcuStatus").TorqueGranted
    begin_ns = bench.kernel.now_ns
    bench.faults.sensor(node, channel, stuck=value)
    bench.run(6.5)
    steepest = 0.0
    for message in ("VcuInvFrontCommand", "VcuInvRearCommand"):
        times, torque = bench.series(message, "TorqueRequest")
        after = torque[times >= begin_ns]
        steepest = max(steepest, float(np.max(after[5:] - after[:-5])) / 0.05)
    name = f"derating_regeneration_by_{name}_nmps"
    bench.measure(name, round(steepest, 3), 100.0, req="LM-02", unit="Nm/s")
    assert bench.latest("VcuStatus").TorqueGranted > before_nm + 20, "something is taken away"
    assert reason(bench) == wanted


@pytest.mark.req("LM-03")
@pytest.mark.parametrize("message", ["BmsLimits", "BmsPack", "BmsStatus"])
@pytest.mark.parametrize("way", ["drive", "regeneration"])
def test_late_news_of_the_battery(at_speed: AtSpeed, way: str, message: str) -> None:
    bench = at_speed(60 if way == "drive" else 110)
    bench.driver.one_pedal(True)
    bench.driver.pedal(100 if way == "drive" else 0)
    bench.run(0.7)
    newest = bench.observer.newest(message)
    come = newest.time_ns
    bench.until(lambda: newest.time_ns != come, timeout=0.2)
    bench.faults.lose(message)
    bench.run(0.27)
    assert reason(bench) != "BmsLate"
    bench.run(0.08)
    assert reason(bench) == "BmsLate"
    bench.run(0.05)
    name = f"{message.lower()}_late_{way}"
    power = np.abs(battery_power_kw(bench, 0.55))
    bench.measure(f"power_300_ms_{name}_kw", float(np.max(power)), 20.4, req="LM-03")
    bench.run(0.1)
    torque = abs(bench.plant.front.torque_nm) + abs(bench.plant.rear.torque_nm)
    bench.measure(f"torque_1_s_{name}_nm", torque, 0.1, req="LM-03")


@pytest.mark.req("LM-03")
def test_each_reason_is_told(driving: Bench) -> None:
    """No limit, the stability controller, the speed limit, the driver's own pedals."""
    driving.driver.pedal(20)
    driving.run(1.0)
    assert reason(driving) == "None"
    driving.driver.pedal(100)
    driving.car.esc.torque_max_nm = 100.0
    driving.run(0.3)
    assert reason(driving) == "EscRequest"
    driving.car.esc.torque_max_nm = None
    reach(driving, 60)
    driving.faults.sensor("INV_F", "stator_degc", stuck=172.0, duration_ms=2000)
    driving.driver.one_pedal(True)
    driving.run(1.0)
    assert reason(driving) == "MotorEnvelope", "the rear axle may not brake for the front one (SP-05)"
    driving.driver.one_pedal(False)
    driving.run(5.0)
    driving.driver.pedal(60)
    driving.driver.brake(20)
    driving.run(0.2)
    assert reason(driving) == "DriverInput"
