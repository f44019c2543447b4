"""The table of states, driven as the tick drives it."""

from types import SimpleNamespace

import pytest
from firmware_slots import raw
from vcu import states as module
from vcu.states import States

STATE = {
    name: raw(f"VcuStatus.State.{name}")
    for name in ("Init", "Standby", "Precharge", "Ready", "Drive", "Limp", "Fault", "Charge", "Shutdown")
}
NAME = {number: name for name, number in STATE.items()}


class Car:
    """States with parts that a test sets by hand."""

    def __init__(self, rx, ages, cal):
        rx["BmsStatus.PlugConnected"] = 0
        self.rx, self.ages = rx, ages
        self.pedals = SimpleNamespace(pressed_button=False, released=True, brake=True, fault=False)
        self.gear = SimpleNamespace(park=True, wanted=0)
        self.motion = SimpleNamespace(rest=True)
        self.hv = SimpleNamespace(
            open=True, off=True, closed=False, done=False, slow=False, stays_live=False, tries=0,
            may_try=lambda: True, begin_try=lambda: None,
        )  # fmt: skip
        self.faults = SimpleNamespace(stop=False, urgent=False, clear=lambda: None, restarted_live=False)
        self.front = SimpleNamespace(able=True, lost=False)
        self.rear = SimpleNamespace(able=True, lost=False)
        parts = (self.pedals, self.gear, self.motion, self.hv, self.faults, self.front, self.rear)
        self.states = States(rx, ages, cal, *parts)

    def step(self, torque_free=True):
        self.states.step(torque_free)
        return NAME[self.states.state]

    def in_state(self, name):
        self.states.state = STATE[name]
        self.states.driving = name in ("Drive", "Limp")
        if name not in ("Init", "Standby", "Precharge", "Shutdown"):
            self.hv.open = self.hv.off = False
            self.hv.closed = True
        return self


@pytest.fixture
def car(rx, ages, cal):
    return Car(rx, ages, cal)


@pytest.mark.req("SM-01")
def test_a_start_goes_through_the_states_in_order(car):
    seen = [car.step()]
    car.pedals.pressed_button = True
    seen.append(car.step())
    car.pedals.pressed_button = False
    car.hv.open = car.hv.off = False
    car.hv.done = car.hv.closed = True
    seen.append(car.step())
    car.gear.park, car.gear.wanted = False, 1
    seen.append(car.step())
    assert seen == ["Standby", "Precharge", "Ready", "Drive"]


@pytest.mark.req("SM-01")
def test_every_state_can_be_reached_and_left():
    rows = [tuple(module._TABLE[i : i + 4]) for i in range(0, len(module._TABLE), 4)]
    assert {NAME[row[0]] for row in rows} == set(STATE)
    assert {NAME[row[1]] for row in rows} == set(STATE) - {"Init"}
    assert all(row[0] != row[1] and not row[2] & row[3] for row in rows)
    assert len(set(rows)) == len(rows)


@pytest.mark.req("SM-01")
@pytest.mark.parametrize("state", ["Precharge", "Ready", "Drive", "Limp", "Charge"])
def test_a_stop_fault_ends_every_live_state(car, state):
    car.in_state(state).faults.stop = True
    assert car.step() == "Fault"


@pytest.mark.req("SM-03")
@pytest.mark.parametrize(
    "missing",
    [
        lambda car: setattr(car.pedals, "brake", False),
        lambda car: setattr(car.pedals, "released", False),
        lambda car: setattr(car.pedals, "fault", True),
        lambda car: setattr(car.gear, "wanted", 0),
        lambda car: setattr(car.hv, "closed", False),
        lambda car: setattr(car.front, "able", False),
        lambda car: setattr(car.rear, "able", False),
        lambda car: car.rx.__setitem__("BmsStatus.PlugConnected", 1),
    ],
)
def test_drive_needs_each_of_its_conditions(car, missing):
    car.in_state("Ready").gear.wanted = 1
    car.gear.park = False
    car.motion.rest = False
    missing(car)
    assert car.step() == "Ready"


@pytest.mark.req("SM-03")
def test_one_unit_alone_drives_in_limp(car):
    car.in_state("Ready").gear.wanted = 1
    car.front.able, car.front.lost = False, True
    assert car.step() == "Limp"


@pytest.mark.req("SP-07")
def test_a_unit_lost_in_drive_leads_to_limp_for_the_rest_of_the_drive(car):
    car.in_state("Drive").gear.park = False
    car.rear.able, car.rear.lost = False, True
    assert car.step() == "Limp"
    car.rear.able = True
    assert car.step() == "Limp"


@pytest.mark.req("SM-05")
def test_a_plug_inhibits_the_start_and_leads_to_charge(car):
    car.in_state("Standby").rx["BmsStatus.PlugConnected"] = 1
    car.pedals.pressed_button = True
    assert car.step() == "Charge"
    assert not car.states.driving
    car.rx["BmsStatus.PlugConnected"] = 0
    assert car.step() == "Shutdown"


@pytest.mark.req("SM-05")
def test_a_plug_ends_the_drive_when_the_car_stands(car):
    car.in_state("Drive").rx["BmsStatus.PlugConnected"] = 1
    car.gear.park, car.motion.rest = False, False
    assert car.step() == "Drive"
    car.motion.rest = True
    assert [car.step(), car.step()] == ["Ready", "Shutdown"]


@pytest.mark.req("SM-06")
def test_an_open_interlock_opens_the_contactors_at_any_speed(car):
    car.in_state("Drive").faults.stop = car.faults.urgent = True
    car.motion.rest = False
    assert [car.step(False), car.step(False)] == ["Fault", "Shutdown"]


def test_another_fault_keeps_the_contactors_until_the_car_stands(car):
    car.in_state("Drive").faults.stop = True
    car.motion.rest = False
    assert [car.step(), car.step(), car.step()] == ["Fault"] * 3
    car.motion.rest = True
    assert car.step() == "Shutdown"


@pytest.mark.req("SM-04")
def test_shutdown_ends_with_a_dead_link_or_gives_up(car):
    car.in_state("Shutdown").hv.off = False
    assert car.step() == "Shutdown"
    car.hv.off = True
    assert car.step() == "Standby"
    car.in_state("Shutdown").hv.open = car.hv.off = False
    car.hv.stays_live = True
    assert car.step() == "Standby"


@pytest.mark.req("SM-04")
def test_no_start_with_a_stop_fault(car):
    car.in_state("Standby").faults.stop = True
    car.pedals.pressed_button = True
    assert car.step() == "Standby"


@pytest.mark.req("SF-08")
def test_a_reset_while_the_contactors_are_closed_does_not_go_on_driving(car):
    car.hv.open = car.hv.off = False
    car.hv.closed = True
    assert car.step() == "Fault"
    assert car.faults.restarted_live


def test_nothing_begins_before_the_nodes_are_heard(car, ages):
    ages["BmsStatus"] = 1_000_000
    assert car.step() == "Init"
