"""The python-can interface `twinaxle` against the hub."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import can
import pytest

from hil.bus import Frame
from hil.tests.live.conftest import PATIENCE_S, HubRig
from twinaxle.can_interface import TwinaxleBus, parse_channel
from twinaxle.socketcand import DEFAULT_PORT


@contextmanager
def pumping(rig: HubRig) -> Iterator[Callable[[], None]]:
    """Lets the rig live in a thread, until the caller asks it to stop. The rig is the thread's alone up to then."""
    stop = threading.Event()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            while not stop.is_set():
                rig.pump(0.2)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join()
        if failed:
            raise failed[0]

    try:
        yield end
    finally:
        end()


def connect(rig: HubRig, **options: object) -> can.BusABC:
    return can.Bus(interface="twinaxle", channel=f"127.0.0.1:{rig.hub.port}", **options)  # type: ignore[arg-type]


def test_both_directions_with_bench_time(rig: HubRig) -> None:
    with pumping(rig) as end, connect(rig) as bus:
        bus.send(can.Message(arbitration_id=0x123, data=b"\x00\x01\xff", is_extended_id=False))
        bus.send(can.Message(arbitration_id=0x18FF1234, data=b""))
        deadline_s = time.monotonic() + PATIENCE_S
        while len(rig.log) < 2 and time.monotonic() < deadline_s:
            time.sleep(0.001)
        end()
        assert [frame for frame, _ in rig.log] == [Frame(0x123, b"\x00\x01\xff"), Frame(0x18FF1234, b"", True)]
        rig.pump(25)
        times: list[int] = []
        rig.bus.tap(lambda time_ns, frame, sender: times.append(time_ns))
        for frame in (Frame(0x80, bytes(range(8))), Frame(0x1FFFFFFF, b"", True)):
            rig.node.send(frame)
        rig.pump()
        rig.pump()
        for time_ns, frame in zip(times, (Frame(0x80, bytes(range(8))), Frame(0x1FFFFFFF, b"", True)), strict=True):
            message = bus.recv(PATIENCE_S)
            assert message is not None
            assert (message.arbitration_id, bytes(message.data), message.is_extended_id, False) == frame
            assert message.timestamp == pytest.approx(time_ns * 1e-9, abs=1e-6)
            assert message.is_rx
            assert message.channel == f"127.0.0.1:{rig.hub.port}"
        assert bus.recv(0) is None


def test_several_frames_in_one_read_come_one_by_one(rig: HubRig) -> None:
    with pumping(rig) as end, connect(rig) as bus:
        end()
        rig.pump(25)
        for number in range(200):
            rig.node.send(Frame(number, b""))
        rig.pump(50)
        received = [bus.recv(PATIENCE_S) for _ in range(200)]
    assert [message.arbitration_id for message in received if message] == list(range(200))


def test_filters(rig: HubRig) -> None:
    filters = [{"can_id": 0x100, "can_mask": 0x7F0, "extended": False}]
    with pumping(rig) as end, connect(rig, can_filters=filters) as bus:
        end()
        rig.pump(25)
        for can_id in (0xFF, 0x100, 0x10F, 0x110):
            rig.node.send(Frame(can_id, b""))
        rig.pump(5)
        assert [message.arbitration_id for message in (bus.recv(PATIENCE_S), bus.recv(PATIENCE_S)) if message] == [
            0x100,
            0x10F,
        ]
        assert bus.recv(0) is None


def test_error_frames(rig: HubRig) -> None:
    with pumping(rig) as end, connect(rig) as bus:
        end()
        rig.pump(25)
        rig.bus.corrupt(lambda frame: True)
        rig.node.send(Frame(0x123, b""))
        rig.pump(5)
        error, frame = bus.recv(PATIENCE_S), bus.recv(PATIENCE_S)
        assert error is not None
        assert frame is not None
        assert error.is_error_frame
        assert error.arbitration_id == 0x008
        assert frame.arbitration_id == 0x123


@pytest.mark.parametrize(
    "message",
    [
        can.Message(is_fd=True, data=bytes(12)),
        can.Message(is_remote_frame=True, dlc=2),
        can.Message(is_error_frame=True),
    ],
)
def test_frames_that_are_not_carried(rig: HubRig, message: can.Message) -> None:
    with pumping(rig), connect(rig) as bus, pytest.raises(can.CanOperationError, match="data frames of classic CAN"):
        bus.send(message)


def test_the_end_of_the_bench_is_an_error(rig: HubRig) -> None:
    with pumping(rig) as end, connect(rig) as bus:
        end()
        rig.pump(25)
        rig.node.send(Frame(0x123, b"\x01"))
        rig.pump(5)
        rig.hub.close()
        message = bus.recv(PATIENCE_S)  # what was on its way still comes
        assert message is not None
        assert message.arbitration_id == 0x123
        for _ in range(2):
            with pytest.raises(can.CanOperationError, match=f"{rig.hub.port}: the bench has ended"):
                bus.recv(PATIENCE_S)
        with pytest.raises(can.CanOperationError, match="the bench has ended"):
            bus.send(can.Message(arbitration_id=1))


def test_a_notifier_hears_of_the_end(rig: HubRig) -> None:
    class Ends(can.Listener):
        def __init__(self) -> None:
            self.error: Exception | None = None
            self.heard = threading.Event()

        def on_message_received(self, msg: can.Message) -> None: ...

        def on_error(self, exc: Exception) -> None:
            self.error = exc
            self.heard.set()

    with pumping(rig) as end, connect(rig) as bus:
        listener = Ends()
        notifier = can.Notifier(bus, [listener], timeout=0.1)
        end()
        rig.hub.close()
        assert listener.heard.wait(PATIENCE_S)
        assert isinstance(listener.error, can.CanOperationError)
        notifier.stop()


def test_nobody_there_and_not_a_bench() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        threading.Thread(target=lambda: other.accept()[0].sendall(b"< ok >"), daemon=True).start()
        with pytest.raises(can.CanInitializationError, match="is this a bench"):
            can.Bus(interface="twinaxle", channel=f"127.0.0.1:{port}")
    with socket.socket() as deaf:  # bound, so that nobody else listens there
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]
        with pytest.raises(can.CanInitializationError, match=f"no bench answers at 127.0.0.1:{port}.*twinaxle bench"):
            can.Bus(interface="twinaxle", channel=f"127.0.0.1:{port}")
    with pytest.raises(can.CanInitializationError, match="leave out fd"):
        can.Bus(interface="twinaxle", channel=f"127.0.0.1:{port}", fd=True)


def test_a_bench_that_does_not_answer_yet_is_waited_for(rig: HubRig) -> None:
    joined: list[can.BusABC] = []
    thread = threading.Thread(target=lambda: joined.append(connect(rig)))
    thread.start()
    time.sleep(0.5)
    assert not joined
    with pumping(rig):
        thread.join(PATIENCE_S)
        joined[0].shutdown()


def test_one_that_never_answers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twinaxle.can_interface._ANSWER_S", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as dumb,
        pytest.raises(can.CanInitializationError, match=r"no answer for 0\.2 s: the bench hangs, or it is none"),
    ):
        can.Bus(interface="twinaxle", channel=f"127.0.0.1:{dumb.getsockname()[1]}")


def test_python_can_knows_it_and_finds_a_bench(rig: HubRig, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "twinaxle" in can.VALID_INTERFACES
    monkeypatch.setattr("twinaxle.can_interface.DEFAULT_PORT", rig.hub.port)
    monkeypatch.setattr("twinaxle.can_interface._DETECT_S", PATIENCE_S)
    with pumping(rig):
        (found,) = can.detect_available_configs("twinaxle")
        assert found == {"interface": "twinaxle", "channel": f"127.0.0.1:{rig.hub.port}"}
        with can.Bus(**found) as bus:
            assert isinstance(bus, TwinaxleBus)
    rig.hub.close()
    assert can.detect_available_configs("twinaxle") == []


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        (None, ("127.0.0.1", DEFAULT_PORT)),
        ("192.168.1.5", ("192.168.1.5", DEFAULT_PORT)),
        ("bench.local:5000", ("bench.local", 5000)),
        (":5000", ("127.0.0.1", 5000)),
        ("[::1]:5000", ("::1", 5000)),
        ("[::1]", ("::1", DEFAULT_PORT)),
    ],
)
def test_channels(channel: str | None, address: tuple[str, int]) -> None:
    assert parse_channel(channel) == address


@pytest.mark.parametrize("channel", ["127.0.0.1:can0", "host:0", "host:70000"])
def test_channels_that_are_none(channel: str) -> None:
    with pytest.raises(ValueError, match="is no port"):
        parse_channel(channel)
