"""The compiled undisturbed bus against the disturbed way, which is plain Python: the same traffic, the same log."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hil.bus import Bus, Frame
from hil.bus.calm import LOG_RECORDS, WAITING
from hil.kernel import Kernel
from hil.recording.trace import Trace
from hil.tests.bus.conftest import Bench

FRAMES = st.builds(
    Frame,
    st.integers(0, 40).map(lambda n: 0x100 + 8 * n),
    st.binary(max_size=8),
    st.booleans(),
    st.sampled_from([False, False, False, True]),
)
# When (us), which of four ports, what, whether it is taken back 150 us later
SENDINGS = st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 3), FRAMES, st.booleans()), max_size=70)
Heard = list[tuple[str, int, Frame]]


def traffic(
    sendings: list[tuple[int, int, Frame, bool]], *, calm: bool, latest_only: bool
) -> tuple[bytes, Heard, list[bool], int]:
    """Log, what the ports heard, how the sendings ended, busy time."""
    kernel = Kernel()
    bus = Bus(kernel)
    if not calm:
        bus.corrupt(lambda frame: False, None)
    ports = [bus.attach(name) for name in "ABCD"]
    trace = Trace(bus)
    heard: Heard = []
    ends: list[bool] = []
    ports[0].latest_only = latest_only
    ports[1].subscribe_all(lambda frame: heard.append(("B", kernel.now_ns, frame)))
    ports[2].subscribe(0x108, lambda frame: heard.append(("C", kernel.now_ns, frame)))
    # An answer to a frame competes for the next slot.
    ports[3].subscribe(0x110, lambda frame: void(ports[3].send(Frame(0x700, frame.data))))

    def send(port: int, frame: Frame, take_back: bool) -> None:
        # Different ports send different ids, as on a bus that works.
        unique = frame._replace(can_id=frame.can_id + port)
        request = ports[port].send(unique, ends.append)
        if take_back:
            kernel.after(150_000, lambda: void(ports[port].abort(request)))

    for time_us, port, frame, take_back in sendings:
        kernel.at(time_us * 1000, lambda a=port, b=frame, c=take_back: send(a, b, c))  # type: ignore[misc]
    kernel.run_until(40_000_000)
    assert bus.disturbed != calm
    return trace.records().tobytes(), heard, ends, bus.busy_ns


def void(_: object) -> None:
    """Drop a result."""


@given(SENDINGS, st.booleans())
def test_both_ways_give_the_same(sendings: list[tuple[int, int, Frame, bool]], latest_only: bool) -> None:
    calm = traffic(sendings, calm=True, latest_only=latest_only)
    assert calm == traffic(sendings, calm=False, latest_only=latest_only)


def test_more_waiting_frames_than_the_compiled_bus_holds(bench: Bench) -> None:
    a, _ = bench.attach("A", "B")
    for can_id in range(3 * WAITING):
        a.send(Frame(can_id, b""))
    assert bench.bus.disturbed
    bench.run_ms(5 * WAITING)
    assert bench.ids == list(range(3 * WAITING))
    assert not bench.bus.disturbed


def test_a_log_longer_than_the_compiled_one(bench: Bench) -> None:
    bench.bus.untap(bench.bus._taps[0])
    trace = Trace(bench.bus)
    a, _ = bench.attach("A", "B")
    count = LOG_RECORDS + 100
    for number in range(count):
        bench.kernel.at(1_000_000 * (number + 1), lambda n=number: void(a.send_word(0x100, n)))  # type: ignore[misc]
    bench.run_ms(count + 2)
    assert [int.from_bytes(entry.frame.data, "little") for entry in trace] == list(range(count))


def test_two_undisturbed_buses_in_one_kernel() -> None:
    kernel = Kernel()
    one, two = Bus(kernel), Bus(kernel)
    ports = [bus.attach(name) for bus in (one, two) for name in ("A", "B")]
    logs = [Trace(bus) for bus in (one, two)]
    # A gateway: what B of the first bus hears goes out on the second.
    ports[1].subscribe_all(lambda frame: void(ports[2].send(frame)))
    for number in range(20):
        kernel.at(300_000 * number, lambda n=number: void(ports[0].send_word(0x100 + n, n)))  # type: ignore[misc]
        kernel.at(300_000 * number + 7, lambda n=number: void(ports[3].send_word(0x80 + n, n)))  # type: ignore[misc]
    kernel.run_until(20_000_000)
    assert not one.disturbed
    assert not two.disturbed
    assert [entry.frame.can_id for entry in logs[0]] == [0x100 + n for n in range(20)]
    through = [(entry.time_ns, entry.frame.can_id) for entry in logs[1]]
    assert {can_id for _, can_id in through} == {0x100 + n for n in range(20)} | {0x80 + n for n in range(20)}
    assert through == sorted(through)
    heard_ns = {entry.frame.can_id: entry.time_ns for entry in logs[0]}
    assert all(time_ns > heard_ns[can_id] for time_ns, can_id in through if can_id >= 0x100)
