"""What inverters and battery are told, and the enable lines."""

import pytest
from firmware_slots import Signals, Slots, raw
from vcu.commands import step

STATES = ("Init", "Standby", "Precharge", "Ready", "Drive", "Limp", "Fault", "Charge", "Shutdown")


class Car:
    """The law with its arrays: two healthy units at rest, contactors closed."""

    def __init__(self, s: Signals, tx: Slots, cal: Slots):
        self.s, self.tx, self.cal = s, tx, cal
        s.front_alive = s.rear_alive = s.front_able = s.rear_able = s.hv_closed = s.hv_light = 1

    def step(self, state, front=500, rear=600):
        s = self.s
        s.state, s.driving = raw(f"VcuStatus.State.{state}"), state in ("Drive", "Limp")
        s.front_dnm, s.rear_dnm = front, rear
        step(s, self.tx, self.cal)

    def mode(self, side="Front"):
        return self.tx[f"VcuInv{side}Command.Mode"]

    def torque(self, side="Front"):
        return self.tx[f"VcuInv{side}Command.TorqueRequest"]

    @property
    def hv_request(self):
        return self.tx["VcuHvCommand.HvRequest"]

    @property
    def lines(self):
        return bool(self.s.enable_front), bool(self.s.enable_rear)


MODE = {name: raw(f"VcuInvFrontCommand.Mode.{name}") for name in ("Off", "Standby", "Torque", "Discharge")}
HV = {name: raw(f"VcuHvCommand.HvRequest.{name}") for name in ("Off", "Drive", "Charge")}


@pytest.fixture
def car(s, tx, cal):
    return Car(s, tx, cal)


def test_drive_commands_each_unit_its_torque(car):
    car.step("Drive")
    assert (car.mode("Front"), car.mode("Rear")) == (MODE["Torque"], MODE["Torque"])
    assert (car.torque("Front"), car.torque("Rear")) == (500, 600)
    assert car.lines == (True, True)


@pytest.mark.req("SM-05")
@pytest.mark.parametrize("state", [state for state in STATES if state not in ("Drive", "Limp")])
@pytest.mark.parametrize("rpm", [0, 6900, 9000, -9000])
def test_no_other_state_commands_torque(car, state, rpm):
    car.s.front_rpm = car.s.rear_rpm = rpm
    car.step(state)
    assert car.torque("Front") == car.torque("Rear") == 0
    assert car.tx["VcuInvFrontCommand.TorqueLimitDrive"] == car.tx["VcuInvRearCommand.TorqueLimitRegen"] == 0


@pytest.mark.req("SF-06", "SP-02")
@pytest.mark.parametrize(("rpm", "mode"), [(0, "Standby"), (6900, "Standby"), (7000, "Torque"), (-9000, "Torque")])
@pytest.mark.parametrize("state", ["Fault", "Shutdown", "Ready"])
def test_gates_stay_on_at_speed(car, state, rpm, mode):
    car.s.front_rpm = rpm
    car.step(state)
    assert car.mode() == MODE[mode]


@pytest.mark.req("SP-07")
def test_a_lost_unit_stands_by_and_the_other_goes_on(car):
    car.s.front_able, car.s.front_lost = 0, 1
    car.step("Limp")
    assert (car.mode("Front"), car.torque("Front")) == (MODE["Standby"], 0)
    assert (car.mode("Rear"), car.torque("Rear")) == (MODE["Torque"], 600)


@pytest.mark.req("SM-06")
def test_shutdown_opens_the_contactors_only_without_load(car):
    car.s.hv_light = 0
    for _ in range(100):
        car.step("Shutdown")
        assert car.hv_request == HV["Drive"]
    car.s.hv_light = 1
    car.step("Shutdown")
    assert car.hv_request == HV["Off"]
    car.s.hv_light = 0
    car.step("Shutdown")
    assert car.hv_request == HV["Off"]


@pytest.mark.req("SM-04")
def test_shutdown_discharges_the_link_once_the_contactors_are_open(car):
    car.step("Shutdown")
    assert car.mode() == MODE["Standby"]
    car.s.hv_open, car.s.hv_closed = 1, 0
    car.step("Shutdown")
    assert car.mode() == MODE["Discharge"]
    car.s.front_rpm = 1000
    car.step("Shutdown")
    assert car.mode() == MODE["Standby"]


@pytest.mark.parametrize(
    ("state", "request_"),
    [("Standby", "Off"), ("Precharge", "Drive"), ("Ready", "Drive"), ("Drive", "Drive"), ("Limp", "Drive"),
     ("Fault", "Drive"), ("Charge", "Charge")],
)  # fmt: skip
def test_each_state_asks_for_its_high_voltage(car, state, request_):
    car.step(state)
    assert car.hv_request == HV[request_]


@pytest.mark.req("SF-12")
@pytest.mark.parametrize("state", STATES)
def test_lines_are_high_only_where_torque_may_come_or_the_link_is_handled(car, state):
    car.step(state)
    assert car.lines == ((state in ("Precharge", "Ready", "Drive", "Limp", "Shutdown")),) * 2


@pytest.mark.req("SF-12")
def test_lines_fall_by_monitor_and_bus_off_and_for_the_unit_that_disobeys(car):
    car.s.front_disobeys = 1
    car.step("Limp")
    assert car.lines == (False, True)
    car.s.tripped = 1
    car.step("Limp")
    assert car.lines == (False, False)
    car.s.tripped, car.s.bus_off, car.s.front_disobeys = 0, 1, 0
    car.step("Drive")
    assert car.lines == (False, False)
