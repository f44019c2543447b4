"""Every virtual node sends what the database says, when it says, with E2E; absent and unpowered nodes don't."""

from itertools import pairwise

import pytest

from hil.nodes import Bms, Esc, Inverter, Pedals
from hil.nodes.base import Node, Provider
from hil.nodes.messages import Choices
from twinaxle.dbc import powertrain
from twinaxle.dbc.codec import codec
from twinaxle.e2e import Verdict
from twinaxle.errors import UserError

from .conftest import Rig

SENT = [m.name for m in powertrain().messages.values() if m.sender not in ("VCU", "TESTER") and m.cycle_ms]


@pytest.mark.parametrize("name", SENT)
def test_every_message_comes_in_its_cycle_with_good_e2e(rig: Rig, name: str) -> None:
    message = powertrain().messages[name]
    rig.run_ms(1000)
    times = [time_ns for time_ns, _ in rig.frames(name)]
    assert len(times) == pytest.approx(1000 / message.cycle_ms, abs=1.01)
    for before, after in pairwise(times):
        assert after - before == pytest.approx(message.cycle_ms * 1e6, abs=1.5e6)  # waits for the bus
    assert rig.verdicts(name) == [Verdict.INITIAL] + [Verdict.OK] * (len(times) - 1)


def test_crystals_drift_apart_by_50_ppm_at_most_and_phases_are_seeded() -> None:
    def clocks(seed: int) -> list[float]:
        return [node.clock_ppm for node in Rig(seed=seed).nodes.values()]

    first = clocks(1)
    assert clocks(1) == first
    assert clocks(2) != first
    assert len(set(first)) == len(first)
    drawn = [ppm for seed in range(30) for ppm in clocks(seed)]
    assert all(-50 <= ppm <= 50 for ppm in drawn)
    assert max(drawn) > 40
    assert min(drawn) < -40


def test_a_given_clock_error_shows_in_the_period() -> None:
    rig = Rig(absent=("INV_F", "INV_R", "BMS", "ESC"))
    rig.pedals.power_off()
    rig.pedals.clock_ppm = 40.0
    rig.pedals.power_on()
    rig.run_ms(20_000)
    times = [time_ns for time_ns, _ in rig.frames("PedalsDriver")]
    assert (times[-1] - times[0]) / (len(times) - 1) == pytest.approx(10e6 * (1 + 40e-6), abs=60.0)


def test_the_same_seed_gives_the_same_log() -> None:
    def log(seed: int) -> list[tuple[int, object, str]]:
        rig = Rig(seed=seed)
        rig.run_ms(300)
        return list(rig.log)

    assert log(3) == log(3)
    assert log(3) != log(4)


def test_an_absent_node_is_not_on_the_bus() -> None:
    rig = Rig(absent=("INV_R", "ESC"))
    rig.run_ms(200)
    assert "INV_R" not in rig.bus.ports
    assert not rig.frames("InvRearStatus")
    assert not rig.frames("EscMotion")
    assert rig.frames("InvFrontStatus")
    with pytest.raises(UserError, match="not attached"):
        rig.faults.lose("InvRearStatus")
    with pytest.raises(UserError, match="not virtual"):
        rig.faults.power_cut("ESC")
    with pytest.raises(UserError, match="not virtual"):
        rig.faults.sensor("ESC", "accel_x_mps2", offset=1.0)


@pytest.mark.req("HB-04")
def test_power_cut_silences_a_node_and_power_brings_it_back_from_counter_zero(rig: Rig) -> None:
    rig.run_ms(105)
    with rig.faults.power_cut("PEDALS"):
        begin_ns = rig.now_ns
        rig.run_ms(50)
        assert not rig.frames("PedalsDriver", begin_ns)
    rig.run_ms(30)
    assert rig.frames("PedalsDriver", begin_ns)[0][1][1] & 0x0F == 0


def test_a_node_comes_back_from_bus_off_by_itself(rig: Rig) -> None:
    rig.run_ms(50)
    rig.faults.bus_dominant(duration_ms=20)
    begin_ns = rig.now_ns + 20_000_000
    rig.run_ms(90)
    assert not rig.frames("PedalsDriver", begin_ns)
    rig.run_ms(80)
    assert rig.frames("PedalsDriver", begin_ns)


def test_values_reach_the_bus_in_their_units(rig: Rig) -> None:
    rig.pedals.pedal_percent, rig.pedals.brake_bar, rig.pedals.gear = 50.0, 30.0, "D"
    rig.pedals.one_pedal, rig.pedals.drive_mode, rig.pedals.start_button = True, "Snow", True
    rig.esc.torque_max_nm, rig.esc.yaw_rate_dps, rig.esc.accel_y_mps2, rig.esc.esc_active = 300.0, -5.0, 2.5, True
    rig.roll(400.0)
    rig.run_ms(20)
    pedals = rig.latest("PedalsDriver")
    assert (pedals.Apps1, pedals.Apps2, pedals.BrakePressure, pedals.BrakeSwitch) == (2500, 1250, 30.0, 1)
    assert (pedals.OnePedal, pedals.StartButton) == (1, 1)
    assert (rig.label("PedalsDriver", "Gear"), rig.label("PedalsDriver", "DriveMode")) == ("D", "Snow")
    motion = rig.latest("EscMotion")
    assert (motion.TorqueMaxValid, motion.TorqueMax, motion.EscActive) == (1, 300.0, 1)
    assert (motion.YawRate, motion.AccelY) == (pytest.approx(-5.0), pytest.approx(2.5))
    assert motion.AccelX < -0.5
    wheels = rig.latest("EscWheelSpeeds")
    assert wheels.Valid == 0b1111
    assert wheels.FrontLeft == wheels.FrontRight == pytest.approx(rig.plant.speed_mps * 3.6, rel=0.05)
    rig.esc.torque_max_nm = None
    rig.run_ms(20)
    assert rig.latest("EscMotion").TorqueMaxValid == 0


def test_wheel_speeds_are_magnitudes(rig: Rig) -> None:
    rig.driver.gear("N")
    rig.roll(-100.0)
    rig.run_ms(15)
    assert rig.latest("EscWheelSpeeds").RearLeft > 10.0


def test_the_brake_pedal_acts_on_the_car_without_the_node(rig: Rig) -> None:
    rig.faults.power_cut("PEDALS")
    rig.driver.gear("N")
    rig.roll(400.0)
    rig.driver.brake(50.0)
    rig.run_ms(500)
    assert rig.plant.accel_mps2 < -3.0


def test_gear_p_locks_only_a_car_that_stands(rig: Rig) -> None:
    rig.driver.gear("N")
    assert not rig.plant.parking_lock
    rig.roll(300.0)
    rig.driver.gear("P")
    rig.run_ms(50)
    assert not rig.plant.parking_lock
    rig.driver.brake(80.0)
    rig.run_ms(4000)
    assert rig.plant.parking_lock


def test_abs_opens_a_locking_brake_and_tells_it(rig: Rig) -> None:
    rig.driver.gear("N")
    rig.plant.set_friction(0.3)
    rig.roll(600.0)
    rig.driver.brake(120.0)
    worst = 0.0
    rig.until(lambda: rig.esc.abs_active)
    rig.run_ms(200)
    assert rig.latest("EscMotion").AbsActive == 1
    for _ in range(100):
        rig.run_ms(10)
        worst = max(worst, -rig.plant.front.slip)
    assert worst < 0.5  # without ABS the wheel stands: 1.0
    rig.driver.brake(0.0)
    rig.run_ms(30)
    assert rig.latest("EscMotion").AbsActive == 0


def test_without_abs_the_same_brake_locks_the_wheels() -> None:
    rig = Rig(absent=("ESC",))
    rig.driver.gear("N")
    rig.plant.set_friction(0.3)
    rig.roll(600.0)
    rig.driver.brake(120.0)
    rig.run_ms(500)
    assert rig.plant.front.slip < -0.9


def test_all_nodes_have_values_for_all_that_the_database_lets_them_send(rig: Rig) -> None:
    for kind, name in ((Bms, "BMS"), (Pedals, "PEDALS"), (Esc, "ESC"), (Inverter, "INV_F"), (Inverter, "INV_R")):
        node = rig.nodes[name]
        assert isinstance(node, kind)
        due = {m.name for m in powertrain().messages.values() if m.sender == name and m.cycle_ms}
        assert set(node.providers()) == due
        for message, values in node.providers().items():
            assert len(values()) == len(codec(message).fields)


def test_a_node_without_values_for_a_message_says_which(rig: Rig) -> None:
    class Mute(Node):
        def providers(self) -> dict[str, Provider]:
            return {}

    from hil.bus import Bus

    with pytest.raises(UserError, match="PedalsDriver"):
        Mute(rig.kernel, Bus(rig.kernel), "PEDALS").power_on()
    with pytest.raises(UserError, match="no node PEDALZ"):
        Mute(rig.kernel, Bus(rig.kernel), "PEDALZ")
    with pytest.raises(UserError, match="has no 'X'"):
        _ = Choices(powertrain().messages["PedalsDriver"], "Gear")["X"]
    with pytest.raises(UserError, match="no signal Gearr"):
        Choices(powertrain().messages["PedalsDriver"], "Gearr")
