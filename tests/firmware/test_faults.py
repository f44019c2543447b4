"""The table of faults."""

from types import SimpleNamespace

import pytest
from firmware_slots import raw
from vcu.faults import Faults


class Car:
    def __init__(self, rx, ages, cal):
        rx["BmsStatus.FaultLevel"], rx["BmsStatus.HvilClosed"] = 0, 1
        self.ages = ages
        self.pedals = SimpleNamespace(fault=False)
        self.hv = SimpleNamespace(welded=False, stays_live=False, too_fast=False, slow=False, opened=False)
        self.front = SimpleNamespace(lost=False, disobeys=False)
        self.rear = SimpleNamespace(lost=False, disobeys=False)
        self.monitor = SimpleNamespace(tripped=False)
        self.port = SimpleNamespace(rearming=False, gave_up=False, overruns=0)
        parts = (self.pedals, self.hv, self.front, self.rear, self.monitor, self.port)
        self.faults = Faults(rx, ages, cal, *parts)

    def step(self, live=True, wanted=True):
        self.faults.step(live, wanted)
        return self.faults


@pytest.fixture
def car(rx, ages, cal):
    return Car(rx, ages, cal)


def level(name):
    return raw(f"VcuStatus.FaultLevel.{name}")


def test_no_fault_no_level(car):
    assert car.step().level == 0
    assert car.faults.show_next() == -1


STOPS = {
    "monitor": lambda car, rx: setattr(car.monitor, "tripped", True),
    "both units": lambda car, rx: (setattr(car.front, "lost", True), setattr(car.rear, "lost", True)),
    "pedals": lambda car, rx: car.ages.__setitem__("PedalsDriver", 100),
    "battery": lambda car, rx: car.ages.__setitem__("BmsPack", 1000),
    "interlock": lambda car, rx: rx.__setitem__("BmsStatus.HvilClosed", 0),
    "shutdown": lambda car, rx: rx.__setitem__("BmsStatus.FaultLevel", 3),
    "three bus-offs": lambda car, rx: setattr(car.port, "gave_up", True),
    "weld": lambda car, rx: setattr(car.hv, "welded", True),
    "precharge": lambda car, rx: setattr(car.hv, "too_fast", True),
    "contactors": lambda car, rx: setattr(car.hv, "opened", True),
    "calibration": lambda car, rx: setattr(car.faults, "calibration_bad", True),
    "restart": lambda car, rx: setattr(car.faults, "restarted_live", True),
}


@pytest.mark.parametrize("name", STOPS)
def test_a_stop_fault_latches_until_it_is_cleared(car, rx, name):
    values, ages = list(rx.values), list(car.ages.values)
    before = [dict(vars(part)) for part in (car.front, car.rear, car.hv, car.monitor, car.port)]
    STOPS[name](car, rx)
    assert car.step().stop
    assert car.faults.level == level("Stop")
    for part, was in zip((car.front, car.rear, car.hv, car.monitor, car.port), before, strict=True):
        vars(part).update(was)
    rx.values[:], car.ages.values[:] = values, ages
    car.faults.calibration_bad = False
    assert car.step(live=False).stop
    car.faults.clear()
    for_good = name in ("monitor", "three bus-offs", "weld", "calibration")
    assert car.faults.stop == for_good


@pytest.mark.req("SM-06")
@pytest.mark.parametrize(("name", "urgent"), [("interlock", True), ("shutdown", True), ("pedals", False)])
def test_interlock_and_shutdown_are_urgent(car, rx, name, urgent):
    STOPS[name](car, rx)
    assert car.step().urgent == urgent


@pytest.mark.req("SP-07")
def test_one_unit_lost_is_limp(car):
    car.rear.lost = True
    assert car.step().level == level("Limp")
    assert not car.faults.stop


def test_nodes_need_not_be_there_while_high_voltage_is_off(car):
    for message in ("PedalsDriver", "BmsPack", "BmsLimits", "BmsStatus", "EscMotion"):
        car.ages[message] = 1_000_000
    assert car.step(live=False).level == 0


@pytest.mark.req("SF-07")
def test_our_own_bus_off_blames_nobody_for_the_silence(car):
    car.port.rearming = True
    for message in ("PedalsDriver", "BmsPack", "BmsLimits", "BmsStatus"):
        car.ages[message] = 1_000_000
    assert not car.step().stop
    assert car.faults.level == level("Warning")


def test_faults_are_counted_and_shown_in_turn(car):
    for _ in range(3):
        car.pedals.fault = True
        car.step()
        car.pedals.fault = False
        car.step()
        car.faults.clear()
    car.port.overruns = 1
    faults = car.step()
    shown = {faults.show_next() for _ in range(4)}
    assert len(shown) == faults.stored == 2
    assert sorted(faults.occurrences[i] for i in shown) == [1, 3]
    assert {faults.dtc(i) for i in shown} == {0x2138, 0xC001}
    assert {faults.status(i) & 1 for i in shown} == {0, 1}


def test_every_fault_has_a_code_of_its_own(car):
    faults = car.faults
    codes = [faults.dtc(i) for i in range(len(faults.occurrences))]
    assert len(set(codes)) == len(codes)
