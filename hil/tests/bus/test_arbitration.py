"""Who sends when, and who hears it."""

import random
from itertools import permutations

import pytest

from hil.bus import Frame
from hil.bus.bits import frame_bits
from hil.bus.frame import arbitration_key
from hil.kernel import Kernel

from .conftest import BIT_NS, Bench

EIGHT = bytes(range(8))


@pytest.mark.req("HB-03")
def test_a_frame_on_an_idle_bus_starts_at_once_and_takes_its_bits(bench: Bench) -> None:
    a, _ = bench.attach("A", "B")
    frame = Frame(0x123, EIGHT)
    bench.kernel.at(5_001, lambda: void(a.send(frame)))
    bench.run_ms(1)
    assert bench.log == [(5_001 + frame_bits(frame) * BIT_NS, frame, "A")]


@pytest.mark.req("HB-03")
@pytest.mark.parametrize("order", list(permutations(["A", "B", "C"])))
def test_frames_queued_at_one_instant_go_by_their_ids_whoever_was_first(bench: Bench, order: tuple[str, ...]) -> None:
    ids = dict(zip("ABC", (0x300, 0x100, 0x200), strict=True))
    ports = dict(zip("ABC", bench.attach("A", "B", "C"), strict=True))
    for name in order:
        ports[name].send(Frame(ids[name], EIGHT))
    bench.run_ms(2)
    assert bench.ids == [0x100, 0x200, 0x300]


@pytest.mark.req("HB-03")
def test_a_frame_queued_while_the_bus_is_busy_waits_for_the_end_and_the_intermission(bench: Bench) -> None:
    a, b = bench.attach("A", "B")
    low, high = Frame(0x700, EIGHT), Frame(0x001, EIGHT)
    a.send(low)
    bench.at_bits(1, lambda: b.send(high))
    bench.run_ms(2)
    first_end = frame_bits(low)
    assert [time_ns / BIT_NS for time_ns, _, _ in bench.log] == [first_end, first_end + 3 + frame_bits(high)]


@pytest.mark.parametrize("bits_after_the_end", [0, 1, 3])
def test_a_better_frame_queued_up_to_the_next_sof_still_wins(bench: Bench, bits_after_the_end: int) -> None:
    a, b, _ = bench.attach("A", "B", "C")
    first = Frame(0x100, EIGHT)
    a.send(first)
    a.send(Frame(0x300, EIGHT))
    bench.at_bits(frame_bits(first) + bits_after_the_end, lambda: b.send(Frame(0x200, EIGHT)))
    bench.run_ms(2)
    assert bench.ids == [0x100, 0x200, 0x300]


def test_after_the_next_sof_it_is_too_late(bench: Bench) -> None:
    a, b, _ = bench.attach("A", "B", "C")
    first = Frame(0x100, EIGHT)
    a.send(first)
    a.send(Frame(0x300, EIGHT))
    bench.kernel.at((frame_bits(first) + 3) * BIT_NS + 1, lambda: void(b.send(Frame(0x200, EIGHT))))
    bench.run_ms(2)
    assert bench.ids == [0x100, 0x300, 0x200]


def test_what_a_receiver_sends_in_answer_competes_for_the_next_slot(bench: Bench) -> None:
    a, b = bench.attach("A", "B")
    b.subscribe(0x100, lambda frame: void(b.send(Frame(0x150, EIGHT))))
    a.send(Frame(0x100, EIGHT))
    a.send(Frame(0x200, EIGHT))
    bench.run_ms(2)
    assert bench.ids == [0x100, 0x150, 0x200]


def test_equal_ids_of_one_port_keep_their_order(bench: Bench) -> None:
    a, _ = bench.attach("A", "B")
    for number in range(5):
        a.send(Frame(0x100, bytes([number])))
    bench.run_ms(3)
    assert [frame.data[0] for _, frame, _ in bench.log] == [0, 1, 2, 3, 4]


@pytest.mark.req("HB-03")
def test_data_beats_remote_and_standard_beats_extended_with_the_same_beginning() -> None:
    data, remote = Frame(0x123, b""), Frame(0x123, b"", is_remote=True)
    extended = Frame(0x123 << 18, b"", is_extended=True)
    extended_remote = Frame(0x123 << 18, b"", is_extended=True, is_remote=True)
    extended_higher = Frame(0x123 << 18 | 1, b"", is_extended=True)
    order = [data, remote, extended, extended_remote, extended_higher, Frame(0x124, b"")]
    draw = random.Random(3)
    shuffled = draw.sample(order, len(order))
    assert sorted(shuffled, key=arbitration_key) == order


def test_kinds_of_frames_win_on_the_bus_as_their_bits_say(bench: Bench) -> None:
    ports = bench.attach("A", "B", "C")
    frames = [Frame(0x123 << 18, b"", is_extended=True), Frame(0x123, b"", is_remote=True), Frame(0x123, b"")]
    for port, frame in zip(ports, frames, strict=True):
        port.send(frame)
    bench.run_ms(2)
    assert [frame for _, frame, _ in bench.log] == frames[::-1]


def test_everybody_but_the_sender_hears_a_frame_at_its_end(bench: Bench) -> None:
    a, b, c = bench.attach("A", "B", "C")
    heard: list[tuple[str, int]] = []
    for port in (a, b, c):
        port.subscribe(0x100, lambda frame, name=port.name: heard.append((name, bench.kernel.now_ns)))  # type: ignore[misc]
    a.subscribe_all(lambda frame: heard.append(("A all", 0)))
    c.subscribe_all(lambda frame: heard.append(("C all", bench.kernel.now_ns)))
    frame = Frame(0x100, EIGHT)
    a.send(frame)
    bench.run_ms(1)
    end_ns = frame_bits(frame) * BIT_NS
    assert heard == [("B", end_ns), ("C all", end_ns), ("C", end_ns)]


def test_a_subscription_tells_standard_from_extended(bench: Bench) -> None:
    a, b = bench.attach("A", "B")
    heard: list[Frame] = []
    b.subscribe(0x100, heard.append, is_extended=True)
    standard, extended = Frame(0x100, b"s"), Frame(0x100, b"e", is_extended=True)
    a.send(standard)
    a.send(extended)
    bench.run_ms(1)
    assert heard == [extended]
    b.unsubscribe(heard.append)
    a.send(extended)
    bench.run_ms(1)
    assert heard == [extended]


def test_done_is_called_at_the_end_of_the_frame(bench: Bench) -> None:
    a, _ = bench.attach("A", "B")
    done: list[tuple[bool, int]] = []
    frame = Frame(0x100, EIGHT)
    a.send(frame, lambda good: done.append((good, bench.kernel.now_ns)))
    assert a.pending == 1
    bench.run_ms(1)
    assert done == [(True, frame_bits(frame) * BIT_NS)]
    assert a.pending == 0


def test_a_waiting_frame_can_be_taken_back_and_one_on_the_wire_cannot(bench: Bench) -> None:
    a, _ = bench.attach("A", "B")
    on_wire = a.send(Frame(0x100, EIGHT))
    waiting = a.send(Frame(0x200, EIGHT))
    bench.run_bits(1)
    assert a.abort(waiting)
    assert not a.abort(on_wire)
    bench.run_ms(2)
    assert bench.ids == [0x100]
    assert not a.abort(on_wire)


def test_the_choice_for_the_next_slot_can_be_taken_back_in_the_intermission(bench: Bench) -> None:
    a, _ = bench.attach("A", "B")
    first = Frame(0x100, EIGHT)
    a.send(first)
    chosen = a.send(Frame(0x200, EIGHT))
    a.send(Frame(0x300, EIGHT))
    taken_back: list[bool] = []
    bench.at_bits(frame_bits(first) + 1, lambda: taken_back.append(a.abort(chosen)))
    bench.run_ms(2)
    assert taken_back == [True]
    assert bench.ids == [0x100, 0x300]


def test_latest_only_replaces_a_waiting_frame_of_the_same_id(bench: Bench) -> None:
    a, b = bench.attach("A", "B")
    a.latest_only = True
    results: list[tuple[int, bool]] = []
    b.send(Frame(0x001, EIGHT))
    bench.run_bits(1)
    for number in range(3):
        a.send(Frame(0x100, bytes([number])), lambda good, number=number: results.append((number, good)))  # type: ignore[misc]
    a.send(Frame(0x200, b""))
    bench.run_ms(2)
    assert [(frame.can_id, frame.data[:1]) for _, frame, _ in bench.log[1:]] == [(0x100, b"\x02"), (0x200, b"")]
    assert results == [(0, False), (1, False), (2, True)]


def test_a_babbling_node_with_the_best_id_leaves_nothing_to_the_others(bench: Bench) -> None:
    babbler, other = bench.attach("BABBLER", "OTHER")
    flood = Frame(0x000, bytes(8))

    def again(_: bool = True) -> None:
        babbler.send(flood, again)

    again()
    other.send(Frame(0x7FF, EIGHT))
    bench.run_ms(20)
    # One wins the first instant only if it is the best id; the other never gets a slot.
    assert set(bench.ids) == {0x000}
    assert bench.bus.load() == pytest.approx(1.0, abs=0.02)


@pytest.mark.req("HB-03")
def test_bus_load_is_the_time_of_frames_with_their_intermissions(bench: Bench) -> None:
    a, _ = bench.attach("A", "B")
    frame = Frame(0x100, EIGHT)
    bench.run_ms(10)
    mark = bench.bus.mark()
    for index in range(20):
        bench.kernel.at(bench.kernel.now_ns + index * 1_000_000, lambda: void(a.send(frame)))
    bench.run_ms(20)
    busy_ns = 20 * (frame_bits(frame) + 3) * BIT_NS
    assert bench.bus.busy_ns == busy_ns
    assert bench.bus.load(mark) == busy_ns / 20_000_000
    assert bench.bus.load() == busy_ns / 30_000_000


def test_a_bit_rate_must_give_whole_nanoseconds() -> None:
    from hil.bus import Bus

    assert Bus(Kernel(), 250_000).bit_ns == 4_000
    with pytest.raises(ValueError, match="whole nanoseconds"):
        Bus(Kernel(), 333_000)


def test_a_name_can_be_attached_once(bench: Bench) -> None:
    bench.attach("A")
    with pytest.raises(ValueError, match="A is already on the bus"):
        bench.attach("A")
    bench.bus.detach(bench.bus.ports["A"])
    bench.attach("A")


def test_hooks_lose_alter_and_keep_back_frames(bench: Bench) -> None:
    a, _ = bench.attach("A", "B")
    results: list[bool] = []
    lose, change = Frame(0x100, b"lose"), Frame(0x100, b"old")

    def hook(frame: Frame) -> Frame | None:
        if frame.data == b"lose":
            return None
        return frame._replace(data=b"new")

    a.hook(hook)
    a.send(lose, results.append)
    a.send(change, results.append)
    a.send_past_hooks(change)
    bench.run_ms(2)
    assert [frame.data for _, frame, _ in bench.log] == [b"new", b"old"]
    assert results == [True, True]
    a.unhook(hook)
    a.send(lose)
    bench.run_ms(1)
    assert bench.log[-1][1] == lose


@pytest.mark.req("HB-02")
def test_equal_runs_give_equal_logs() -> None:
    def run(seed: int) -> list[tuple[int, Frame, str]]:
        bench = Bench()
        ports = bench.attach("A", "B", "C", "D")
        draw = random.Random(seed)
        for _ in range(500):
            port = draw.choice(ports)
            frame = Frame(draw.randrange(0x40), draw.randbytes(draw.randrange(9)))
            bench.kernel.at(draw.randrange(80_000_000), lambda port=port, frame=frame: void(port.send(frame)))  # type: ignore[misc]
        bench.bus.corrupt(lambda frame: frame.can_id % 7 == 0, count=20)
        bench.run_ms(200)
        return bench.log

    assert run(1) == run(1)
    assert len(run(1)) == 500
    assert run(1) != run(2)


def void(_: object) -> None:
    """Drop a result."""
