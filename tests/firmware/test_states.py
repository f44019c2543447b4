"""The table of states, driven as the tick drives it."""

import pytest
from firmware_slots import Slots, raw
from vcu import states as module

STATE = {
    name: raw(f"VcuStatus.State.{name}")
    for name in ("Init", "Standby", "Precharge", "Ready", "Drive", "Limp", "Fault", "Charge", "Shutdown")
}
NAME = {number: name for name, number in STATE.items()}


class Car:
    """The law with its arrays, in Standby's surroundings."""

    def __init__(self, s, rx, ages, cal):
        rx["BmsStatus.PlugConnected"] = 0
        self.arrays = s, rx, ages, cal
        self.s, self.rx = s, rx
        s.released = s.brake = s.park = s.rest = s.hv_open = s.hv_off = 1
        s.front_able = s.rear_able = 1
        s.now_ticks = 6000

    def step(self):
        table = Slots(list(module.TABLE), int)
        module.step(self.s, table, module.SIZE, module.conditions(*self.arrays))
        return NAME[self.s.state]

    def in_state(self, name):
        s = self.s
        s.state, s.driving = STATE[name], name in ("Drive", "Limp")
        if name not in ("Init", "Standby", "Precharge", "Shutdown"):
            s.hv_open = s.hv_off = 0
            s.hv_closed = 1
        return s


@pytest.fixture
def car(s, rx, ages, cal):
    return Car(s, rx, ages, cal)


@pytest.mark.req("SM-01")
def test_a_start_goes_through_the_states_in_order(car):
    seen = [car.step()]
    car.s.button_edge = 1
    seen.append(car.step())
    car.s.button_edge = 0
    car.s.hv_open = car.s.hv_off = 0
    car.s.precharged = car.s.hv_closed = 1
    seen.append(car.step())
    car.s.park, car.s.gear_wanted = 0, 1
    seen.append(car.step())
    assert seen == ["Standby", "Precharge", "Ready", "Drive"]


@pytest.mark.req("SM-01")
def test_every_state_can_be_reached_and_left():
    rows = [tuple(module.TABLE[i : i + 4]) for i in range(0, module.SIZE, 4)]
    assert [row[0] for row in rows] == sorted(row[0] for row in rows), "rows of one state stand together"
    assert {NAME[row[0]] for row in rows} == set(STATE)
    assert {NAME[row[1]] for row in rows} == set(STATE) - {"Init"}
    assert all(row[0] != row[1] and not row[2] & row[3] for row in rows)
    assert len(set(rows)) == len(rows)


@pytest.mark.req("SM-01")
@pytest.mark.parametrize("state", ["Precharge", "Ready", "Drive", "Limp", "Charge"])
def test_a_stop_fault_ends_every_live_state(car, state):
    car.in_state(state).stop = 1
    assert car.step() == "Fault"


@pytest.mark.req("SM-03")
@pytest.mark.parametrize(
    "missing",
    [
        lambda car: setattr(car.s, "brake", 0),
        lambda car: setattr(car.s, "released", 0),
        lambda car: setattr(car.s, "pedal_fault", 1),
        lambda car: setattr(car.s, "gear_wanted", 0),
        lambda car: setattr(car.s, "hv_closed", 0),
        lambda car: setattr(car.s, "front_able", 0),
        lambda car: setattr(car.s, "rear_able", 0),
        lambda car: car.rx.__setitem__("BmsStatus.PlugConnected", 1),
    ],
)
def test_drive_needs_each_of_its_conditions(car, missing):
    car.in_state("Ready").gear_wanted = 1
    car.s.park = 0
    car.s.rest = 0
    missing(car)
    assert car.step() == "Ready"


@pytest.mark.req("SM-03")
def test_one_unit_alone_drives_in_limp(car):
    car.in_state("Ready").gear_wanted = 1
    car.s.front_able, car.s.front_lost = 0, 1
    assert car.step() == "Limp"


@pytest.mark.req("SP-07")
def test_a_unit_lost_in_drive_leads_to_limp_for_the_rest_of_the_drive(car):
    car.in_state("Drive").park = 0
    car.s.rear_able, car.s.rear_lost = 0, 1
    assert car.step() == "Limp"
    car.s.rear_able = 1
    assert car.step() == "Limp"


@pytest.mark.req("SM-05")
def test_a_plug_inhibits_the_start_and_leads_to_charge(car):
    car.in_state("Standby")
    car.rx["BmsStatus.PlugConnected"] = 1
    car.s.button_edge = 1
    assert car.step() == "Charge"
    assert not car.s.driving
    car.rx["BmsStatus.PlugConnected"] = 0
    assert car.step() == "Shutdown"


@pytest.mark.req("SM-05")
def test_a_plug_ends_the_drive_when_the_car_stands(car):
    car.in_state("Drive")
    car.rx["BmsStatus.PlugConnected"] = 1
    car.s.park, car.s.rest = 0, 0
    assert car.step() == "Drive"
    car.s.rest = 1
    assert [car.step(), car.step()] == ["Ready", "Shutdown"]


@pytest.mark.req("SM-06")
def test_an_open_interlock_opens_the_contactors_at_any_speed(car):
    car.in_state("Drive").stop = car.s.urgent = 1
    car.s.rest = 0
    assert [car.step(), car.step()] == ["Fault", "Shutdown"]


def test_another_fault_keeps_the_contactors_until_the_car_stands(car):
    car.in_state("Drive").stop = 1
    car.s.rest = 0
    assert [car.step(), car.step(), car.step()] == ["Fault"] * 3
    car.s.rest = 1
    assert car.step() == "Shutdown"


@pytest.mark.req("SM-04")
def test_shutdown_ends_with_a_dead_link_or_gives_up(car):
    car.in_state("Shutdown").hv_off = 0
    assert car.step() == "Shutdown"
    car.s.hv_off = 1
    assert car.step() == "Standby"
    car.in_state("Shutdown").hv_open = car.s.hv_off = 0
    car.s.stays_live = 1
    assert car.step() == "Standby"


@pytest.mark.req("SM-04")
def test_no_start_with_a_stop_fault(car):
    car.in_state("Standby").stop = 1
    car.s.button_edge = 1
    assert car.step() == "Standby"


@pytest.mark.req("SF-08")
def test_a_reset_while_the_contactors_are_closed_does_not_go_on_driving(car):
    car.s.hv_open = car.s.hv_off = 0
    car.s.hv_closed = 1
    assert car.step() == "Fault"
    assert car.s.restarted_live


def test_nothing_begins_before_the_nodes_are_heard(car, ages):
    ages["BmsStatus"] = 1_000_000
    assert car.step() == "Init"


@pytest.mark.req("SM-02")
def test_three_tries_in_60_s(car):
    started = []
    for tick in range(0, 9000, 500):
        car.s.now_ticks = 6000 + tick
        car.in_state("Standby")
        car.s.button_edge = 1
        if car.step() == "Precharge":
            started.append(tick)
    assert started == [0, 500, 1000, 6000, 6500, 7000]
