"""Records a live bus: one thread reads it, one writes the files, a bounded queue lies between them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from can.listener import Listener

from twinaxle.recording.files import Sink
from twinaxle.recording.queue import FrameQueue

if TYPE_CHECKING:
    import can

_WAIT_S = 0.1


@dataclass(frozen=True)
class Progress:
    """How a recording stands. `load_percent` is None when the bit rate is not known, `faults` when none
    are looked for."""

    elapsed_s: float
    received: int
    lost: int
    rate_hz: float
    load_percent: float | None
    queued: int
    bytes: int
    files: int
    faults: int | None


class _Reader(Listener):
    """Puts the frames of a Notifier into the queue; keeps its error."""

    def __init__(self, queue: FrameQueue, failed: Callable[[BaseException], None]) -> None:
        self._queue = queue
        self._failed = failed

    def on_message_received(self, msg: can.Message) -> None:
        """A frame came."""
        self._queue.put(msg)

    def on_error(self, exc: Exception) -> None:
        """The bus failed."""
        self._failed(exc)

    def stop(self) -> None:
        """Nothing to do: the queue is closed by the recorder."""


class Recorder:
    """A recording under way.

        with Recorder(bus, sink, queue_frames=250_000, flush_s=1.0, bitrate=500_000) as recorder:
            recorder.wait(10.0)
        recorder.error, recorder.queue.lost

    The end of the block ends the recording: what is in the queue is written, the file closed. `error` is what stopped
    it from the bus's or the disk's side, if anything did; `bus_failed` tells which.
    """

    def __init__(
        self, bus: can.BusABC, sink: Sink, *, queue_frames: int, flush_s: float, bitrate: int | None = None
    ) -> None:
        self.queue = FrameQueue(queue_frames)
        self.sink = sink
        self.error: BaseException | None = None
        self.bus_failed = False
        self._bus = bus
        self._flush_s = flush_s
        self._stopped = threading.Event()
        self._writer = threading.Thread(target=self._write, name="log writer", daemon=True)
        self._last_s: tuple[float, float] | None = None  # time of the newest frame: of the bus, of the wall clock
        self._meter = _LoadMeter(bitrate) if bitrate else None

    def __enter__(self) -> Recorder:
        from can import Notifier

        self._start_s = self._progress_s = time.monotonic()
        self._progress_frames = 0
        self._writer.start()
        self._notifier = Notifier(self._bus, [_Reader(self.queue, self._on_bus_error)], timeout=_WAIT_S)
        return self

    def wait(self, timeout_s: float) -> bool:
        """Wait for the recording to stop by itself, so long at most. True if it did: see `error`."""
        return self._stopped.wait(timeout_s)

    def __exit__(self, *_: object) -> None:
        try:
            self._notifier.stop()
            self.queue.close()
            while self._writer.is_alive():
                self._writer.join(_WAIT_S)
        except KeyboardInterrupt:  # a second Ctrl-C: the user won't wait for the disk
            self.queue.close()
            self.queue.discard()
            self._writer.join()

    def progress(self) -> Progress:
        """How it stands; the rate and the load are those since the last call."""
        now_s = time.monotonic()
        passed_s = max(now_s - self._progress_s, 1e-9)
        received = self.queue.received
        rate_hz = (received - self._progress_frames) / passed_s
        self._progress_s, self._progress_frames = now_s, received
        load = self._meter.percent(passed_s) if self._meter is not None else None
        sink = self.sink
        return Progress(
            now_s - self._start_s, received, self.queue.lost, rate_hz, load, len(self.queue), sink.bytes,
            len(sink.paths), sink.faults,
        )  # fmt: skip

    def _on_bus_error(self, error: BaseException) -> None:
        if self.error is None:
            self.error, self.bus_failed = error, True
        self._stopped.set()

    def _write(self) -> None:
        """The writer's thread."""
        queue, sink = self.queue, self.sink
        done = 0
        frames: list[can.Message] | None = None
        try:
            next_flush_s = time.monotonic() + self._flush_s
            while (frames := queue.take(_WAIT_S)) is not None:
                if self._meter is not None:
                    self._meter.add(frames)
                for done, message in enumerate(frames):  # noqa: B007 (for what is lost if it fails)
                    sink.write(message)
                done = len(frames)
                now_s = time.monotonic()
                if frames:
                    self._last_s = frames[-1].timestamp, now_s
                elif self._last_s is not None:
                    sink.idle(self._last_s[0] + now_s - self._last_s[1])
                if now_s >= next_flush_s:
                    sink.flush()
                    next_flush_s = now_s + self._flush_s
            sink.close()
        except BaseException as error:
            if self.error is None:
                self.error = error
            queue.close()  # what comes from now on is counted as lost
            queue.discard(frames[done:] if frames else [])
            with suppress(Exception):  # what is written already shall be readable if that can be
                sink.close()
            self._stopped.set()


class _LoadMeter:
    """Bus load with exact stuff bits, counted in pieces."""

    _KEPT = 20_000

    def __init__(self, bitrate: int) -> None:
        self._bitrate = bitrate
        self._frames: list[can.Message] = []
        self._lock = threading.Lock()

    def add(self, frames: list[can.Message]) -> None:
        """Take frames; without a call of `percent` only the first ones are kept."""
        with self._lock:
            if len(self._frames) < self._KEPT:
                self._frames += frames

    def percent(self, seconds: float) -> float:
        """Load since the last call, `seconds` ago."""
        from twinaxle.logs.bits import INTERMISSION_BITS, frame_bits
        from twinaxle.logs.read import table_of

        with self._lock:
            frames, self._frames = self._frames, []
        bits = frame_bits(table_of(frames))
        return 100 * float(bits.sum() + INTERMISSION_BITS * len(bits)) / (self._bitrate * seconds)
