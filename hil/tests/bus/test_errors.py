"""Error frames, error counters and states, step by step (ISO 11898-1, fault confinement)."""

import pytest

from hil.bus import ErrorKind, ErrorState, Frame
from hil.bus.bits import frame_bits, wire_bits
from hil.bus.errors import error_frame_bits, rec_after_reception, state_of

from .conftest import BIT_NS, Bench

EIGHT = bytes(range(8))
FRAME = Frame(0x100, EIGHT)


@pytest.mark.parametrize(
    ("tec", "rec", "state"),
    [
        (0, 0, ErrorState.ACTIVE),
        (95, 95, ErrorState.ACTIVE),
        (96, 0, ErrorState.WARNING),
        (0, 96, ErrorState.WARNING),
        (127, 127, ErrorState.WARNING),
        (128, 0, ErrorState.PASSIVE),
        (0, 128, ErrorState.PASSIVE),
        (255, 255, ErrorState.PASSIVE),
        (256, 0, ErrorState.BUS_OFF),
    ],
)
def test_the_state_follows_from_the_counters(tec: int, rec: int, state: ErrorState) -> None:
    assert state_of(tec, rec) is state


@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 0), (127, 126), (128, 120), (255, 120)])
def test_a_good_frame_brings_the_receive_counter_down(before: int, after: int) -> None:
    assert rec_after_reception(before) == after


@pytest.mark.parametrize(
    ("passive", "receivers", "run", "bits"),
    [
        (False, True, 0, 6 + 6 + 8),  # flags one after the other
        (False, True, 1, 11 + 8),
        (False, True, 5, 7 + 8),  # the first bit of the flag is the sixth equal one
        (False, False, 0, 6 + 8),
        (True, True, 0, 6 + 6 + 8),
        (True, False, 3, 6 + 8),
    ],
)
def test_an_error_frame_has_6_to_12_bits_of_flags_and_8_of_delimiter(
    passive: bool, receivers: bool, run: int, bits: int
) -> None:
    assert error_frame_bits(passive, receivers, run) == bits


@pytest.mark.req("HB-03")
def test_a_destroyed_frame_gives_an_error_frame_and_is_repeated_by_itself(bench: Bench) -> None:
    a, b, c = bench.attach("A", "B", "C")
    done: list[bool] = []
    bench.bus.corrupt(lambda frame: frame.can_id == 0x100, at_bit=20)
    a.send(FRAME, done.append)
    bench.run_ms(2)
    wire = list(wire_bits(FRAME))[:21]
    wire[20] ^= 1
    run = 0
    while wire[-1 - run] == 0:
        run += 1
    error_end = 21 + 12 - run + 8
    assert bench.errors == [(error_end * BIT_NS, ErrorKind.BIT, "A")]
    assert bench.log == [((error_end + 3 + frame_bits(FRAME)) * BIT_NS, FRAME, "A")]
    assert done == [True]
    assert bench.bus.busy_ns == (error_end + 3 + frame_bits(FRAME) + 3) * BIT_NS
    # 8 for the error, 1 less for the frame that followed; a receiver's 1 is gone with the first good frame
    assert (a.tec, a.rec, b.tec, b.rec, c.rec) == (7, 0, 0, 0, 0)


@pytest.mark.req("HB-03")
def test_counters_go_up_by_8_and_1_and_down_by_1(bench: Bench) -> None:
    a, b = bench.attach("A", "B")
    seen: list[tuple[int, int]] = []
    bench.bus.tap_errors(lambda *_: seen.append((a.tec, b.rec)))
    bench.bus.tap(lambda *_: seen.append((a.tec, b.rec)))
    bench.bus.corrupt(lambda _: True, count=3)
    a.send(FRAME)
    a.send(FRAME)
    bench.run_ms(3)
    assert seen == [(8, 1), (16, 2), (24, 3), (23, 2), (22, 1)]


def test_counters_that_are_worked_off_open_the_fast_way_again(bench: Bench) -> None:
    a, b = bench.attach("A", "B")
    bench.bus.corrupt(lambda _: True, count=2)
    for _ in range(20):
        a.send(FRAME)
    assert bench.bus.disturbed
    bench.run_ms(10)
    assert (a.tec, b.rec) == (0, 0)
    assert not bench.bus.disturbed
    assert len(bench.log) == 20


def test_only_matching_frames_are_destroyed_and_a_rule_can_be_cancelled(bench: Bench) -> None:
    a, _ = bench.attach("A", "B")
    rule = bench.bus.corrupt(lambda frame: frame.can_id == 0x200, count=None)
    a.send(FRAME)
    a.send(Frame(0x200, EIGHT))
    bench.run_ms(1)
    assert bench.ids == [0x100]
    assert bench.errors
    rule.cancel()
    bench.run_ms(1)
    assert bench.ids == [0x100, 0x200]


@pytest.mark.req("HB-03")
def test_the_states_come_at_96_128_and_256(bench: Bench) -> None:
    a, _ = bench.attach("A", "B")
    states: list[tuple[ErrorState, int]] = []
    a.subscribe_state(lambda state: states.append((state, a.tec)))
    bench.bus.corrupt(lambda _: True, count=None)
    a.send(FRAME)
    bench.run_ms(10)
    assert states == [(ErrorState.WARNING, 96), (ErrorState.PASSIVE, 128), (ErrorState.BUS_OFF, 256)]
    assert len(bench.errors) == 32


@pytest.mark.req("HB-03")
def test_a_receiver_becomes_passive_and_never_bus_off(bench: Bench) -> None:
    ports = bench.attach("A", "B", "C", "D", "E", "F")
    bench.bus.corrupt(lambda _: True, count=None)
    for port in ports[:5]:
        port.send(FRAME._replace(can_id=0x100 + ord(port.name)))
    bench.run_ms(60)
    assert [port.state for port in ports[:5]] == [ErrorState.BUS_OFF] * 5
    assert ports[5].state is ErrorState.PASSIVE
    assert ports[5].rec == 5 * 32


@pytest.mark.req("HB-03")
def test_alone_on_the_bus_a_node_repeats_without_acknowledge_and_stays_passive(bench: Bench) -> None:
    (a,) = bench.attach("A")
    done: list[bool] = []
    a.send(FRAME, done.append)
    up_to_ack_slot = frame_bits(FRAME) - 8  # ACK delimiter and EOF don't come
    bench.run_bits(up_to_ack_slot + 6 + 8)
    assert bench.errors == [(bench.kernel.now_ns, ErrorKind.ACK, "A")]
    assert a.tec == 8
    bench.run_ms(100)
    assert (a.tec, a.state, a.pending) == (128, ErrorState.PASSIVE, 1)
    assert len(bench.errors) > 300
    assert not bench.log
    b = bench.bus.attach("B")
    bench.run_ms(1)
    assert done == [True]
    assert (a.tec, a.state, b.rec) == (127, ErrorState.WARNING, 0)


def test_without_acknowledge_the_16th_attempt_is_the_last_that_counts(bench: Bench) -> None:
    (a,) = bench.attach("A")
    counts: list[int] = []
    bench.bus.tap_errors(lambda *_: counts.append(a.tec))
    a.send(FRAME)
    bench.run_ms(5)
    assert counts[:18] == [*range(8, 129, 8), 128, 128]


@pytest.mark.req("HB-03")
def test_a_passive_node_waits_8_bits_more_after_its_own_frame(bench: Bench) -> None:
    a, _ = bench.attach("A", "B")
    a.count(128, 0)
    bench.bus.corrupt(lambda _: False)  # any fault set makes the bus look
    a.send(FRAME)
    a.count(136, 0)
    a.send(FRAME)
    bench.run_ms(2)
    first, second = (time_ns // BIT_NS for time_ns, _, _ in bench.log)
    assert second - first == 3 + 8 + frame_bits(FRAME)


def test_another_node_takes_the_bus_while_a_passive_one_is_suspended(bench: Bench) -> None:
    a, b, _ = bench.attach("A", "B", "C")
    a.count(140, 0)
    bench.bus.corrupt(lambda _: False)
    a.send(FRAME)
    a.send(FRAME)
    # B's frame comes 5 bits after the end: later than the intermission, within the suspension, with a worse id
    bench.at_bits(frame_bits(FRAME) + 5, lambda: b.send(Frame(0x700, EIGHT)))
    bench.run_ms(2)
    assert bench.senders == ["A", "B", "A"]


def test_a_frame_given_up_during_a_failing_transmission_is_not_repeated(bench: Bench) -> None:
    a, _ = bench.attach("A", "B")
    done: list[bool] = []
    bench.bus.corrupt(lambda _: True)
    request = a.send(FRAME, done.append)
    bench.at_bits(10, lambda: a.abort(request))
    bench.run_ms(2)
    assert not bench.log
    assert done == [False]
    assert a.pending == 0


@pytest.mark.req("HB-03")
def test_two_nodes_with_one_id_and_other_data_destroy_each_other_up_to_bus_off(bench: Bench) -> None:
    a, b, c = bench.attach("A", "B", "C")
    a.send(Frame(0x100, b"\x00" * 8))
    b.send(Frame(0x100, b"\xff" * 8))
    bench.run_ms(20)
    assert bench.errors[0][1] is ErrorKind.BIT
    # Both climb together to passive. From there the one with the recessive bit falls silent and the other gets through.
    assert len(bench.log) == 2
    assert bench.log[0][1].data == b"\x00" * 8
    assert c.rec > 0
    assert max(a.tec, b.tec) >= 128


def test_two_nodes_with_the_very_same_frame_send_it_together(bench: Bench) -> None:
    a, b, c = bench.attach("A", "B", "C")
    done: list[str] = []
    heard: list[Frame] = []
    c.subscribe_all(heard.append)
    a.send(FRAME, lambda good: done.append(f"A {good}"))
    b.send(FRAME, lambda good: done.append(f"B {good}"))
    bench.run_ms(2)
    assert heard == [FRAME]
    assert done == ["A True", "B True"]
    assert (a.tec, b.tec) == (0, 0)


def test_equal_ids_that_have_waited_for_the_bus_collide_too(bench: Bench) -> None:
    a, b, c = bench.attach("A", "B", "C")
    c.send(FRAME)
    bench.run_bits(3)
    a.send(Frame(0x200, b"a"))
    b.send(Frame(0x200, b"b"))
    bench.run_bits(200)
    assert bench.errors
    assert (a.tec, b.tec) == (8, 8)
