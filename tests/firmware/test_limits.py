"""Battery power, and who withdraws torque."""

import math

import pytest
from firmware_slots import Int, Signals, raw
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vcu.limits import loss_w, step

loose = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
RADPS = 2 * math.pi / 60


def true_loss_w(torque_nm, radps):
    """Loss of one unit by the loss model of the plant."""
    current = torque_nm / 0.66
    over = max(0.0, radps / 650 - 1)
    always = 0.65 * radps + 8e-4 * radps**2 + 15
    copper = 0.05 * torque_nm**2 * (1 + 0.35 * over)
    return always + 180 + 900 * over**2 + 3 * current + 0.006 * current**2 + copper + 0.018 * torque_nm * radps


@loose
@given(st.integers(0, 3300), st.integers(0, 14_500))
def test_the_loss_is_that_of_the_plant_facts(cal, torque_dnm, rpm):
    wanted = true_loss_w(torque_dnm / 10, rpm * RADPS)
    assert loss_w(cal, Int(torque_dnm), Int(rpm)) == pytest.approx(wanted, rel=0.02, abs=25)


class Car:
    """A car in Drive with everything in order."""

    def __init__(self, rx, ages, cal):
        rx["BmsLimits.DischargePowerMax"], rx["BmsLimits.ChargePowerMax"] = 37_000, 15_000
        rx["EscMotion.AbsActive"] = 0
        self.rx, self.ages, self.cal = rx, ages, cal
        self.s = s = Signals()
        s.front_able = s.rear_able = s.driving = 1
        s.front_drive_dnm = s.front_regen_dnm = s.rear_drive_dnm = s.rear_regen_dnm = 3300
        s.car_drive_dnm = s.car_regen_dnm = 6600

    def ask(self, torque_dnm, rpm=3000, direction=1):
        s = self.s
        s.demand_dnm, s.rpm, s.direction = torque_dnm, rpm, direction
        s.rpm_before = abs(rpm)
        step(s, self.rx, self.ages, self.cal)
        return int(s.limited_dnm)

    @property
    def reason(self):
        return self.s.reason


@pytest.fixture
def car(rx, ages, cal):
    return Car(rx, ages, cal)


def reason(name):
    return raw(f"VcuStatus.LimitReason.{name}")


def battery_w(torque_nm, rpm):
    """Electrical power of both units with half of the torque each."""
    return torque_nm * rpm * RADPS + 2 * true_loss_w(abs(torque_nm) / 2, rpm * RADPS)


@pytest.mark.req("LM-01", "LM-03")
@loose
@given(st.integers(0, 6600), st.integers(0, 14_500), st.integers(50, 40_000))
def test_drive_power_stays_within_the_batterys_limit(rx, ages, cal, torque, rpm, limit_daw):
    car = Car(rx, ages, cal)
    rx["BmsLimits.DischargePowerMax"] = limit_daw
    granted = car.ask(torque, rpm)
    assert 0 <= granted <= torque
    if granted:
        assert battery_w(granted / 10, rpm) + 350 <= limit_daw * 10 * 1.01 + 100
    if granted < torque:
        assert car.reason == reason("BatteryDischarge")
        if granted:  # and what the battery can give is used, unless it is next to nothing; the loss model is up to
            # 64 W a unit off the maps
            assert limit_daw < 2000 or battery_w(granted / 10, rpm) + 350 >= limit_daw * 10 * 0.96 - 400 - 2 * 64


@pytest.mark.req("LM-01", "LM-03")
@loose
@given(st.integers(0, 6600), st.integers(0, 14_500), st.integers(0, 20_000))
def test_regeneration_stays_within_the_batterys_limit(rx, ages, cal, torque, rpm, limit_daw):
    car = Car(rx, ages, cal)
    rx["BmsLimits.ChargePowerMax"] = limit_daw
    granted = car.ask(-torque, rpm)
    assert -torque <= granted <= 0
    assert -battery_w(granted / 10, rpm) <= limit_daw * 10 * 1.01 + 100
    if granted > -torque:
        assert car.reason == reason("BatteryCharge")


@pytest.mark.req("LM-03")
@pytest.mark.parametrize("message", ["BmsLimits", "BmsPack", "BmsStatus"])
def test_late_news_of_the_battery_derate_to_20_kw_and_then_to_nothing(car, ages, message):
    ages[message] = 290
    assert car.ask(6000) == 6000
    ages[message] = 300
    assert battery_w(car.ask(6000) / 10, 3000) == pytest.approx(20_000, rel=0.05)
    assert car.reason == reason("BmsLate")
    ages[message] = 1000
    assert car.ask(6000) == 0
    assert car.ask(-2000) == 0


@pytest.mark.req("TQ-08")
@pytest.mark.parametrize("direction", [1, -1])
def test_torque_max_caps_both_the_request_and_what_flows(car, rx, direction):
    rx["EscMotion.TorqueMaxValid"], rx["EscMotion.TorqueMax"] = 1, 500  # 100 Nm
    assert car.ask(6000 * direction, direction=direction) == 1000 * direction
    assert car.s.most_drive_dnm == 1000
    assert car.reason == reason("EscRequest")


def test_abs_takes_regeneration_at_once(car, rx):
    rx["EscMotion.AbsActive"] = 1
    assert car.ask(-1000) == 0
    assert car.s.most_regen_dnm == 0
    assert car.s.most_drive_dnm > 0


@pytest.mark.req("SF-03")
def test_brake_override_takes_drive_torque_at_once_and_leaves_regeneration(car):
    car.s.override = 1
    assert car.ask(1000) == 0
    assert car.s.most_drive_dnm == 0
    assert car.ask(-500) == -500
    assert car.reason == reason("DriverInput")


@pytest.mark.req("SF-01", "SF-02", "SF-04", "SF-07")
@pytest.mark.parametrize(
    ("signal", "value"),
    [
        ("pedal_fault", 1),
        ("stop", 1),
        ("tripped", 1),
        ("rearming", 1),
        ("driving", 0),
        ("late", raw("PedalsDriver:bit")),
    ],
)
@pytest.mark.parametrize("torque", [3000, -3000])
def test_each_of_them_alone_takes_all_torque_at_once(car, signal, value, torque):
    assert car.ask(torque) == torque
    car.s[signal] = value
    assert car.ask(torque) == 0
    assert car.s.most_drive_dnm == car.s.most_regen_dnm == 0


@pytest.mark.req("LM-01")
@loose
@given(st.integers(0, 6600), st.integers(100, 14_500), st.integers(50, 40_000), st.sampled_from([-1, 1]))
def test_what_still_flows_is_cut_to_the_batterys_power_at_once(rx, ages, cal, flows, rpm, limit_daw, way):
    """Whatever the driver asks for by now."""
    car = Car(rx, ages, cal)
    rx["BmsLimits.DischargePowerMax"] = rx["BmsLimits.ChargePowerMax"] = limit_daw
    car.s.front_dnm, car.s.rear_dnm = way * (flows // 2), way * (flows - flows // 2)
    car.ask(0, rpm)
    most = min(flows, int(car.s.most_drive_dnm if way > 0 else car.s.most_regen_dnm))
    if most:
        assert way * battery_w(way * most / 10, rpm) <= limit_daw * 10 * 1.01 + 100


@pytest.mark.req("SP-05", "LM-03")
def test_a_weak_front_unit_limits_what_both_may_brake(car):
    """The rear axle gives at most 39 % of it, or 0.03 g alone."""
    car.s.front_regen_dnm = 610
    assert car.ask(-2000) == -1000
    assert car.reason == reason("MotorEnvelope")
    car.s.front_regen_dnm = 0
    assert car.ask(-2000) == -259
    car.s.derated_regen = reason("StatorTemp")
    assert car.ask(-2000) == -259
    assert car.reason == reason("StatorTemp")


@pytest.mark.req("SP-07", "LM-03")
def test_with_one_unit_lost_it_is_named_when_the_other_cannot_brake_as_much(car):
    car.s.front_lost, car.s.front_able, car.s.front_regen_dnm = 1, 0, 0
    assert car.ask(-2000) == -259
    assert car.reason == reason("OneUnit")


@pytest.mark.req("LM-02", "LM-03")
@pytest.mark.parametrize("name", ["StatorTemp", "InverterTemp", "CellTemp", "Soc", "Voltage"])
def test_a_derating_that_binds_gives_its_name(car, name):
    car.s.car_drive_dnm = 2000
    car.s.derated_drive = reason(name)
    assert car.ask(1500) == 1500
    assert car.reason == reason("None")
    assert car.ask(6000) == 2000
    assert car.reason == reason(name)
    assert car.s.most_drive_dnm == 2000
