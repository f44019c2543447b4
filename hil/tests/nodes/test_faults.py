"""Every kind of fault can be seen where it acts: on the bus, at a receiver, at the plant."""

from itertools import pairwise

import pytest

from hil.bus import ErrorState
from hil.faults import FaultMark
from twinaxle.dbc.codec import codec
from twinaxle.e2e import Verdict
from twinaxle.errors import UserError

from .conftest import NS_PER_MS, Rig

pytestmark = pytest.mark.req("HB-04")
OK = Verdict.OK


@pytest.fixture
def running(rig: Rig) -> Rig:
    """All nodes have been on the bus for a while."""
    rig.run_ms(100)
    return rig


def signal_values(rig: Rig, message: str, signal: str, since_ns: int) -> list[float]:
    return [getattr(codec(message).unpack(data), signal) for _, data in rig.frames(message, since_ns)]


# --- messages ---


def test_lose(running: Rig) -> None:
    begin_ns = running.now_ns
    with running.faults.lose("InvFrontStatus") as fault:
        running.run_ms(50)
        assert not running.frames("InvFrontStatus", begin_ns)
        assert running.frames("InvFrontLimits", begin_ns)
    assert fault.hits == pytest.approx(5, abs=1)
    running.run_ms(30)
    assert running.verdicts("InvFrontStatus", begin_ns)[0] is Verdict.WRONG_SEQUENCE


def test_lose_a_number_of_frames(running: Rig) -> None:
    begin_ns = running.now_ns
    fault = running.faults.lose("PedalsDriver", count=1)
    running.run_ms(100)
    assert not fault.active
    assert running.verdicts("PedalsDriver", begin_ns)[:2] == [Verdict.OK_SOME_LOST, OK]


def test_delay(running: Rig) -> None:
    before_ns = running.frames("EscMotion")[-1][0]
    begin_ns = running.now_ns
    running.faults.delay("EscMotion", by_ms=4.0)
    running.run_ms(60)
    first_ns = running.frames("EscMotion", begin_ns)[0][0]
    assert (first_ns - before_ns) / NS_PER_MS == pytest.approx(14.0, abs=1.2)
    assert set(running.verdicts("EscMotion", begin_ns)) == {OK}


def test_repeat(running: Rig) -> None:
    begin_ns = running.now_ns
    running.faults.repeat("PedalsDriver", times=2)
    running.run_ms(95)
    verdicts = running.verdicts("PedalsDriver", begin_ns)
    start = verdicts.index(OK)
    assert verdicts[start : start + 6] == [OK, Verdict.REPEATED, Verdict.REPEATED] * 2


@pytest.mark.parametrize(("e2e", "expected"), [(False, Verdict.WRONG_CRC), (True, OK)])
def test_corrupt(running: Rig, e2e: bool, expected: Verdict) -> None:
    begin_ns = running.now_ns
    clean = running.frames("BmsPack")[-1][1]
    running.faults.corrupt("BmsPack", bits=3, e2e=e2e)
    running.run_ms(100)
    assert set(running.verdicts("BmsPack", begin_ns)) == {expected}
    for _, data in running.frames("BmsPack", begin_ns):
        turned = int.from_bytes(data[2:], "little") ^ int.from_bytes(clean[2:], "little")
        state = (data[1] ^ clean[1]) & 0xF0
        assert turned.bit_count() + state.bit_count() == 3


def test_destroy_makes_error_frames_and_the_frame_comes_again(running: Rig) -> None:
    begin_ns = running.now_ns
    fault = running.faults.destroy("PedalsDriver", count=3)
    running.run_ms(60)
    assert len(running.errors) == 3
    assert fault.hits == 3
    assert not fault.active
    assert set(running.verdicts("PedalsDriver", begin_ns)) == {OK}


def test_wrong_crc(running: Rig) -> None:
    begin_ns = running.now_ns
    running.faults.wrong_crc("BmsLimits", count=2)
    running.run_ms(100)
    verdicts = running.verdicts("BmsLimits", begin_ns)
    assert verdicts[:2] == [Verdict.WRONG_CRC] * 2
    assert OK in verdicts[2:]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"step": 4}, Verdict.WRONG_SEQUENCE),
        ({"step": 0}, Verdict.REPEATED),
        ({"value": 15}, Verdict.INVALID_COUNTER),
        ({"value": 3}, Verdict.REPEATED),
    ],
)
def test_wrong_counter(running: Rig, arguments: dict[str, int], expected: Verdict) -> None:
    begin_ns = running.now_ns
    running.faults.wrong_counter("PedalsDriver", **arguments)
    running.run_ms(60)
    assert set(running.verdicts("PedalsDriver", begin_ns)[1:]) == {expected}


# --- contents ---


def test_freeze_a_signal_with_good_e2e(running: Rig) -> None:
    begin_ns = running.now_ns
    running.pedals.pedal_percent = 20.0
    with running.faults.freeze("PedalsDriver", "Apps1"):
        running.run_ms(20)
        running.pedals.pedal_percent = 60.0
        running.run_ms(50)
        assert running.latest("PedalsDriver").Apps1 == 1300
        assert running.latest("PedalsDriver").Apps2 == 1450
    running.run_ms(20)
    assert running.latest("PedalsDriver").Apps1 == 2900
    assert set(running.verdicts("PedalsDriver", begin_ns)) == {OK}


def test_freeze_a_message_with_a_running_counter(running: Rig) -> None:
    begin_ns = running.now_ns
    running.faults.freeze("PedalsDriver")
    running.run_ms(20)
    running.pedals.pedal_percent, running.pedals.brake_bar = 60.0, 20.0
    running.run_ms(50)
    pedals = running.latest("PedalsDriver")
    assert (pedals.Apps1, pedals.BrakePressure) == (500, 0.0)
    assert set(running.verdicts("PedalsDriver", begin_ns)) == {OK}


def test_freeze_a_message_byte_for_byte(running: Rig) -> None:
    begin_ns = running.now_ns
    running.faults.freeze("PedalsDriver", e2e=False)
    running.run_ms(60)
    assert len({data for _, data in running.frames("PedalsDriver", begin_ns)}) == 1
    assert set(running.verdicts("PedalsDriver", begin_ns)[1:]) == {Verdict.REPEATED}


@pytest.mark.parametrize(("e2e", "expected"), [(False, Verdict.WRONG_CRC), (True, OK)])
def test_offset(running: Rig, e2e: bool, expected: Verdict) -> None:
    begin_ns = running.now_ns
    running.faults.offset("PedalsDriver", "Apps1", +500, e2e=e2e)
    running.run_ms(40)
    assert set(signal_values(running, "PedalsDriver", "Apps1", begin_ns)) == {1000}
    assert set(signal_values(running, "PedalsDriver", "Apps2", begin_ns)) == {250}
    assert set(running.verdicts("PedalsDriver", begin_ns)) == {expected}


def test_offset_stays_inside_the_bits(running: Rig) -> None:
    running.faults.offset("PedalsDriver", "Apps1", -5000)
    running.faults.offset("PedalsDriver", "Apps2", 50_000)
    running.run_ms(20)
    pedals = running.latest("PedalsDriver")
    assert (pedals.Apps1, pedals.Apps2) == (0, 8191)


def test_scale_and_stick(ready: Rig) -> None:
    ready.roll(300.0)
    with ready.faults.scale("InvFrontStatus", "Speed", -1):
        ready.run_ms(20)
        assert ready.latest("InvFrontStatus").Speed < -2000
    with ready.faults.stick("InvFrontStatus", "State", "Fault"), ready.faults.stick("BmsPack", "LinkVoltage", 12.4):
        ready.run_ms(30)
        assert ready.label("InvFrontStatus", "State") == "Fault"
        assert ready.latest("BmsPack").LinkVoltage == pytest.approx(12.4)
    assert ready.front.state == "Standby"


def test_faults_of_messages_reach_the_vcus_own_frames(ready: Rig) -> None:
    ready.command.set(Mode="Torque", TorqueRequest=50.0)
    ready.faults.scale("VcuInvFrontCommand", "TorqueRequest", -1)
    ready.run_ms(60)
    assert ready.front.target_nm == pytest.approx(-50.0)


# --- wires and power ---


def test_a_babbling_node_takes_the_bus(running: Rig) -> None:
    begin_ns = running.now_ns
    with running.faults.babble() as fault:
        running.run_ms(50)
        assert not running.frames("PedalsDriver", begin_ns + NS_PER_MS)
        assert fault.hits > 150
    end_ns = running.now_ns
    running.run_ms(50)
    assert running.frames("PedalsDriver", end_ns)
    assert not [1 for time_ns, frame, _ in running.log if frame.can_id == 0 and time_ns > end_ns + NS_PER_MS]


def test_a_slow_babbler_only_loads_the_bus(running: Rig) -> None:
    begin_ns = running.now_ns
    running.faults.babble(0x001, every_ms=0.5, duration_ms=50)
    running.run_ms(100)
    assert len([1 for _, frame, _ in running.log if frame.can_id == 1]) == 100
    assert len(running.frames("PedalsDriver", begin_ns)) == pytest.approx(10, abs=1)


def test_a_dominant_bus_stops_everything(running: Rig) -> None:
    with running.faults.bus_dominant():
        begin_ns = running.now_ns
        running.run_ms(50)
        assert not [1 for time_ns, _, _ in running.log if time_ns > begin_ns]
        assert running.front.port.state is ErrorState.BUS_OFF
    running.run_ms(200)
    assert running.frames("InvFrontStatus", running.now_ns - 20 * NS_PER_MS)


def test_a_cut_wire_separates_one_node(ready: Rig) -> None:
    with ready.faults.wire_cut("INV_F"):
        begin_ns = ready.now_ns
        ready.run_ms(60)
        assert not ready.frames("InvFrontStatus", begin_ns)
        assert ready.frames("InvRearStatus", begin_ns)
        assert ready.front.fault_code == "CommandTimeout"
    end_ns = ready.now_ns
    ready.run_ms(200)
    assert ready.frames("InvFrontStatus", end_ns)


def test_the_boards_power_goes_through_its_own_switch(running: Rig) -> None:
    class Board:
        def __init__(self) -> None:
            self.calls: list[str] = []

        def power_on(self) -> None:
            self.calls.append("on")

        def power_off(self) -> None:
            self.calls.append("off")

    with pytest.raises(UserError, match="VCU is not virtual"):
        running.faults.power_cut("VCU")
    board = running.faults.board = Board()
    running.faults.power_cut("VCU", duration_ms=50)
    running.run_ms(49)
    assert board.calls == ["off"]
    running.run_ms(2)
    assert board.calls == ["off", "on"]


# --- sensors and actuators ---


@pytest.mark.parametrize(
    ("change", "expected"),
    [({"stuck": 5000.0}, 5000), ({"stuck": "last"}, 1300), ({"offset": 100.0}, 3000), ({"gain": 0.5}, 1450)],
)
def test_sensor(running: Rig, change: dict[str, float], expected: int) -> None:
    running.pedals.pedal_percent = 20.0
    fault = running.faults.sensor("PEDALS", "apps1_mv", **change)
    running.run_ms(20)
    running.pedals.pedal_percent = 60.0
    running.run_ms(20)
    assert running.latest("PedalsDriver").Apps1 == expected
    fault.clear()
    running.run_ms(20)
    assert running.latest("PedalsDriver").Apps1 == 2900
    assert not running.pedals.channels.active


def test_actuators(ready: Rig) -> None:
    ready.roll(300.0)
    ready.torque(100.0)
    with ready.faults.actuator("INV_F", "target_torque_nm", gain=0.5):
        ready.run_ms(60)
        assert ready.plant.front.torque_nm == pytest.approx(50.0, abs=0.5)
    ready.driver.brake(40.0)
    with ready.faults.actuator("PEDALS", "brake_actuator_bar", stuck=5.0):
        assert ready.plant.brake_pressure_bar == 5.0
        ready.run_ms(20)
        assert ready.latest("PedalsDriver").BrakePressure == 40.0
    assert ready.plant.brake_pressure_bar == 40.0


@pytest.mark.parametrize("name", ["INV_F", "INV_R", "BMS", "PEDALS", "ESC"])
def test_every_channel_of_every_node_changes_something(ready: Rig, name: str) -> None:
    node = ready.nodes[name]
    ready.roll(300.0)
    ready.command.set(Mode="Torque", TorqueRequest=30.0)
    ready.rear_command.set(Mode="Torque", TorqueRequest=30.0)
    ready.driver.brake(10.0)
    ready.run_ms(150)

    def seen() -> list[object]:
        plant = ready.plant
        values: list[object] = [v() for v in node.providers().values()]
        return [*values, plant.front.target_torque_nm, plant.rear.target_torque_nm, plant.brake_pressure_bar]

    for channel in type(node).CHANNELS:
        healthy = seen()
        with ready.faults.sensor(name, channel, offset=7.0):
            assert seen() != healthy, channel


# --- the record ---


def test_marks_tell_begin_and_end(running: Rig) -> None:
    told: list[FaultMark] = []
    running.faults.on_mark = told.append
    begin_ns = running.now_ns
    fault = running.faults.offset("PedalsDriver", "Apps1", -200, duration_ms=30)
    assert running.faults.active == [fault]
    running.run_ms(100)
    text = "PedalsDriver.Apps1 off by -200 mV"
    end_ns = begin_ns + 30 * NS_PER_MS
    assert running.faults.marks == told == [FaultMark(begin_ns, text, "fault"), FaultMark(end_ns, text, "cleared")]
    assert running.faults.active == []
    fault.clear()
    assert len(told) == 2


def test_clear_all_ends_every_fault(running: Rig) -> None:
    running.faults.lose("PedalsDriver")
    running.faults.wire_cut("ESC")
    running.faults.enable_cut("INV_R")
    running.faults.clear_all()
    assert running.faults.active == []
    assert running.rear.enabled
    assert running.esc.port.connected
    assert not running.pedals.port.tx_hooks


def test_two_faults_of_one_message_act_together(running: Rig) -> None:
    first = running.faults.offset("PedalsDriver", "Apps1", 100)
    running.faults.offset("PedalsDriver", "Apps1", 50)
    running.run_ms(20)
    assert running.latest("PedalsDriver").Apps1 == 650
    first.clear()
    running.run_ms(20)
    assert running.latest("PedalsDriver").Apps1 == 550


def test_bits_that_corrupt_turns_over_are_seeded() -> None:
    def run() -> list[bytes]:
        rig = Rig()
        rig.faults.corrupt("PedalsDriver")
        rig.run_ms(100)
        return [data for _, data in rig.frames("PedalsDriver")]

    first = run()
    assert run() == first
    assert len({int.from_bytes(data[2:], "little") for data in first}) > 3
    assert all(a != b for a, b in pairwise(first))


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda f: f.lose("InvFrontState"), "InvFrontStatus"),
        (lambda f: f.freeze("PedalsDriver", "Apps3"), "Apps1"),
        (lambda f: f.offset("PedalsDriver", "Crc", 1), "no signal of PedalsDriver is called 'Crc'"),
        (lambda f: f.stick("PedalsDriver", "Gear", "X"), "P, R, N, D, Invalid"),
        (lambda f: f.wire_cut("INV_FF"), "INV_F"),
        (lambda f: f.power_cut("PEDAL"), "PEDALS"),
        (lambda f: f.sensor("PEDALS", "apps_mv", stuck=0.0), "apps1_mv"),
        (lambda f: f.sensor("PEDALZ", "apps1_mv", stuck=0.0), "PEDALS"),
        (lambda f: f.wrong_crc("VcuTiming"), "no E2E protection"),
        (lambda f: f.corrupt("PedalsDriver", bits=99), "52 bits"),
        (lambda f: f.delay("PedalsDriver", -1), "-1"),
        (lambda f: f.repeat("PedalsDriver", 0), "0 times"),
        (lambda f: f.lose("DiagRequest"), "not attached"),
    ],
)
def test_wrong_names_and_values_are_refused(rig: Rig, call: object, hint: str) -> None:
    with pytest.raises(UserError, match=hint):
        call(rig.faults)  # type: ignore[operator]
    assert rig.faults.marks == []
