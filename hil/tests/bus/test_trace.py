"""The bus log: what it keeps, what it writes."""

import time
from pathlib import Path
from typing import NamedTuple

import can
import numpy as np
import pytest

from hil.bus import ErrorKind, Frame
from hil.recording.trace import Trace, message_of
from twinaxle.errors import UserError

from .conftest import Bench


def drive(bench: Bench) -> Trace:
    """All kinds of frames, an error frame in the midst of them."""
    trace = Trace(bench.bus)
    a, b = bench.attach("A", "B")
    bench.run_ms(3.25)
    frames = [
        Frame(0x100, bytes(range(8))),
        Frame(0x100, bytes(range(1, 9))),
        Frame(0x7FF, b"\xaa"),
        Frame(0x200, b""),
        Frame(0x123, bytes(4), is_remote=True),
        Frame(0x12345678, b"\x01\x02", is_extended=True),
        Frame(0x1234567, bytes(8), is_extended=True, is_remote=True),
    ]
    bench.bus.corrupt(lambda frame: frame.can_id == 0x7FF)
    for index, frame in enumerate(frames * 3):
        (a, b)[index % 2].send(frame)
        bench.run_ms(0.7)
    bench.run_ms(5)
    return trace


@pytest.fixture
def trace(bench: Bench) -> Trace:
    return drive(bench)


def test_the_log_holds_every_frame_and_error_frame_in_order(bench: Bench, trace: Trace) -> None:
    entries = list(trace)
    assert len(trace) == len(entries) == 22
    assert [(e.time_ns, e.frame, e.sender) for e in entries if e.error is None] == [
        (time_ns, frame._replace(data=bytes(len(frame.data)) if frame.is_remote else frame.data), sender)
        for time_ns, frame, sender in bench.log
    ]
    assert [(e.time_ns, e.error, e.sender) for e in entries if e.error] == bench.errors
    assert [e.error for e in entries if e.error] == [ErrorKind.BIT]
    assert [e.time_ns for e in entries] == sorted(e.time_ns for e in entries)


def test_frames_of_one_id_come_as_arrays(bench: Bench, trace: Trace) -> None:
    times, payloads = trace.select(0x100)
    assert times.tolist() == [time_ns for time_ns, frame, _ in bench.log if frame.can_id == 0x100]
    assert payloads.shape == (6, 8)
    assert payloads.dtype == np.uint8
    assert payloads[1].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert len(trace.select(0x12345678)[0]) == 0
    assert trace.select(0x12345678, is_extended=True)[1][:, :3].tolist() == [[1, 2, 0]] * 3
    assert len(trace.select(0x555)[0]) == 0


class FirstByte:
    """A codec with one signal."""

    class Values(NamedTuple):
        First: int

    def unpack(self, data: bytes) -> Values:
        return self.Values(data[0])


def test_a_signal_comes_as_a_series(trace: Trace) -> None:
    times, values = trace.series(0x100, FirstByte(), "First")
    assert values.tolist() == [0, 1] * 3
    assert len(times) == 6
    with pytest.raises(UserError, match="0x100 has no signal Second"):
        trace.series(0x100, FirstByte(), "Second")


def test_a_closed_log_takes_no_more(bench: Bench, trace: Trace) -> None:
    before = len(trace)
    trace.close()
    bench.bus.ports["A"].send(Frame(0x100, b""))
    bench.run_ms(1)
    assert len(trace) == before


@pytest.mark.req("HB-05")
@pytest.mark.parametrize("suffix", [".blf", ".asc", ".log", ".csv", ".trc"])
def test_python_can_reads_back_what_was_written(trace: Trace, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"bus{suffix}"
    trace.write(path)
    with can.LogReader(path) as reader:
        back = list(reader)
    wanted = [message_of(entry) for entry in trace]
    if suffix == ".trc":  # python-can writes data frames only, with times from the first on
        wanted = [message for message in wanted if not (message.is_error_frame or message.is_remote_frame)]
        start_s = wanted[0].timestamp - back[0].timestamp
    else:
        start_s = 0.0
    assert len(back) == len(wanted)
    for message, want in zip(back, wanted, strict=True):
        assert message.timestamp + start_s == pytest.approx(want.timestamp, abs=1.5e-6)
        assert message.is_error_frame == want.is_error_frame
        if want.is_error_frame:
            continue
        assert message.arbitration_id == want.arbitration_id
        assert message.is_extended_id == want.is_extended_id
        assert message.is_remote_frame == want.is_remote_frame
        if not want.is_remote_frame:
            assert (message.dlc, bytes(message.data)) == (want.dlc, bytes(want.data))


@pytest.mark.req("HB-02")
@pytest.mark.parametrize("suffix", [".blf", ".asc", ".log", ".csv", ".trc"])
def test_equal_runs_give_files_equal_byte_for_byte_at_any_time_of_day(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"bus{suffix}"
    contents = []
    for zone in ("America/New_York", "Asia/Tokyo"):
        monkeypatch.setenv("TZ", zone)
        if hasattr(time, "tzset"):
            time.tzset()
        drive(Bench()).write(path)
        contents.append(path.read_bytes())
    monkeypatch.undo()
    if hasattr(time, "tzset"):
        time.tzset()
    assert len(contents[0]) > 300
    assert contents[0] == contents[1]


@pytest.mark.req("HB-05")
def test_blocks_give_the_blf_that_single_messages_give(trace: Trace, tmp_path: Path) -> None:
    blocks, singles = tmp_path / "blocks.blf", tmp_path / "singles.blf"
    trace.write(blocks)
    with can.BLFWriter(singles, compression_level=1) as writer:
        writer.start_timestamp = 0.0
        for entry in trace:
            writer(message_of(entry))
    assert blocks.read_bytes() == singles.read_bytes()


def test_a_long_log_is_written_in_parts_with_progress(bench: Bench, tmp_path: Path) -> None:
    trace = Trace(bench.bus)
    a, _ = bench.attach("A", "B")
    frame = Frame(0x100, bytes(8))
    for index in range(120_000):
        bench.bus._record(index * 1_000_000, a, frame)
    told: list[tuple[int, int]] = []
    trace.write(tmp_path / "long.blf", lambda done, total: told.append((done, total)))
    assert told == [(50_000, 120_000), (100_000, 120_000), (120_000, 120_000)]
    with can.BLFReader(tmp_path / "long.blf") as reader:
        assert reader.object_count == 120_000
        times = [message.timestamp for message in reader]
    assert times[-1] == pytest.approx(119.999)
    assert len(times) == 120_000


def test_an_unknown_format_and_a_bad_path_are_told(trace: Trace, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no log format has the suffix '\.xyz'; known: \.asc, \.blf"):
        trace.write(tmp_path / "bus.xyz")
    with pytest.raises(UserError, match="cannot be written: No such file"):
        trace.write(tmp_path / "missing" / "bus.blf")


def test_an_empty_log_is_a_valid_file(bench: Bench, tmp_path: Path) -> None:
    Trace(bench.bus).write(tmp_path / "empty.blf")
    with can.LogReader(tmp_path / "empty.blf") as reader:
        assert list(reader) == []
