"""Derating by temperatures, charge and voltages."""

import pytest
from firmware_slots import Signals, Slots, raw
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vcu.derate import ROWS, shares, step

ROUND = len(ROWS) // 5  # ticks
SIGNALS = {
    # signal, raw values from harmless to harmful, reason, which torques it takes away
    "InvFrontTemps.TempStator": (range(60, 256), "StatorTemp", "front_drive front_regen"),
    "InvFrontTemps.TempInverter": (range(60, 256), "InverterTemp", "front_drive front_regen"),
    "InvRearTemps.TempStator": (range(60, 256), "StatorTemp", "rear_drive rear_regen"),
    "InvRearTemps.TempInverter": (range(60, 256), "InverterTemp", "rear_drive rear_regen"),
    "BmsStatus.CellTempMax": (range(60, 256), "CellTemp", "car_drive car_regen"),
    "BmsStatus.CellTempMin": (range(60, -1, -1), "CellTemp", "car_drive car_regen"),
    "BmsLimits.Soc": (range(600, -1, -1), "Soc", "car_drive"),
    "BmsStatus.CellVoltageMin": (range(1850, -1, -3), "Voltage", "car_drive"),
    "BmsPack.LinkVoltage": (range(2000, -1, -3), "Voltage", "car_drive"),
    "full: BmsLimits.Soc": (range(600, 1001), "Soc", "car_regen"),
    "full: BmsStatus.CellVoltageMax": (range(1850, 2200), "Voltage", "car_regen"),
    "full: BmsPack.LinkVoltage": (range(2000, 2400), "Voltage", "car_regen"),
}
loose = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Car:
    def __init__(self, rx, cal):
        self.rx, self.cal = rx, cal
        self.s = Signals()
        self.memory = Slots(list(shares), int)
        for name, value in (
            ("InvFrontTemps.TempStator", 80), ("InvFrontTemps.TempInverter", 80), ("InvRearTemps.TempStator", 80),
            ("InvRearTemps.TempInverter", 80), ("BmsStatus.CellTempMin", 65), ("BmsStatus.CellTempMax", 65),
            ("BmsLimits.Soc", 600), ("BmsStatus.CellVoltageMin", 1850), ("BmsStatus.CellVoltageMax", 1850),
            ("BmsPack.LinkVoltage", 2000),
        ):  # fmt: skip
            rx[name] = value
        self.go(2 * ROUND)  # at rest
        self.s.driving = 1

    def go(self, ticks=1):
        s = self.s
        for _ in range(ticks):
            s.front_drive_dnm = s.front_regen_dnm = s.rear_drive_dnm = s.rear_regen_dnm = 3300
            step(self.memory, s, self.rx, self.cal)
        return self.torques()

    def torques(self):
        names = ("front_drive", "front_regen", "rear_drive", "rear_regen", "car_drive", "car_regen")
        return {name: int(self.s[f"{name}_dnm"]) for name in names}


FULL = {"front_drive": 3300, "front_regen": 3300, "rear_drive": 3300, "rear_regen": 3300, "car_drive": 6600,
        "car_regen": 6600}  # fmt: skip


def test_nothing_is_derated_in_a_warm_car_with_a_half_full_battery(rx, cal):
    car = Car(rx, cal)
    assert car.go() == FULL
    assert car.s.derated_drive == car.s.derated_regen == raw("VcuStatus.LimitReason.None")


@pytest.mark.req("LM-02")
@pytest.mark.parametrize("signal", SIGNALS)
def test_each_takes_its_torque_away_monotonically_and_to_the_end(rx, cal, signal):
    values, reason, taken = SIGNALS[signal]
    car = Car(rx, cal)
    car.s.driving = 0  # no slew: the curve itself
    last = dict(FULL)
    for value in values:
        rx[signal.rpartition(" ")[2]] = value
        now = car.go(2 * ROUND)
        for name in FULL:
            if name in taken:
                assert now[name] <= last[name]
            elif not signal.startswith("BmsStatus.CellTemp"):
                assert now[name] == FULL[name]
        last = now
    assert all(last[name] == 0 for name in taken.split())
    shown = car.s.derated_regen if taken == "car_regen" else car.s.derated_drive
    assert shown == raw(f"VcuStatus.LimitReason.{reason}")


@pytest.mark.req("LM-02")
@loose
@given(st.lists(st.tuples(st.sampled_from(list(SIGNALS)), st.integers(0, 255)), min_size=1, max_size=6))
def test_no_derating_is_quicker_than_100_nm_a_second(rx, cal, course):
    car = Car(rx, cal)
    last = car.go()
    for signal, value in course:
        rx[signal.rpartition(" ")[2]] = value if "Temp" in signal else value * 8
        for _ in range(2 * ROUND):
            now = car.go()
            for name in FULL:
                assert abs(now[name] - last[name]) <= 10
            last = now


@pytest.mark.req("LM-03")
@pytest.mark.parametrize("signal", SIGNALS)
def test_a_reason_is_forgotten_when_its_cause_is_over(rx, cal, signal):
    values, _, _ = SIGNALS[signal]
    name = signal.rpartition(" ")[2]
    car = Car(rx, cal)
    good, rx[name] = rx[name], values[-1]
    car.go(1000)
    rx[name] = good
    car.go(1000)
    assert car.s.derated_drive == car.s.derated_regen == raw("VcuStatus.LimitReason.None")


@pytest.mark.req("LM-02")
def test_a_hot_unit_leaves_the_other_alone(rx, cal):
    car = Car(rx, cal)
    rx["InvRearTemps.TempStator"] = 255
    now = car.go(400)
    assert now == FULL | {"rear_drive": 0, "rear_regen": 0}
