"""A motor controller does what the protocol says: one test for each of its sentences."""

import pytest

from hil.nodes.inverter_control import RPM_PER_RADPS

from .conftest import Rig

GATES_OFF_RADPS = 730.0


def test_it_starts_in_init_and_goes_to_lockout_without_a_fault(rig: Rig) -> None:
    rig.command.on = False
    rig.run_ms(50)
    assert rig.label("InvFrontStatus", "State") == "Init"
    rig.run_ms(70)
    assert rig.label("InvFrontStatus", "State") == "Lockout"
    assert rig.label("InvFrontStatus", "FaultCode") == "None"
    rig.run_ms(500)
    assert rig.label("InvFrontStatus", "State") == "Lockout"


@pytest.mark.parametrize("mode", ["Off", "Standby"])
def test_three_good_commands_with_zero_torque_end_lockout(rig: Rig, mode: str) -> None:
    rig.command.on = False
    rig.run_ms(105)
    rig.command.set(Mode=mode)
    rig.command.on = True
    rig.until(lambda: len(rig.frames("VcuInvFrontCommand")) >= 3)
    assert (
        rig.front_state() == "Lockout"
    )  # the first frame of all is no good one yet: E2E has nothing to compare it with
    rig.until(lambda: len(rig.frames("VcuInvFrontCommand")) >= 4)
    assert rig.front_state() == "Standby"


@pytest.mark.parametrize(
    "change", [{"Mode": "Torque"}, {"TorqueRequest": 1.0}, {"Mode": "Discharge"}, {"TorqueRequest": -0.1}]
)
def test_other_commands_do_not_end_lockout(rig: Rig, change: dict[str, float | str]) -> None:
    rig.command.set(**change)
    rig.run_ms(400)
    assert rig.front_state() == "Lockout"
    assert rig.rear.state == "Standby"


def test_a_bad_command_between_starts_the_count_again(rig: Rig) -> None:
    rig.command.on = False
    rig.run_ms(105)
    rig.command.on = True
    rig.until(lambda: len(rig.frames("VcuInvFrontCommand")) >= 3)
    rig.faults.wrong_crc("VcuInvFrontCommand", count=1)
    rig.until(lambda: len(rig.frames("VcuInvFrontCommand")) >= 4)
    # After the bad frame the counter is one ahead: good with loss, and three of them are needed again.
    rig.until(lambda: len(rig.frames("VcuInvFrontCommand")) >= 6)
    assert rig.front_state() == "Lockout"
    rig.until(lambda: len(rig.frames("VcuInvFrontCommand")) >= 7)
    assert rig.front_state() == "Standby"


def test_the_enable_line_must_be_high_to_end_lockout(rig: Rig) -> None:
    rig.front.set_enable(False)
    rig.run_ms(400)
    assert rig.front_state() == "Lockout"
    rig.front.set_enable(True)
    rig.run_ms(40)
    assert rig.front_state() == "Standby"


@pytest.mark.parametrize("motor_radps", [300.0, 900.0])
def test_without_a_command_torque_is_zero_60_ms_after_the_last_one(ready: Rig, motor_radps: float) -> None:
    ready.roll(motor_radps)
    ready.torque(150.0)
    ready.command.on = False
    last_ns = ready.frames("VcuInvFrontCommand")[-1][0]
    ready.run_ms((last_ns - ready.now_ns) / 1e6 + 49.0)
    assert ready.front_state() == "Torque"
    assert ready.plant.front.torque_nm > 100.0
    ready.run_ms(1.5)
    assert ready.front_state() == "Lockout"
    ready.run_ms(9.5)
    assert ready.plant.front.torque_nm == 0.0
    ready.run_ms(12)
    assert ready.label("InvFrontStatus", "State") == "Lockout"
    assert ready.label("InvFrontStatus", "FaultCode") == "CommandTimeout"
    assert ready.plant.front.gates_on is (motor_radps > GATES_OFF_RADPS)
    assert ready.rear.state == "Standby"


def test_bad_commands_are_as_if_they_had_not_come(ready: Rig) -> None:
    ready.torque(100.0)
    with ready.faults.wrong_crc("VcuInvFrontCommand"):
        ready.run_ms(80)
    assert ready.front_state() == "Lockout"
    assert ready.front.fault_code == "CommandTimeout"


def test_a_command_timeout_is_left_as_any_lockout_and_the_code_goes(ready: Rig) -> None:
    ready.torque(50.0)
    ready.command.on = False
    ready.run_ms(100)
    ready.command.set(Mode="Standby", TorqueRequest=0.0)
    ready.command.on = True
    ready.run_ms(80)
    assert ready.label("InvFrontStatus", "State") == "Standby"
    assert ready.label("InvFrontStatus", "FaultCode") == "None"


def test_the_echo_is_the_counter_of_the_last_accepted_command(ready: Rig) -> None:
    for _ in range(40):
        ready.run_ms(7)
        ready.until(lambda: ready.now_ns - ready.frames("InvFrontStatus")[-1][0] < 600_000)
        sent_ns, _ = ready.frames("InvFrontStatus")[-1]
        before = [data for time_ns, data in ready.frames("VcuInvFrontCommand") if time_ns < sent_ns - 300_000]
        after = [data for time_ns, data in ready.frames("VcuInvFrontCommand") if time_ns < sent_ns]
        assert ready.latest("InvFrontStatus").EchoCounter in {before[-1][1] & 15, after[-1][1] & 15}
    with ready.faults.wrong_crc("VcuInvFrontCommand"):
        ready.run_ms(25)
        held = ready.front.echo_counter
        ready.run_ms(20)
        assert ready.front.echo_counter == held != ready.command.counter


@pytest.mark.parametrize(("motor_radps", "gates_on"), [(0.0, False), (725.0, False), (740.0, True)])
@pytest.mark.parametrize("mode", ["Off", "Standby"])
def test_gates_off_is_refused_above_730_radps(ready: Rig, mode: str, motor_radps: float, gates_on: bool) -> None:
    ready.torque(20.0)
    ready.roll(motor_radps)
    ready.run_ms(20)
    assert ready.plant.front.gates_on
    ready.command.set(Mode=mode, TorqueRequest=0.0)
    ready.roll(motor_radps)
    ready.run_ms(25)
    ready.roll(motor_radps)
    ready.run_ms(15)
    assert ready.plant.front.gates_on is gates_on
    assert bool(ready.latest("InvFrontStatus").GatesOn) is gates_on
    assert ready.plant.front.torque_nm == 0.0
    assert ready.front_state() == "Standby"


def test_gates_go_off_by_themselves_when_the_motor_gets_slow_enough(ready: Rig) -> None:
    ready.roll(760.0)
    ready.run_ms(20)
    assert ready.plant.front.gates_on
    ready.pedals.brake_bar = 40.0
    ready.until(lambda: ready.plant.front.speed_radps < GATES_OFF_RADPS, 5000)
    ready.run_ms(11)
    assert not ready.plant.front.gates_on


@pytest.mark.parametrize("motor_radps", [300.0, 900.0])
@pytest.mark.parametrize("how", ["line", "wire"])
def test_the_enable_line_takes_torque_away_within_10_ms(ready: Rig, how: str, motor_radps: float) -> None:
    ready.roll(motor_radps)
    ready.torque(150.0)
    assert ready.plant.front.torque_nm > 100.0
    if how == "line":
        ready.front.set_enable(False)
    else:
        ready.faults.enable_cut("INV_F")
    ready.run_ms(10)
    assert ready.plant.front.torque_nm == 0.0
    assert ready.plant.front.gates_on is (motor_radps > GATES_OFF_RADPS)
    ready.run_ms(20)
    assert ready.label("InvFrontStatus", "State") == "Lockout"
    assert ready.rear.state == "Standby"


def test_a_line_that_nobody_drives_reads_low() -> None:
    rig = Rig()
    rig.front.set_enable(False)
    assert not rig.front.enabled
    rig.front.set_enable(True)
    with rig.faults.enable_cut("INV_F"):
        assert not rig.front.enabled
    assert rig.front.enabled


def test_torque_follows_with_5_ms_lag_and_at_most_5000_nm_per_s(ready: Rig) -> None:
    ready.torque(0.0, 20)
    ready.command.set(TorqueRequest=20.0)
    ready.until(lambda: ready.front.target_nm == 20.0)
    ready.run_ms(5)
    assert 20.0 * 0.5 < ready.plant.front.torque_nm < 20.0 * 0.75  # 63 % after one lag, a step of the plant about
    ready.run_ms(25)
    assert ready.plant.front.torque_nm == pytest.approx(20.0, abs=0.2)
    ready.command.set(TorqueRequest=320.0)
    ready.until(lambda: ready.front.target_nm == 320.0)
    begin = ready.plant.front.torque_nm
    ready.run_ms(20)
    assert ready.plant.front.torque_nm - begin == pytest.approx(100.0, abs=6.0)


def test_torque_stays_inside_the_limits_of_the_command(ready: Rig) -> None:
    ready.roll(300.0)
    ready.command.set(TorqueLimitDrive=80.0, TorqueLimitRegen=60.0)
    ready.torque(200.0)
    assert ready.plant.front.torque_nm == pytest.approx(80.0, abs=0.5)
    ready.torque(-200.0)
    assert ready.plant.front.torque_nm == pytest.approx(-60.0, abs=0.5)


def test_in_reverse_the_drive_limit_holds_for_negative_torque(ready: Rig) -> None:
    ready.pedals.gear = "R"
    ready.roll(-150.0)
    ready.command.set(TorqueLimitDrive=80.0, TorqueLimitRegen=60.0)
    ready.torque(-200.0, 80)
    assert ready.front.target_nm == pytest.approx(-80.0)
    ready.torque(200.0, 80)
    assert ready.front.target_nm == pytest.approx(60.0)


@pytest.mark.parametrize("motor_radps", [100.0, 600.0, 900.0, 1300.0])
def test_torque_stays_inside_the_available_limits_which_it_reports(ready: Rig, motor_radps: float) -> None:
    ready.roll(motor_radps)
    ready.torque(400.0)
    plant = ready.plant
    available = plant.front.torque_available_nm(plant.front.speed_radps, plant.link_voltage_v)
    assert ready.latest("InvFrontLimits").TorqueAvailableDrive == pytest.approx(available, rel=0.01)
    assert plant.front.torque_nm == pytest.approx(min(330.0, available), rel=0.02)


def test_drive_torque_fades_at_the_commanded_speed_limit(ready: Rig) -> None:
    ready.command.set(SpeedLimit=2000.0)
    ready.torque(300.0, 50)
    fastest = 0.0
    for _ in range(400):
        ready.run_ms(10)
        fastest = max(fastest, ready.plant.front.speed_radps * RPM_PER_RADPS)
    assert 1700.0 < fastest < 2000.0
    ready.torque(-50.0, 50)
    assert ready.plant.front.torque_nm == pytest.approx(-50.0, abs=1.0)


def test_no_torque_is_available_without_high_voltage(rig: Rig) -> None:
    rig.until(lambda: rig.front.state == "Standby")
    rig.run_ms(20)
    limits = rig.latest("InvFrontLimits")
    assert limits.TorqueAvailableDrive == limits.TorqueAvailableRegen == 0.0
    assert limits.DcVoltage < 1.0


def test_regeneration_fades_with_a_high_link_voltage(ready: Rig) -> None:
    with ready.faults.sensor("INV_F", "link_voltage_v", stuck=464.0):
        ready.run_ms(30)
        assert ready.front.available_regen_nm == pytest.approx(0.5 * ready.front.available_drive_nm, rel=0.05)
        assert ready.front_state() == "Standby"
    ready.run_ms(20)
    assert ready.front.available_regen_nm == ready.front.available_drive_nm


def test_status_tells_torque_speed_voltage_and_current(ready: Rig) -> None:
    ready.roll(400.0)
    ready.torque(100.0)
    status, limits = ready.latest("InvFrontStatus"), ready.latest("InvFrontLimits")
    plant = ready.plant
    assert status.TorqueActual == pytest.approx(100.0, abs=1.0)
    assert status.Speed == pytest.approx(plant.front.speed_radps * RPM_PER_RADPS, rel=0.02)
    assert limits.DcVoltage == pytest.approx(plant.link_voltage_v, abs=2.0)
    assert limits.DcCurrent == pytest.approx(plant.front.dc_power_w / plant.link_voltage_v, rel=0.05)


def test_discharge_empties_the_link_with_open_contactors(ready: Rig) -> None:
    ready.hv.set(HvRequest="Off")
    ready.until(lambda: ready.bms.contactor_state == "Open")
    assert ready.plant.link_voltage_v > 350.0
    ready.command.set(Mode="Discharge")
    ready.run_ms(30)
    assert ready.label("InvFrontStatus", "State") == "Discharge"
    assert ready.until(lambda: ready.plant.link_voltage_v < 60.0, 5000) < 1000
    ready.command.set(Mode="Off")
    ready.run_ms(30)
    assert ready.label("InvFrontStatus", "State") == "Standby"


def test_discharge_gives_up_on_a_link_that_the_battery_holds(ready: Rig) -> None:
    ready.command.set(Mode="Discharge")
    ready.run_ms(2900)
    assert ready.front_state() == "Discharge"
    ready.run_ms(200)
    assert ready.front_state() == "Standby"
    assert ready.latest("InvFrontStatus").Warning == 1
    ready.command.set(Mode="Off")
    ready.run_ms(40)
    assert ready.latest("InvFrontStatus").Warning == 0


def test_discharge_is_refused_while_the_motor_turns(ready: Rig) -> None:
    ready.roll(200.0)
    ready.command.set(Mode="Discharge")
    ready.run_ms(40)
    assert ready.front_state() == "Standby"
    assert not ready.plant.front.discharge


def test_power_cut_and_back_starts_again(ready: Rig) -> None:
    ready.torque(100.0)
    with ready.faults.power_cut("INV_F"):
        ready.run_ms(10)
        assert ready.plant.front.torque_nm == 0.0
        assert not ready.plant.front.gates_on
        begin_ns = ready.now_ns
        ready.run_ms(100)
        assert not ready.frames("InvFrontStatus", begin_ns)
    ready.run_ms(50)
    assert ready.label("InvFrontStatus", "State") == "Init"
    ready.run_ms(100)
    assert ready.label("InvFrontStatus", "State") == "Lockout"  # Mode Torque does not end it
    assert ready.label("InvFrontStatus", "FaultCode") == "None"
