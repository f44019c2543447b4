"""Fault states of a motor controller: entry, what it does in them, exit; derating and warning; lies."""

import pytest

from hil.nodes.inverter_rating import Rating
from twinaxle.errors import UserError

from .conftest import Rig

INJECTABLE = ["OverVoltage", "UnderVoltage", "OverCurrent", "OverTemperature", "Resolver", "Hardware", "OverSpeed"]
RATING = Rating()


@pytest.mark.parametrize("code", INJECTABLE)
def test_a_fault_cuts_torque_and_is_left_through_lockout(ready: Rig, code: str) -> None:
    ready.roll(300.0)
    ready.torque(100.0)
    fault = ready.faults.inverter("INV_F", code)
    ready.run_ms(10)
    assert ready.plant.front.torque_nm == 0.0
    assert not ready.plant.front.gates_on
    ready.run_ms(20)
    assert ready.label("InvFrontStatus", "State") == "Fault"
    assert ready.label("InvFrontStatus", "FaultCode") == code
    assert ready.rear.state == "Standby"
    ready.command.set(Mode="Off", TorqueRequest=0.0)
    ready.run_ms(200)
    assert ready.front.state == "Fault"
    fault.clear()
    ready.run_ms(80)
    if code == "Hardware":
        assert ready.front.state == "Fault"
        with ready.faults.power_cut("INV_F"):
            ready.run_ms(20)
        ready.run_ms(200)
    assert ready.label("InvFrontStatus", "State") == "Standby"
    assert ready.label("InvFrontStatus", "FaultCode") == "None"


def test_lockout_after_a_fault_keeps_its_code_until_it_is_left(ready: Rig) -> None:
    ready.torque(50.0)
    with ready.faults.inverter("INV_F", "OverCurrent"):
        ready.run_ms(120)
    ready.run_ms(120)
    assert ready.label("InvFrontStatus", "State") == "Lockout"  # the command still asks for torque
    assert ready.label("InvFrontStatus", "FaultCode") == "OverCurrent"


def test_a_short_trip_is_visible_for_100_ms(ready: Rig) -> None:
    ready.faults.inverter("INV_F", "OverCurrent").clear()
    ready.run_ms(95)
    assert ready.front.state == "Fault"
    ready.run_ms(50)
    assert ready.front.state != "Fault"


def test_above_730_radps_a_fault_keeps_the_gates_on_with_zero_torque(ready: Rig) -> None:
    ready.roll(900.0)
    ready.torque(100.0)
    ready.faults.inverter("INV_F", "Resolver")
    ready.run_ms(10)
    assert ready.plant.front.torque_nm == 0.0
    assert ready.plant.front.gates_on


@pytest.mark.parametrize(
    ("channel", "trips_at", "clear_at", "code"),
    [
        ("link_voltage_v", RATING.over_voltage_v + 1, RATING.over_voltage_clear_v - 1, "OverVoltage"),
        ("dc_current_a", RATING.over_current_a + 1, 0.0, "OverCurrent"),
        ("torque_nm", -RATING.over_current_nm - 1, 0.0, "OverCurrent"),
        ("stator_degc", RATING.stator_trip_degc, RATING.stator_derate_degc - 1, "OverTemperature"),
        ("inverter_degc", RATING.inverter_trip_degc, RATING.inverter_derate_degc - 1, "OverTemperature"),
        ("speed_radps", 1580.0, 1500.0, "OverSpeed"),
    ],
)
def test_measured_values_trip_the_protections(
    ready: Rig, channel: str, trips_at: float, clear_at: float, code: str
) -> None:
    with ready.faults.sensor("INV_F", channel, stuck=trips_at):
        ready.run_ms(220)
        assert (ready.front.state, ready.front.fault_code) == ("Fault", code)
        if code != "OverCurrent":  # the others have a hysteresis
            with ready.faults.sensor("INV_F", channel, stuck=trips_at - 0.3 * (trips_at - clear_at)):
                ready.run_ms(300)
                assert ready.front.state == "Fault"
        with ready.faults.sensor("INV_F", channel, stuck=clear_at):
            ready.run_ms(300)
            assert ready.front.state == "Standby"


def test_under_voltage_trips_only_when_torque_is_asked_for(ready: Rig) -> None:
    with ready.faults.sensor("INV_F", "link_voltage_v", stuck=150.0):
        ready.run_ms(50)
        assert ready.front.state == "Standby"
        ready.torque(0.0, 20)
        assert (ready.front.state, ready.front.fault_code) == ("Fault", "UnderVoltage")


@pytest.mark.parametrize(
    ("channel", "value", "share", "derating", "warning"),
    [
        ("stator_degc", 130.0, 1.0, 0, 0),
        ("stator_degc", 145.0, 1.0, 0, 1),
        ("stator_degc", 165.0, 0.5, 1, 1),
        ("inverter_degc", 80.0, 1.0, 0, 1),
        ("inverter_degc", 100.0, 0.25, 1, 1),
    ],
)
def test_temperature_derates_and_warns(
    ready: Rig, channel: str, value: float, share: float, derating: int, warning: int
) -> None:
    with ready.faults.sensor("INV_F", channel, stuck=value):
        ready.run_ms(150)
        status = ready.latest("InvFrontStatus")
        assert (status.Derating, status.Warning) == (derating, warning)
        assert ready.latest("InvFrontLimits").TorqueAvailableDrive == pytest.approx(share * 330.0, abs=0.2)
        assert ready.latest("InvFrontTemps")._asdict()[{"s": "TempStator", "i": "TempInverter"}[channel[0]]] == value


def test_contactors_that_open_at_full_regeneration_trip_within_two_milliseconds(ready: Rig) -> None:
    ready.roll(600.0)
    ready.torque(-200.0)
    assert ready.plant.front.dc_power_w < -80e3
    ready.faults.power_cut("BMS")
    ready.run_ms(2)
    assert (ready.front.state, ready.front.fault_code) == ("Fault", "OverVoltage")
    assert ready.bms.opened_under_load[0].current_a < -150.0


# --- lies ---


@pytest.mark.req("HB-04")
@pytest.mark.parametrize(("reports", "shown"), [("truth", 0.0), ("request", 60.0)])
def test_echo_answers_without_acting(ready: Rig, reports: str, shown: float) -> None:
    ready.torque(100.0)
    ready.faults.lie("INV_F", "echo", reports="request" if reports == "request" else "truth")
    ready.torque(60.0)
    assert ready.plant.front.torque_nm == pytest.approx(0.0, abs=0.1)
    status = ready.latest("InvFrontStatus")
    assert status.TorqueActual == pytest.approx(shown, abs=0.2)
    assert (ready.command.counter - status.EchoCounter) % 15 <= 1
    assert ready.front.state == "Torque"


@pytest.mark.req("HB-04")
@pytest.mark.parametrize("stop", ["zero", "standby", "silence"])
def test_frozen_torque_goes_on_until_the_enable_line_falls(ready: Rig, stop: str) -> None:
    ready.roll(200.0)
    ready.torque(80.0)
    ready.faults.lie("INV_F", "frozen", reports="request")
    if stop == "silence":
        ready.command.on = False
    else:
        ready.command.set(Mode="Torque" if stop == "zero" else "Standby", TorqueRequest=0.0)
    ready.run_ms(200)
    assert ready.plant.front.torque_nm == pytest.approx(80.0, abs=0.5)
    assert ready.latest("InvFrontStatus").TorqueActual == 0.0
    ready.front.set_enable(False)
    ready.run_ms(10)
    assert ready.plant.front.torque_nm == 0.0


@pytest.mark.req("HB-04")
def test_with_a_broken_shut_off_stage_only_the_contactors_end_a_frozen_torque(ready: Rig) -> None:
    ready.roll(200.0)
    ready.torque(80.0)
    ready.faults.lie("INV_F", "frozen")
    ready.faults.enable_ignored("INV_F")
    ready.front.set_enable(False)
    ready.run_ms(200)
    assert ready.plant.front.torque_nm == pytest.approx(80.0, abs=0.5)
    ready.hv.set(HvRequest="Off")
    ready.until(lambda: ready.bms.contactor_state == "Open", 1500)
    ready.run_ms(100)
    assert ready.plant.front.torque_nm == 0.0
    assert len(ready.bms.opened_under_load) == 1


@pytest.mark.req("HB-04")
def test_sign_turns_the_torque_and_clearing_ends_the_lie(ready: Rig) -> None:
    ready.roll(200.0)
    fault = ready.faults.lie("INV_F", "sign")
    ready.torque(60.0)
    assert ready.plant.front.torque_nm == pytest.approx(-60.0, abs=0.5)
    assert ready.latest("InvFrontStatus").TorqueActual == pytest.approx(-60.0, abs=0.5)
    fault.clear()
    ready.run_ms(100)
    assert ready.plant.front.torque_nm == pytest.approx(60.0, abs=0.5)


def test_unknown_faults_and_lies_are_refused_with_near_names(ready: Rig) -> None:
    with pytest.raises(UserError, match="OverVoltage"):
        ready.faults.inverter("INV_F", "OverVolt")
    with pytest.raises(UserError, match="frozen"):
        ready.faults.lie("INV_F", "frosen")
    with pytest.raises(UserError, match="INV_F"):
        ready.faults.lie("INV_X", "frozen")
    assert ready.faults.marks == []
