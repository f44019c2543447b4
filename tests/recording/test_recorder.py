"""Recorder, queue and files: a slow disk, a full disk, a bus that fails, rotation, faults."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import can
import pytest

from tests.recording.conftest import frames, numbers, until
from twinaxle.dbc.database import powertrain
from twinaxle.e2e import Protector
from twinaxle.errors import UserError
from twinaxle.recording.files import FaultFiles, FileSettings, Numbered, RotatingFiles, Sink, size_text
from twinaxle.recording.queue import FrameQueue
from twinaxle.recording.recorder import Recorder
from twinaxle.recording.trigger import FAULT_KINDS, Trigger


class MemoryBus(can.BusABC):
    """Gives out a list of frames as fast as they are taken, then is silent, or fails."""

    def __init__(self, messages: list[can.Message], error: Exception | None = None) -> None:
        self.channel_info = "memory"
        super().__init__(channel="memory")
        self._messages = iter(messages)
        self._error = error
        self.done = threading.Event()

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
        message = next(self._messages, None)
        if message is None:
            self.done.set()
            if self._error is not None:
                raise self._error
            time.sleep(0.001)
        return message, True

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        raise NotImplementedError


class Disk(Sink):
    """A disk that does what the test wants."""

    def __init__(
        self, path: Path, per_frame_s: float = 0.0, gate: threading.Event | None = None, fails_after: int = -1
    ) -> None:
        super().__init__(FileSettings(path), lambda text: None)
        self.content: list[int] = []
        self._per_frame_s = per_frame_s
        self._gate = gate
        self._fails_after = fails_after

    def write(self, message: can.Message) -> None:
        if self._gate is not None:
            assert self._gate.wait(60)
        if len(self.content) == self._fails_after:
            raise OSError(28, "No space left on device")
        time.sleep(self._per_frame_s)
        self.content.append(int.from_bytes(message.data, "big"))
        self.written += 1

    def idle(self, now_s: float) -> None:
        pass


def test_a_slow_disk_loses_nothing_while_the_queue_holds(tmp_path: Path) -> None:
    """The bus is long done when the disk has written its first frames."""
    gate = threading.Event()
    bus, disk = MemoryBus(frames(20_000)), Disk(tmp_path / "x.blf", gate=gate)
    with Recorder(bus, disk, queue_frames=20_000, flush_s=1.0) as recorder:
        assert bus.done.wait(60)
        assert disk.content == []
        gate.set()
    assert disk.content == list(range(20_000))
    assert (recorder.queue.received, recorder.queue.lost, recorder.error) == (20_000, 0, None)
    bus.shutdown()


def test_frames_that_the_queue_cannot_hold_are_counted(tmp_path: Path) -> None:
    gate = threading.Event()
    bus, disk = MemoryBus(frames(5000)), Disk(tmp_path / "x.blf", gate=gate)
    with Recorder(bus, disk, queue_frames=1000, flush_s=1.0) as recorder:
        assert bus.done.wait(60)
        gate.set()
    assert recorder.queue.received == 5000
    # Up to 1000 wait, and up to 1000 were under way to the disk when it stopped.
    assert 3000 <= recorder.queue.lost <= 4000
    assert len(disk.content) + recorder.queue.lost == 5000
    assert disk.content == sorted(disk.content)
    first_lost = min(set(range(5000)) - set(disk.content))
    assert recorder.queue.first_lost_s == pytest.approx(1_700_000_000 + first_lost * 0.001)
    bus.shutdown()


def test_a_throttled_disk(tmp_path: Path) -> None:
    bus, disk = MemoryBus(frames(300)), Disk(tmp_path / "x.blf", per_frame_s=0.001)
    with Recorder(bus, disk, queue_frames=300, flush_s=0.01):
        assert bus.done.wait(60)
    assert disk.content == list(range(300))
    bus.shutdown()


def test_a_full_disk_stops_the_recording_and_counts_the_rest(tmp_path: Path) -> None:
    bus, disk = MemoryBus(frames(2000)), Disk(tmp_path / "x.blf", fails_after=100)
    with Recorder(bus, disk, queue_frames=5000, flush_s=1.0) as recorder:
        assert recorder.wait(60)
        assert bus.done.wait(60)
    assert isinstance(recorder.error, OSError) and not recorder.bus_failed
    assert disk.written == 100
    assert (recorder.queue.received, recorder.queue.lost) == (2000, 1900)
    assert recorder.queue.first_lost_s == pytest.approx(1_700_000_000.1)
    bus.shutdown()


def test_a_bus_that_fails_stops_the_recording_but_loses_nothing(tmp_path: Path) -> None:
    bus = MemoryBus(frames(200), can.CanOperationError("adapter unplugged"))
    disk = Disk(tmp_path / "x.blf")
    with Recorder(bus, disk, queue_frames=1000, flush_s=1.0) as recorder:
        assert recorder.wait(60)
    assert recorder.bus_failed and "adapter unplugged" in str(recorder.error)
    assert disk.content == list(range(200))
    bus.shutdown()


def test_a_second_interrupt_at_once_still_ends_the_file_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the reader's thread is waited for."""
    bus, path = MemoryBus(frames(100)), tmp_path / "x.asc"
    sink = RotatingFiles(FileSettings(path), lambda text: None)
    with Recorder(bus, sink, queue_frames=1000, flush_s=60.0) as recorder:
        notifier = recorder._notifier
        until(lambda: sink.written == 100, "the writer")

        def interrupted() -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(notifier, "stop", interrupted)
    monkeypatch.undo()
    notifier.stop()
    assert sink.current is None
    assert numbers(path) == list(range(100))
    bus.shutdown()


def test_progress_shows_rate_and_load(tmp_path: Path) -> None:
    bus = MemoryBus(frames(1000))
    sink = RotatingFiles(FileSettings(tmp_path / "x.blf"), lambda text: None)
    with Recorder(bus, sink, queue_frames=5000, flush_s=0.01, bitrate=500_000) as recorder:
        assert bus.done.wait(60)
        until(lambda: sink.written == 1000, "the writer")
        progress = recorder.progress()
    assert (progress.received, progress.lost, progress.queued, progress.files, progress.faults) == (1000, 0, 0, 1, None)
    assert progress.rate_hz == pytest.approx(1000 / progress.elapsed_s, rel=0.2)
    # 111 to 135 bits a frame at 500 kbit/s, whatever time this took.
    per_frame = (progress.load_percent or 0) / 100 * 500_000 * progress.elapsed_s / 1000
    assert 100 < per_frame < 150
    bus.shutdown()


def test_a_queue_wakes_its_reader_and_ends() -> None:
    queue = FrameQueue(2)
    assert queue.take(0.001) == []
    for message in frames(3):
        queue.put(message)
    assert (queue.lost, len(queue)) == (1, 2)
    queue.close()
    taken = queue.take(1)
    assert taken is not None and len(taken) == 2
    assert queue.take(1) is None
    queue.put(frames(1)[0])
    assert queue.lost == 2


# --- files ---


@pytest.fixture
def told() -> list[str]:
    return []


def test_rotation_by_size(tmp_path: Path, told: list[str]) -> None:
    settings = FileSettings(tmp_path / "x.asc", max_bytes=5000)
    sink = RotatingFiles(settings, told.append)
    for message in frames(500):
        sink.write(message)
    sink.close()
    files = sorted(tmp_path.iterdir())
    assert len(files) > 5
    assert all(4500 < path.stat().st_size < 6000 for path in files[:-1])
    assert [number for path in files for number in numbers(path)] == list(range(500))
    assert told[0].startswith(f"{files[0]}: ")


def test_only_the_newest_files_are_kept(tmp_path: Path, told: list[str]) -> None:
    sink = RotatingFiles(FileSettings(tmp_path / "x.blf", max_s=0.1, keep=3), told.append)
    for message in frames(1000):
        sink.write(message)
    sink.close()
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["x_0008.blf", "x_0009.blf", "x_0010.blf"]


def test_numbers_go_on_after_those_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "x_0041.asc.gz").touch()
    (tmp_path / "x_0099.asc").touch()
    names = Numbered(tmp_path / "x.asc.gz")
    assert [names.next().name, names.next().name] == ["x_0042.asc.gz", "x_0043.asc.gz"]


@pytest.mark.parametrize(("suffix", "place"), [(".asc", "text"), (".blf", "marker")])
def test_the_comment_says_by_which_protocol(tmp_path: Path, suffix: str, place: str) -> None:
    path = tmp_path / f"x{suffix}"
    sink = RotatingFiles(FileSettings(path, comment="DBC powertrain.dbc, ProtocolHash 01234567"), lambda text: None)
    for message in frames(3):
        sink.write(message)
    sink.close()
    content = path.read_bytes()
    if suffix == ".blf":
        import zlib

        content = zlib.decompress(content[content.index(b"LOBJ") + 32 :])
    assert b"DBC powertrain.dbc, ProtocolHash 01234567" in content
    assert numbers(path) == [0, 1, 2]


def test_sizes_for_people() -> None:
    assert [size_text(size) for size in (0, 999, 12_345, 1.5e9)] == ["0 B", "999 B", "12.3 kB", "1.5 GB"]


# --- faults ---


def pedals(start_s: float, count: int, counter: int = 0) -> Iterator[can.Message]:
    """Good frames of PedalsDriver, one each 10 ms."""
    protector = Protector(0xA0, counter)
    for index in range(count):
        yield can.Message(
            timestamp=start_s + index * 0.01,
            arbitration_id=0xA0,
            is_extended_id=False,
            data=protector.protect(bytes(8)),
        )


def faults(tmp_path: Path, told: list[str], **changes: float) -> FaultFiles:
    settings = FileSettings(tmp_path / "fault.blf")
    times = {"before_s": 0.5, "after_s": 0.3, **changes}
    return FaultFiles(settings, told.append, Trigger(powertrain(), FAULT_KINDS), ring=1000, **times)  # type: ignore[arg-type]


def test_without_a_fault_there_is_no_file(tmp_path: Path, told: list[str]) -> None:
    sink = faults(tmp_path, told)
    for message in pedals(0, 300):
        sink.write(message)
    sink.close()
    assert list(tmp_path.iterdir()) == [] and told == []


def test_each_fault_has_its_file_and_one_soon_after_prolongs_it(tmp_path: Path, told: list[str]) -> None:
    sink = faults(tmp_path, told)
    for message in pedals(100, 1000):
        if round(message.timestamp, 3) in (102.0, 102.2, 108.0):
            sink.write(can.Message(timestamp=message.timestamp - 0.001, is_error_frame=True))
        sink.write(message)
    sink.close()
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["fault_0001.blf", "fault_0002.blf"]
    assert sink.faults == 3
    first = list(can.LogReader(tmp_path / "fault_0001.blf"))
    assert first[0].timestamp == pytest.approx(101.5, abs=0.011)
    assert first[-1].timestamp == pytest.approx(102.199 + 0.3, abs=0.011)
    assert [message.is_error_frame for message in first].count(True) == 2
    second = list(can.LogReader(tmp_path / "fault_0002.blf"))
    assert second[0].timestamp == pytest.approx(107.5, abs=0.011)


def test_a_missing_message_is_seen_on_a_silent_bus(tmp_path: Path, told: list[str]) -> None:
    sink = faults(tmp_path, told)
    for message in pedals(0, 100):
        sink.write(message)
    sink.idle(1.01)
    assert told == []
    sink.idle(1.03)
    assert told == ["fault at 1.030 s: missing: PedalsDriver"]
    sink.idle(1.2)  # still missing: no further fault
    sink.idle(1.4)
    assert sink.current is None and sink.faults == 1
    path = tmp_path / "fault_0001.blf"
    assert min(message.timestamp for message in can.LogReader(path)) == pytest.approx(0.49, abs=0.011)


def test_a_message_that_comes_back_can_be_missing_again(tmp_path: Path) -> None:
    trigger = Trigger(powertrain(), ["missing"])
    found = [trigger.feed(message) for message in pedals(0, 10)]
    found += [trigger.look(0.2)]
    found += [trigger.feed(message) for message in pedals(0.3, 10, counter=10)]
    found += [trigger.look(0.5)]
    assert [text for text in found if text] == ["missing: PedalsDriver"] * 2


def test_a_condition_triggers_when_it_begins_to_hold(tmp_path: Path) -> None:
    from twinaxle.dbc.codec import codec

    trigger = Trigger(powertrain(), (), ["VcuStatus.State == Fault"])
    found = []
    for index, state in enumerate((0, 4, 6, 6, 6, 4, 6)):
        data = codec("VcuStatus").pack(State=state)
        message = can.Message(timestamp=index * 0.02, arbitration_id=0x130, is_extended_id=False, data=data)
        found.append(trigger.feed(message))
    assert found == [None, None, "VcuStatus.State == Fault", None, None, None, "VcuStatus.State == Fault"]


def test_a_run_of_bad_frames_is_one_fault() -> None:
    trigger = Trigger(powertrain(), ["e2e"])
    found = []
    for index, message in enumerate(pedals(0, 30)):
        if index in (10, 11, 20):
            message.data[0] ^= 1
        found.append(trigger.feed(message))
    assert [index for index, text in enumerate(found) if text] == [10, 20]


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"):
        RotatingFiles(FileSettings(tmp_path / "file" / "x.blf"), lambda text: None)
