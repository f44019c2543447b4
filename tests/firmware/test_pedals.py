"""Accelerator sensors, brake, start button."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vcu.pedals import step

SLOW, FAST = 500, 5000  # 0.01 km/h


class Foot:
    """The law with its arrays."""

    def __init__(self, s, rx, cal):
        self.s, self.rx, self.cal = s, rx, cal
        s.button = 1  # as it begins

    def step(self, speed_ckmh):
        self.s.speed_ckmh = speed_ckmh
        step(self.s, self.rx, self.cal)


@pytest.fixture
def pedals(s, rx, cal):
    return Foot(s, rx, cal)


def press(rx, percent, second=None):
    rx["PedalsDriver.Apps1"] = 500 + 40 * percent
    rx["PedalsDriver.Apps2"] = 250 + 20 * (percent if second is None else second)


def let_pass(pedals, ms, speed=FAST):
    for _ in range(ms // 10):
        pedals.step(speed)


@pytest.mark.req("TQ-01")
@pytest.mark.parametrize("percent", range(0, 101, 5))
def test_travel_comes_from_both_sensors(pedals, rx, percent):
    press(rx, percent)
    pedals.step(FAST)
    assert pedals.s.travel_e4 == percent * 100


@pytest.mark.req("TQ-01")
def test_steps_of_travel_are_finer_than_a_tenth_of_a_percent(pedals, rx):
    press(rx, 40)
    rx["PedalsDriver.Apps1"] = 500 + 1602
    rx["PedalsDriver.Apps2"] = 250 + 801
    pedals.step(FAST)
    assert pedals.s.travel_e4 == 4005


def test_the_lower_sensor_counts(pedals, rx):
    press(rx, 50, second=45)
    pedals.step(FAST)
    assert pedals.s.travel_e4 == 4500


@pytest.mark.req("SF-02")
def test_sensors_apart_for_100_ms_latch_until_they_agree_and_the_pedal_is_released(pedals, rx):
    press(rx, 60, second=48)
    let_pass(pedals, 90)
    assert not pedals.s.pedal_fault
    let_pass(pedals, 10)
    assert pedals.s.pedal_fault
    press(rx, 60)
    let_pass(pedals, 500)
    assert pedals.s.pedal_fault
    press(rx, 4)
    let_pass(pedals, 10)
    assert not pedals.s.pedal_fault


@pytest.mark.req("SF-02")
def test_a_short_time_apart_is_forgiven(pedals, rx):
    for _ in range(20):
        press(rx, 60, second=48)
        let_pass(pedals, 90)
        press(rx, 60)
        let_pass(pedals, 10)
    assert not pedals.s.pedal_fault


@pytest.mark.req("SF-02")
@pytest.mark.parametrize("signal", ["Apps1", "Apps2"])
@pytest.mark.parametrize("volts", [0, 5000, 8191])
def test_a_sensor_out_of_range_latches_after_100_ms(pedals, rx, signal, volts):
    press(rx, 0)
    rx[f"PedalsDriver.{signal}"] = volts
    let_pass(pedals, 100)
    assert pedals.s.pedal_fault


@pytest.mark.req("SF-03")
@pytest.mark.parametrize("brake", [("BrakeSwitch", 1), ("BrakePressure", 50)])
def test_brake_and_pedal_give_no_drive_torque_until_the_pedal_is_released(pedals, rx, brake):
    press(rx, 26)
    rx[f"PedalsDriver.{brake[0]}"] = brake[1]
    pedals.step(FAST)
    assert pedals.s.override
    assert pedals.s.travel_e4 == 0
    rx[f"PedalsDriver.{brake[0]}"] = 0
    press(rx, 6)
    let_pass(pedals, 100)
    assert pedals.s.override
    press(rx, 4)
    pedals.step(FAST)
    assert not pedals.s.override


@pytest.mark.req("SF-03")
def test_brake_and_pedal_are_allowed_slowly_or_with_little_pedal(pedals, rx):
    rx["PedalsDriver.BrakeSwitch"] = 1
    press(rx, 80)
    let_pass(pedals, 100, SLOW)
    assert not pedals.s.override
    press(rx, 24)
    let_pass(pedals, 100, FAST)
    assert not pedals.s.override


def test_the_button_counts_in_the_tick_of_its_edge(pedals, rx):
    pedals.step(0)
    rx["PedalsDriver.StartButton"] = 1
    pedals.step(0)
    assert pedals.s.button_edge
    pedals.step(0)
    assert not pedals.s.button_edge


def test_a_button_that_hangs_since_power_on_starts_nothing(pedals, rx):
    rx["PedalsDriver.StartButton"] = 1
    pedals.step(0)
    assert not pedals.s.button_edge


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 8191), st.integers(0, 8191), st.integers(-26_000, 26_000))
def test_travel_stays_in_its_range_whatever_the_sensors_say(s, rx, cal, apps1, apps2, speed):
    rx["PedalsDriver.Apps1"], rx["PedalsDriver.Apps2"] = apps1, apps2
    pedals = Foot(s, rx, cal)
    pedals.step(speed)
    assert 0 <= pedals.s.travel_e4 <= 10_000
