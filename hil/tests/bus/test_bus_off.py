"""Stuck bus, cut wires, power, bus-off and the way back."""

import pytest

from hil.bus import ErrorKind, ErrorState, Frame
from hil.bus.bits import frame_bits

from .conftest import BIT_NS, Bench

FRAME = Frame(0x100, bytes(range(8)))
RECOVERY_BITS = 128 * 11


@pytest.mark.req("HB-03")
def test_a_shorted_bus_takes_a_sender_to_bus_off_with_its_32nd_attempt(bench: Bench) -> None:
    a, b = bench.attach("A", "B")
    bench.bus.shorted = True
    a.send(FRAME)
    bench.run_ms(5)
    assert len(bench.errors) == 32
    assert a.state is ErrorState.BUS_OFF
    assert (b.rec, b.state) == (0, ErrorState.ACTIVE)  # it sees an idle bus
    # SOF, flag and delimiter each; intermission in between; suspension from the 16th on, after which it is passive
    assert bench.errors[-1][0] == (32 * (1 + 6 + 8) + 31 * 3 + 16 * 8) * BIT_NS


@pytest.mark.req("HB-03")
def test_a_bus_stuck_dominant_takes_a_sender_to_bus_off_and_receivers_to_passive(bench: Bench) -> None:
    a, b = bench.attach("A", "B")
    a.send(FRAME)
    bench.run_bits(30)
    bench.bus.stuck_dominant = True
    bench.run_bits(6)
    assert (a.tec, b.rec) == (8, 1)
    bench.run_bits(8)
    assert (a.tec, b.rec) == (16, 9)
    bench.run_bits(8 * 29)
    assert (a.tec, a.state) == (248, ErrorState.PASSIVE)
    bench.run_bits(8)
    assert a.state is ErrorState.BUS_OFF
    bench.run_ms(5)
    assert (b.tec, b.rec, b.state) == (0, 255, ErrorState.PASSIVE)
    assert not bench.log
    assert {kind for _, kind, _ in bench.errors} == {ErrorKind.DOMINANT}


def test_who_starts_to_send_on_a_stuck_bus_goes_to_bus_off_too(bench: Bench) -> None:
    a, b = bench.attach("A", "B")
    bench.bus.stuck_dominant = True
    bench.run_ms(10)
    assert (a.tec, a.rec, a.state) == (0, 255, ErrorState.PASSIVE)
    a.send(FRAME)
    bench.run_ms(1)
    assert a.state is ErrorState.BUS_OFF
    assert b.state is ErrorState.PASSIVE


def test_a_stuck_bus_that_comes_free_in_time_lets_the_frame_through(bench: Bench) -> None:
    a, b = bench.attach("A", "B")
    a.send(FRAME)
    bench.run_bits(30)
    bench.bus.stuck_dominant = True
    bench.run_bits(40)
    bench.bus.stuck_dominant = False
    bench.run_ms(1)
    # 8 bits of error delimiter and 3 of intermission
    assert [time_ns // BIT_NS for time_ns, _, _ in bench.log] == [30 + 40 + 11 + frame_bits(FRAME)]
    assert bench.bus.busy_ns == (70 + frame_bits(FRAME) + 3) * BIT_NS
    assert a.tec > 0
    assert b.rec > 0


@pytest.mark.req("HB-03")
def test_bus_off_stays_until_restart_and_128_times_11_recessive_bits(bench: Bench) -> None:
    a, b = bench.attach("A", "B")
    bench.bus.shorted = True
    a.send(FRAME)
    bench.run_ms(5)
    bench.bus.shorted = False
    bench.run_ms(500)
    assert a.state is ErrorState.BUS_OFF
    done: list[bool] = []
    a.send(FRAME, done.append)
    a.restart()
    assert done == [False]  # dropped
    bench.run_bits(RECOVERY_BITS - 1)
    assert a.state is ErrorState.BUS_OFF
    bench.run_bits(1)
    assert (a.state, a.tec, a.rec) == (ErrorState.ACTIVE, 0, 0)
    bench.run_ms(1)
    assert not bench.log
    a.send(FRAME)
    b.send(Frame(0x200, b""))
    bench.run_ms(1)
    assert bench.ids == [0x100, 0x200]


def test_in_bus_off_a_node_neither_hears_nor_acknowledges(bench: Bench) -> None:
    a, b, c = bench.attach("A", "B", "C")
    heard: list[Frame] = []
    a.subscribe_all(heard.append)
    bench.bus.shorted = True
    a.send(FRAME)
    bench.run_ms(5)
    bench.bus.shorted = False
    b.send(FRAME)
    bench.run_ms(1)
    assert bench.senders == ["B"]
    c.online = False
    b.send(FRAME)
    bench.run_ms(1)
    assert bench.errors[-1][1] is ErrorKind.ACK
    assert not heard


def test_recovery_waits_for_a_stuck_bus_to_come_free(bench: Bench) -> None:
    a, _ = bench.attach("A", "B")
    a.send(FRAME)
    bench.run_bits(10)
    bench.bus.stuck_dominant = True
    bench.run_ms(5)
    assert a.state is ErrorState.BUS_OFF
    a.restart()
    bench.run_ms(1000)
    assert a.state is ErrorState.BUS_OFF
    bench.bus.stuck_dominant = False
    bench.run_bits(RECOVERY_BITS - 1)
    assert a.state is ErrorState.BUS_OFF
    bench.run_bits(1)
    assert (a.state, a.tec) == (ErrorState.ACTIVE, 0)


@pytest.mark.req("HB-03")
def test_on_a_full_bus_recovery_takes_128_frames(bench: Bench) -> None:
    a, b, _ = bench.attach("A", "B", "C")
    bench.bus.shorted = True
    a.send(FRAME)
    bench.run_ms(5)
    bench.bus.shorted = False

    def again(_: bool = True) -> None:
        b.send(FRAME, again)

    again()
    bench.run_bits(1)
    frames_before = len(bench.log)
    a.restart()
    for _ in range(200 * 150):
        if a.state is not ErrorState.BUS_OFF:
            break
        bench.run_bits(1)
    # Each frame ends with ACK delimiter, EOF and intermission: 11 recessive bits, and no others are in between.
    assert len(bench.log) - frames_before == 128


def test_restart_is_without_effect_on_an_active_node(bench: Bench) -> None:
    a, _ = bench.attach("A", "B")
    a.send(FRAME)
    a.restart()
    bench.run_ms(1)
    assert len(bench.log) == 1


def test_a_restart_can_be_asked_for_twice(bench: Bench) -> None:
    a, _ = bench.attach("A", "B")
    bench.bus.shorted = True
    a.send(FRAME)
    bench.run_ms(5)
    bench.bus.shorted = False
    a.restart()
    bench.run_bits(700)
    a.restart()
    bench.run_bits(RECOVERY_BITS - 700)
    assert a.state is ErrorState.ACTIVE


@pytest.mark.req("HB-04")
def test_a_cut_wire_separates_a_node_in_both_directions(bench: Bench) -> None:
    a, b, c = bench.attach("A", "B", "C")
    heard: list[str] = []
    a.subscribe_all(lambda frame: heard.append("A"))
    c.subscribe_all(lambda frame: heard.append("C"))
    a.connected = False
    a.send(Frame(0x050, b""))
    b.send(FRAME)
    bench.run_ms(10)
    assert heard == ["C"]
    assert (a.tec, a.state, a.pending) == (128, ErrorState.PASSIVE, 1)  # nobody acknowledges
    a.connected = True
    bench.run_ms(1)
    assert heard == ["C", "C"]
    b.send(FRAME)
    bench.run_ms(1)
    assert heard == ["C", "C", "A", "C"]


def test_with_its_only_receiver_cut_off_a_node_gets_no_acknowledge(bench: Bench) -> None:
    a, b = bench.attach("A", "B")
    b.connected = False
    a.send(FRAME)
    bench.run_ms(2)
    assert bench.errors
    b.connected = True
    bench.run_ms(2)
    assert bench.ids == [0x100]


def test_a_wire_cut_in_mid_frame_is_a_stuff_error_to_the_others(bench: Bench) -> None:
    a, b, c = bench.attach("A", "B", "C")
    a.send(FRAME)
    b.send(Frame(0x200, b""))
    bench.run_bits(40)
    a.connected = False
    bench.run_ms(1)
    assert bench.errors == [((40 + 6 + 6 + 8) * BIT_NS, ErrorKind.STUFF, "A")]
    assert bench.ids == [0x200]
    assert (b.rec, c.rec) == (1, 0)  # C has since received a good frame
    a.connected = True
    bench.run_ms(1)
    assert bench.ids == [0x200, 0x100]


def test_a_node_without_power_neither_sends_nor_acknowledges_and_starts_afresh(bench: Bench) -> None:
    a, b, c = bench.attach("A", "B", "C")
    done: list[bool] = []
    heard: list[Frame] = []
    a.subscribe_all(heard.append)
    b.send(Frame(0x001, b""))
    a.send(FRAME, done.append)
    a.online = False
    a.send(FRAME, done.append)
    b.send(FRAME)
    bench.run_ms(2)
    assert bench.senders == ["B", "B"]
    assert done == [False, False]
    assert not heard
    a.count(200, 0)
    a.online = True
    assert (a.tec, a.state) == (0, ErrorState.ACTIVE)
    a.send(FRAME)
    start_ns = bench.kernel.now_ns
    bench.run_ms(2)
    assert bench.log[-1] == (start_ns + (11 + frame_bits(FRAME)) * BIT_NS, FRAME, "A")
    assert c.rec == 0


def test_power_lost_in_mid_frame_leaves_the_bus_usable(bench: Bench) -> None:
    a, b, _ = bench.attach("A", "B", "C")
    a.send(FRAME)
    bench.run_bits(50)
    a.online = False
    b.send(Frame(0x200, b""))
    bench.run_ms(2)
    assert [kind for _, kind, _ in bench.errors] == [ErrorKind.STUFF]
    assert bench.senders == ["B"]


def test_a_port_may_be_cut_off_in_recovery(bench: Bench) -> None:
    a, _, _ = bench.attach("A", "B", "C")
    bench.bus.shorted = True
    a.send(FRAME)
    bench.run_ms(5)
    bench.bus.shorted = False
    a.restart()
    bench.run_bits(100)
    a.connected = False
    bench.run_bits(RECOVERY_BITS)
    assert a.state is ErrorState.ACTIVE
    a.connected = True
    a.send(FRAME)
    bench.run_ms(1)
    assert bench.ids == [0x100]
