"""The table of faults."""

import pytest
from firmware_slots import raw
from vcu.faults import Faults, fill_fault, look


class Car:
    """The law with its arrays and the memory of faults, driven as the tick does."""

    def __init__(self, s, rx, ages, cal, tx):
        rx["BmsStatus.FaultLevel"], rx["BmsStatus.HvilClosed"] = 0, 1
        self.s, self.rx, self.ages, self.cal, self.tx = s, rx, ages, cal, tx
        self.faults = Faults(s)

    def step(self, live=True):
        self.s.live = self.s.wanted = live
        present = look(self.s, self.rx, self.ages, self.cal)
        if present != self.s.faults_present:
            self.faults.changed(present)
        return self.s

    def shown(self):
        """What the next VcuFault tells: its signals by name."""
        fill_fault(self.s, self.tx, self.faults.memory)
        return {name: self.tx[f"VcuFault.{name}"] for name in ("Index", "Count", "Dtc", "Status", "Occurrences")}


@pytest.fixture
def car(s, rx, ages, cal, tx):
    return Car(s, rx, ages, cal, tx)


def level(name):
    return raw(f"VcuStatus.FaultLevel.{name}")


def test_no_fault_no_level(car):
    assert car.step().fault_level == 0
    assert set(car.shown().values()) == {0}


def signals(*names):
    def happen(car):
        for name in names:
            car.s[name] = 1

    return happen


STOPS = {
    "monitor": signals("tripped"),
    "both units": signals("front_lost", "rear_lost"),
    "pedals": lambda car: car.ages.__setitem__("PedalsDriver", 100),
    "battery": lambda car: car.ages.__setitem__("BmsPack", 1000),
    "interlock": lambda car: car.rx.__setitem__("BmsStatus.HvilClosed", 0),
    "shutdown": lambda car: car.rx.__setitem__("BmsStatus.FaultLevel", 3),
    "three bus-offs": signals("gave_up"),
    "weld": signals("welded"),
    "precharge": signals("precharge_fast"),
    "contactors": signals("hv_opened"),
    "calibration": signals("calibration_bad"),
    "restart": signals("restarted_live"),
}
FOR_GOOD = ("monitor", "three bus-offs", "weld", "calibration")


@pytest.mark.parametrize("name", STOPS)
def test_a_stop_fault_latches_until_it_is_cleared(car, name):
    before = [list(array.values) for array in (car.s, car.rx, car.ages)]
    STOPS[name](car)
    assert car.step().stop
    assert car.s.fault_level == level("Stop")
    latched, present = car.s.faults_latched, car.s.faults_present
    for array, values in zip((car.s, car.rx, car.ages), before, strict=True):
        array.values[:] = values
    car.s.faults_latched, car.s.faults_present, car.s.stop = latched, present, 1
    assert car.step(live=False).stop
    car.faults.clear()
    assert car.s.stop == (name in FOR_GOOD)


@pytest.mark.req("SM-06")
@pytest.mark.parametrize(("name", "urgent"), [("interlock", True), ("shutdown", True), ("pedals", False)])
def test_interlock_and_shutdown_are_urgent(car, name, urgent):
    STOPS[name](car)
    assert car.step().urgent == urgent


@pytest.mark.req("SP-07")
def test_one_unit_lost_is_limp(car):
    car.s.rear_lost = 1
    assert car.step().fault_level == level("Limp")
    assert not car.s.stop


def test_nodes_need_not_be_there_while_high_voltage_is_off(car):
    for message in ("PedalsDriver", "BmsPack", "BmsLimits", "BmsStatus", "EscMotion"):
        car.ages[message] = 1_000_000
    assert car.step(live=False).fault_level == 0


@pytest.mark.req("SF-07")
def test_our_own_bus_off_blames_nobody_for_the_silence(car):
    car.s.rearming = 1
    for message in ("PedalsDriver", "BmsPack", "BmsLimits", "BmsStatus"):
        car.ages[message] = 1_000_000
    assert not car.step().stop
    assert car.s.fault_level == level("Warning")


def test_faults_are_counted_and_shown_in_turn(car):
    for _ in range(3):
        car.s.pedal_fault = 1
        car.step()
        car.s.pedal_fault = 0
        car.step()
        car.faults.clear()
    car.s.overruns = 1
    car.step()
    shown = [car.shown() for _ in range(4)]
    assert {told["Count"] for told in shown} == {2}
    assert shown[:2] == shown[2:] != shown[1::-1]
    assert {told["Dtc"]: told["Occurrences"] for told in shown} == {0x2138: 3, 0xC001: 1}
    assert {told["Dtc"]: told["Status"] & 1 for told in shown} == {0x2138: 0, 0xC001: 1}


def test_every_fault_has_a_code_of_its_own(car):
    for bit in range(22):
        car.faults.changed(1 << bit)
    codes = {car.shown()["Dtc"] for _ in range(22)}
    assert car.shown()["Count"] == len(codes) == 22
