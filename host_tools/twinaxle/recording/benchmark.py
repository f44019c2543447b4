"""Speed of recording, checking and converting beside python-can's ways: `python -m twinaxle.recording.benchmark`.

Each ratio compares two ways of one work in one run: frames of a log made from the DBC, python-can's writers fed one
message after the other, ours as `twinaxle convert`, `twinaxle log` and `twinaxle check` use them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import can

from twinaxle.dbc.database import powertrain
from twinaxle.judge.config import Config
from twinaxle.judge.judge import judge
from twinaxle.judge.stream import StreamWatch
from twinaxle.logs.benchmark import make_log
from twinaxle.logs.frames import FrameTable
from twinaxle.logs.read import read_log
from twinaxle.recording.blf import BulkBLFWriter
from twinaxle.recording.files import FileSettings, RotatingFiles
from twinaxle.recording.mf4 import write_mf4
from twinaxle.recording.recorder import Recorder

_MF4_FRAMES = 5_000
"""python-can's MF4 writer takes too long for more."""
_QUEUE = 10_000_000


class _ListBus(can.BusABC):
    """Gives out messages as fast as they are taken."""

    def __init__(self, messages: list[can.Message]) -> None:
        super().__init__(channel="benchmark")
        self.channel_info = "benchmark"
        self._left = iter(messages)
        self.is_empty = False

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
        message = next(self._left, None)
        if message is None:
            self.is_empty = True
            time.sleep(0.001)
        return message, True

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        """Nothing is sent here."""


def main() -> int:
    """Run everything and print a table. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0, help="length of the log (default %(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = make_log(powertrain(), folder / "log.blf", args.minutes)
        messages = list(can.LogReader(log))
        table = read_log(log)
        sys.stdout.write(f"{len(table):,} frames, processor time for each\n")
        one_by_one = _show("BLF, python-can's writer", len(messages), lambda: _write(folder / "a.blf", messages))
        _show("BLF in bulk", len(table), lambda: _bulk(folder / "b.blf", table), one_by_one)
        some = messages[:_MF4_FRAMES]
        one_by_one = _show(
            f"MF4, python-can's writer ({len(some):,} frames)", len(some), lambda: _write(folder / "a.mf4", some)
        )
        _show("MF4 in bulk", len(table), lambda: write_mf4(folder / "b.mf4", table), one_by_one)
        _show("recording: bus thread, queue, writer, BLF", len(messages), lambda: _record(folder / "c.blf", messages))
        _show("the judge, whole log", len(table), lambda: judge(table, powertrain(), Config(), "log.blf"))
        _show("the stream watch, frame by frame", len(messages), lambda: _watch(messages))
    return 0


def _show(what: str, frames: int, work: Callable[[], object], beside: float | None = None) -> float:
    """Do the work and print its cost. Returns the us for a frame."""
    start_s = time.process_time()
    work()
    us = 1e6 * (time.process_time() - start_s) / frames
    ratio = "" if beside is None else f"  {beside / us:6.1f} times as fast"
    sys.stdout.write(f"  {what:45} {us:8.2f} us{ratio}\n")
    sys.stdout.flush()
    return us


def _write(path: Path, messages: list[can.Message]) -> None:
    options = {"compression_level": 1} if path.suffix == ".blf" else {}
    with can.Logger(path, **options) as writer:
        for message in messages:
            writer(message)


def _bulk(path: Path, table: FrameTable) -> None:
    with BulkBLFWriter(path, compression_level=1) as writer:
        writer.write_table(table)


def _record(path: Path, messages: list[can.Message]) -> None:
    bus = _ListBus(messages)
    sink = RotatingFiles(FileSettings(path), lambda text: None)
    with Recorder(bus, sink, queue_frames=_QUEUE, flush_s=1.0, bitrate=500_000) as recorder:
        while not bus.is_empty:
            recorder.wait(0.05)
    bus.shutdown()
    if recorder.queue.lost or sink.written != len(messages):
        raise RuntimeError(f"{sink.written} of {len(messages)} frames written, {recorder.queue.lost} lost")


def _watch(messages: list[can.Message]) -> None:
    feed = StreamWatch(powertrain()).feed
    for message in messages:
        feed(message.timestamp, message.arbitration_id, message.data)


if __name__ == "__main__":
    sys.exit(main())
