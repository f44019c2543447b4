"""python-can and cantools, unmodified, on the virtual bus."""

import threading
from collections.abc import Iterator
from pathlib import Path

import can
import cantools
import cantools.database
import cantools.tester
import pytest

from hil.bus import BusView, Frame, Port
from hil.bus.bits import frame_bits

from .conftest import BIT_NS, Bench

DBC = """
VERSION ""
BS_:
BU_: DUT TESTER
BO_ 256 Answer: 8 DUT
 SG_ Value : 0|16@1+ (0.1,0) [0|1000] "V" TESTER
BO_ 512 Question: 8 TESTER
 SG_ Number : 0|8@1+ (1,0) [0|255] "" DUT
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 10000;
BA_DEF_DEF_ "GenMsgCycleTime" 0;
BA_ "GenMsgCycleTime" BO_ 512 20;
"""


PATIENCE_S = 60.0
"""How long another thread may take on a busy machine."""


@pytest.fixture
def node(bench: Bench) -> Port:
    return bench.bus.attach("NODE")


@pytest.fixture
def view(bench: Bench, node: Port) -> Iterator[BusView]:
    with BusView(bench.bus) as view:
        yield view


def message(can_id: int, data: bytes = b"", extended: bool = False) -> can.Message:
    return can.Message(arbitration_id=can_id, data=data, is_extended_id=extended)


def test_recv_lets_time_run_up_to_the_frame_and_no_further(bench: Bench, node: Port, view: BusView) -> None:
    frame = Frame(0x123, b"\x01\x02")
    bench.kernel.at(5_000_000, lambda: void(node.send(frame)))
    got = view.recv(1.0)
    end_ns = 5_000_000 + frame_bits(frame) * BIT_NS
    assert got is not None
    assert (got.arbitration_id, bytes(got.data), got.is_extended_id) == (0x123, b"\x01\x02", False)
    assert got.timestamp == end_ns / 1e9
    assert bench.kernel.now_ns == end_ns


def test_recv_returns_none_when_its_time_is_over(bench: Bench, view: BusView) -> None:
    assert view.recv(0.25) is None
    assert bench.kernel.now_ns == 250_000_000
    assert view.recv(0) is None
    assert bench.kernel.now_ns == 250_000_000


def test_recv_runs_the_whole_bench_when_it_is_told_how(bench: Bench, node: Port) -> None:
    asked: list[int] = []

    def advance(time_ns: int) -> None:
        asked.append(time_ns)
        bench.kernel.run_until(time_ns)

    with BusView(bench.bus, "TOOL", advance=advance) as view:
        view.recv(0.002)
    assert asked[-1] == 2_000_000


def test_send_goes_out_through_the_port(bench: Bench, node: Port, view: BusView) -> None:
    heard: list[Frame] = []
    node.subscribe_all(heard.append)
    view.send(message(0x321, b"abc"))
    view.send(can.Message(arbitration_id=0x18FF0001, data=b"x", is_extended_id=True))
    view.send(can.Message(arbitration_id=0x111, is_remote_frame=True, dlc=3, is_extended_id=False))
    bench.run_ms(2)
    assert sorted(heard) == [
        Frame(0x111, bytes(3), is_remote=True),
        Frame(0x321, b"abc"),
        Frame(0x18FF0001, b"x", is_extended=True),
    ]
    assert set(bench.senders) == {"TESTER"}
    assert view.recv(0) is None  # not its own


def test_own_messages_come_back_when_asked_for(bench: Bench, node: Port) -> None:
    with BusView(bench.bus, receive_own_messages=True) as view:
        view.send(message(0x321))
        got = view.recv(0.01)
    assert got is not None
    assert not got.is_rx


def test_send_with_a_timeout_waits_until_it_is_through_or_says_so(bench: Bench, node: Port, view: BusView) -> None:
    view.send(message(0x100), timeout=0.1)
    assert bench.ids == [0x100]
    bench.bus.shorted = True
    with pytest.raises(can.CanOperationError, match=r"0x101 was not sent within 0\.1 s"):
        view.send(message(0x101), timeout=0.1)


@pytest.mark.parametrize(
    "wrong",
    [
        can.Message(is_fd=True, data=bytes(12)),
        can.Message(is_error_frame=True),
        can.Message(arbitration_id=0x800, is_extended_id=False),
    ],
)
def test_what_the_bus_cannot_carry_is_refused(view: BusView, wrong: can.Message) -> None:
    with pytest.raises(can.CanOperationError):
        view.send(wrong)


def test_filters_are_those_of_python_can(bench: Bench, node: Port, view: BusView) -> None:
    view.set_filters([{"can_id": 0x100, "can_mask": 0x700, "extended": False}])
    for frame in (Frame(0x200, b""), Frame(0x1FF, b""), Frame(0x100, b"", is_extended=True)):
        node.send(frame)
    bench.run_ms(2)
    got = view.recv(0)
    assert got is not None
    assert got.arbitration_id == 0x1FF
    assert view.recv(0) is None


def test_error_frames_are_seen(bench: Bench, node: Port, view: BusView) -> None:
    bench.bus.corrupt(lambda frame: True)
    node.send(Frame(0x100, b""))
    first, second = view.recv(1), view.recv(1)
    assert first is not None
    assert second is not None
    assert (first.is_error_frame, second.is_error_frame) == (True, False)


def test_the_state_is_that_of_the_port(bench: Bench, node: Port, view: BusView) -> None:
    states = []
    for tec in (0, 130, 256):
        bench.bus.ports["TESTER"].count(tec, 0)
        states.append(view.state)
    assert states == [can.BusState.ACTIVE, can.BusState.PASSIVE, can.BusState.ERROR]


def test_periodic_sending_keeps_its_period_in_virtual_time(bench: Bench, node: Port, view: BusView) -> None:
    task = view.send_periodic(message(0x100, b"\x00"), 0.01)
    bench.run_ms(35)
    assert isinstance(task, can.broadcastmanager.ModifiableCyclicTaskABC)
    task.modify_data(message(0x100, b"\x01"))
    bench.run_ms(20)
    task.stop()
    bench.run_ms(50)
    starts = [time_ns - frame_bits(frame) * BIT_NS for time_ns, frame, _ in bench.log]
    assert starts == [index * 10_000_000 for index in range(6)]
    assert [frame.data[0] for _, frame, _ in bench.log] == [0, 0, 0, 0, 1, 1]


def test_periodic_sending_takes_turns_modifies_ends_and_starts_again(bench: Bench, node: Port, view: BusView) -> None:
    def count(msg: can.Message) -> None:
        msg.data[1] += 1

    messages = [message(0x100, b"\x00\x00"), message(0x100, b"\x01\x00")]
    task = view.send_periodic(messages, 0.01, duration=0.035, modifier_callback=count)
    bench.run_ms(100)
    assert [bytes(frame.data) for _, frame, _ in bench.log] == [b"\x00\x01", b"\x01\x01", b"\x00\x02", b"\x01\x02"]
    assert isinstance(task, can.broadcastmanager.RestartableCyclicTaskABC)
    task.start()
    bench.run_ms(100)
    assert len(bench.log) == 8
    with pytest.raises(ValueError, match="not above zero"):
        view.send_periodic(message(0x100), 0)


def test_shutdown_stops_all_and_frees_the_port(bench: Bench, node: Port) -> None:
    view = BusView(bench.bus)
    view.send_periodic(message(0x100), 0.01)
    bench.run_ms(5)
    view.shutdown()
    view.shutdown()
    bench.run_ms(50)
    assert bench.ids == [0x100]
    assert "TESTER" not in bench.bus.ports
    assert bench.kernel.next_ns() is None or bench.kernel.next_ns() > bench.kernel.now_ns  # type: ignore[operator]


def test_waiting_frames_can_be_flushed(bench: Bench, node: Port, view: BusView) -> None:
    for can_id in (0x100, 0x200, 0x300):
        view.send(message(can_id))
    bench.run_bits(1)
    view.flush_tx_buffer()
    bench.run_ms(2)
    assert bench.ids == [0x100]


def test_a_notifier_in_its_own_thread_serves_listeners_and_loggers(bench: Bench, node: Port, tmp_path: Path) -> None:
    view = BusView(bench.bus)
    reader = can.BufferedReader()
    threads: set[int] = set()
    listeners: list[can.notifier.MessageRecipient] = [
        reader,
        lambda msg: threads.add(threading.get_ident()),
        can.Logger(tmp_path / "bus.blf"),
        can.Logger(tmp_path / "bus.asc"),
    ]
    notifier = can.Notifier(view, listeners, timeout=0.1)
    for number in range(200):
        bench.kernel.at(number * 1_000_000, lambda number=number: void(node.send(Frame(0x100, bytes([number])))))  # type: ignore[misc]
    bench.run_ms(300)
    view.drain(PATIENCE_S)
    notifier.stop()
    view.shutdown()
    assert threads
    assert threading.get_ident() not in threads
    assert [reader.get_message(0).data[0] for _ in range(200)] == list(range(200))  # type: ignore[union-attr]
    for suffix in ("blf", "asc"):
        with can.LogReader(tmp_path / f"bus.{suffix}") as back:
            assert [msg.data[0] for msg in back] == list(range(200))


def test_a_listener_in_another_thread_may_answer(bench: Bench, node: Port) -> None:
    heard: list[Frame] = []
    node.subscribe(0x200, heard.append)
    view = BusView(bench.bus)

    def answer(msg: can.Message) -> None:
        view.send(message(0x200, bytes(msg.data)))

    notifier = can.Notifier(view, [answer], timeout=0.1)
    node.send(Frame(0x100, b"ping"))
    bench.run_ms(1)
    view.drain(PATIENCE_S)
    bench.run_ms(3)
    notifier.stop()
    view.shutdown()
    assert heard == [Frame(0x200, b"ping")]


def test_a_reader_in_another_thread_ends_with_the_view(
    bench: Bench, node: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Notifier that nobody stops, as cantools' Tester has one, must not go on asking a view that is no more."""
    ended: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: ended.append(args.exc_type))
    view = BusView(bench.bus)
    before = set(threading.enumerate())
    can.Notifier(view, [can.BufferedReader()], timeout=60.0)
    (reader,) = set(threading.enumerate()) - before
    view.shutdown()
    reader.join(PATIENCE_S)
    assert not reader.is_alive()
    assert ended == [can.CanOperationError]
    with pytest.raises(can.CanOperationError, match="shut down"):
        view.recv(0.1)


def test_drain_says_when_nobody_reads(bench: Bench, node: Port, view: BusView) -> None:
    node.send(Frame(0x100, b""))
    bench.run_ms(1)
    with pytest.raises(TimeoutError, match="is a Notifier running"):
        view.drain(0.01)


def test_a_cantools_tester_sends_its_cycles_and_finds_the_answers(bench: Bench, node: Port) -> None:
    database = cantools.database.load_string(DBC, "dbc")
    assert isinstance(database, cantools.database.Database)

    def answer(frame: Frame) -> None:
        node.send(Frame(0x100, bytes([frame.data[0] * 2, 0, 0, 0, 0, 0, 0, 0])))

    node.subscribe(0x200, answer)
    view = BusView(bench.bus)
    tester = cantools.tester.Tester("DUT", database, view)  # type: ignore[no-untyped-call]
    tester.start()  # type: ignore[no-untyped-call]
    bench.run_ms(50)
    view.drain(PATIENCE_S)
    assert [frame.can_id for _, frame, _ in bench.log] == [0x200, 0x100] * 3
    tester.messages["Question"]["Number"] = 21
    tester.flush_input()  # type: ignore[no-untyped-call]
    bench.run_ms(20)
    view.drain(PATIENCE_S)
    answer_found = tester.expect("Answer", {"Value": 4.2}, timeout=1.0)  # type: ignore[no-untyped-call]
    assert answer_found == {"Value": 4.2}
    tester.stop()  # type: ignore[no-untyped-call]
    tester._notifier.stop()  # which `stop` leaves running
    view.shutdown()


def void(_: object) -> None:
    """Drop a result."""
