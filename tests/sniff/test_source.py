"""Sources: a bus that is read in a thread, and a log that is played."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import can
import pytest

from tests.sniff.conftest import frame
from twinaxle.errors import UserError
from twinaxle.sniff.source import LiveSource, LogSource


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for what another thread does."""
    end_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end_s, "it did not come"
        time.sleep(0.001)


def taken(source: LiveSource, count: int) -> list[can.Message]:
    """So many frames, as they come."""
    got: list[can.Message] = []

    def enough() -> bool:
        got.extend(source.take())
        return len(got) >= count

    until(enough)
    return got


class Script(can.BusABC):
    """A bus that gives what a test tells it: frames, or errors that are raised."""

    def __init__(self, *script: can.Message | Exception, channel: str = "made", **kwargs: Any) -> None:
        self.channel_info = channel
        self.waiting = list(script)
        self.shut_down = threading.Event()
        super().__init__(channel, **kwargs)

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
        if not self.waiting:
            time.sleep(0.001)
            return None, False
        one = self.waiting.pop(0)
        if isinstance(one, Exception):
            raise one
        return one, False

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        raise NotImplementedError

    def shutdown(self) -> None:
        super().shutdown()
        self.shut_down.set()


@pytest.mark.parametrize("interface", ["virtual", "slcan"])
def test_frames_come_in_order_and_none_is_lost(interface: str) -> None:
    sent = [frame(1 + n / 1000, n % 2048, b"") for n in range(5000)]
    source = LiveSource(lambda: Script(*sent), interface)
    got = taken(source, len(sent))
    assert all(a is b for a, b in zip(got, sent, strict=True))
    assert 5.999 <= source.now_s() < 6.0 + 60
    source.close()
    assert isinstance(source.bus, Script) and source.bus.shut_down.is_set()


def test_software_filters_do_not_slow_reading_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """No rest after a frame that the filter drops: with one of an hour the frames behind it would never come."""
    monkeypatch.setattr("twinaxle.sniff.source.REST_S", 3600.0)
    sent = [frame(1 + n / 1000, n % 16, b"") for n in range(3200)]
    bus = Script(*sent, can_filters=[{"can_id": 5, "can_mask": 0x7FF}])
    source = LiveSource(lambda: bus, "socketcand")
    got = taken(source, 200)
    source.close()
    assert {one.arbitration_id for one in got} == {5}


def test_frames_without_a_time_get_one() -> None:
    source = LiveSource(lambda: Script(frame(0.0, 1, b"")), "made")
    got = taken(source, 1)
    source.close()
    assert got[0].timestamp == pytest.approx(time.time(), abs=60)


def test_an_error_in_the_thread_is_told_and_frames_before_it_are_kept() -> None:
    source = LiveSource(lambda: Script(frame(1.0, 1, b""), can.CanOperationError("cable pulled")), "virtual")
    until(lambda: source.problem)
    assert source.problem == "cable pulled"
    assert len(source.take()) == 1
    source.close()
    assert source.problem == "cable pulled"


def test_a_nameless_error_is_named_by_its_class() -> None:
    source = LiveSource(lambda: Script(ZeroDivisionError()), "virtual")
    until(lambda: source.problem)
    source.close()
    assert source.problem == "ZeroDivisionError"


def test_connecting_again() -> None:
    buses: list[Script | Exception] = [
        Script(OSError("gone")), OSError("not yet"), Script(frame(2.0, 7, b"")),
    ]  # fmt: skip

    def open_bus() -> can.BusABC:
        bus = buses.pop(0)
        if isinstance(bus, Exception):
            raise bus
        return bus

    source = LiveSource(open_bus, "virtual")
    until(lambda: source.problem == "gone")
    source.reopen()
    until(lambda: source.problem == "not yet")
    source.reopen()
    got = taken(source, 1)
    assert (got[0].arbitration_id, source.problem) == (7, "")
    source.reopen()  # without effect while it works
    source.close()
    assert buses == []


def test_connecting_again_while_the_thread_is_at_its_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    buses = [Script(OSError("gone")), Script(frame(2.0, 7, b""))]
    source = LiveSource(lambda: buses.pop(0), "virtual")
    until(lambda: source.problem == "gone")
    monkeypatch.setattr(source._thread, "is_alive", lambda: True)
    source.reopen()
    assert taken(source, 1)[0].arbitration_id == 7
    source.close()


def test_the_adapters_state_is_told_where_it_has_one() -> None:
    class Passive(Script):
        state = can.BusState.PASSIVE

    source = LiveSource(lambda: Script(), "virtual")
    assert source.state() == ""
    source.close()
    source = LiveSource(lambda: Passive(), "virtual")
    assert source.state() == "adapter passive"
    source.close()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of 30 s with ten frames a second from 1000 s on."""
    path = tmp_path / "made.blf"
    with can.Logger(path) as logger:
        for n in range(300):
            logger.on_message_received(frame(1000 + n / 10, n % 7, bytes([n % 256]), channel="1"))
    return path


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Wall time that only the test lets pass."""
    now = [50.0]
    monkeypatch.setattr("twinaxle.sniff.source.time.monotonic", lambda: now[0])
    yield now


def test_a_log_is_played_in_its_own_time(log: Path, clock: list[float]) -> None:
    source = LogSource(log)
    assert len(source.take()) == 1
    clock[0] += 1.05
    assert len(source.take()) == 10
    assert source.elapsed_s == pytest.approx(1.05, abs=1e-3)
    source.speed = 4
    clock[0] += 1.0
    assert len(source.take()) == 40
    source.hold(True)
    clock[0] += 100.0
    assert len(source.take()) == 0
    source.hold(False)
    clock[0] += 0.25
    assert len(source.take()) == 10
    source.close()


def test_going_on_and_back_in_a_log(log: Path, clock: list[float]) -> None:
    source = LogSource(log)
    assert source.skip(10.0) is False
    assert len(source.take()) == 101
    assert source.skip(-4.0) is True
    assert len(source.take()) == 61
    assert source.skip(float("-inf")) is True
    assert len(source.take()) == 1
    source.skip(1000.0)
    assert len(source.take()) == 299
    assert source.ended and source.elapsed_s == pytest.approx(29.9)
    clock[0] += 100.0
    assert source.take() == [] and source.now_s() == pytest.approx(source.begin_s + 29.9)
    source.close()


def test_a_long_stretch_is_read_in_pieces(log: Path, clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LogSource, "MOST_FRAMES", 50)
    source = LogSource(log)
    source.skip(20.0)
    pieces = [len(source.take())]
    while source.is_behind:
        pieces.append(len(source.take()))
    assert pieces == [50, 50, 50, 50, 1]
    source.close()


def test_all_frames_of_a_log(log: Path) -> None:
    source = LogSource(log)
    assert [one.data[0] for one in source] == [n % 256 for n in range(300)]
    source.close()


def test_logs_that_cannot_be_played(tmp_path: Path) -> None:
    for name, content, word in (
        ("none.blf", None, "there is no such log"),
        ("made.xyz", b"", "known: .asc, .blf"),
        ("made.blf", b"rubbish", "is not a BLF file"),
        ("made.asc", b"\xff\xfe", "bytes that are no text"),
        ("made.log", b"", "has no frames"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=word) as error:
            LogSource(tmp_path / name)
        assert name in str(error.value)


def test_a_truncated_blf_is_shown_up_to_there_and_said(tmp_path: Path) -> None:
    path = tmp_path / "made.blf"
    with can.Logger(path) as writer:
        for number in range(1, 1001):
            writer(can.Message(timestamp=number, arbitration_id=number, data=number.to_bytes(8, "big")))
    path.write_bytes(path.read_bytes()[:-1000])
    source = LogSource(path)
    assert 100 < len(list(source)) < 1000
    assert "is truncated" in source.problem
    source.close()


def test_a_log_that_breaks_off_is_shown_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "made.log"
    path.write_text("(1.0) can0 123#11\n(2.0) can0 123#22\n(rubbish\n")
    source = LogSource(path, speed=1e9)
    assert len(source.frames_until(10.0, 100)) == 2
    assert source.ended and source.problem.startswith("damaged")
    source.close()
