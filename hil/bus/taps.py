"""What tools get from a bus: a call for each frame or error frame, a log in bulk, the load."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from hil.bus import calm
from hil.bus.errors import ErrorKind
from hil.bus.frame import Frame
from hil.kernel import Kernel

Tap: TypeAlias = Callable[[int, Frame, str], None]
ErrorTap: TypeAlias = Callable[[int, ErrorKind, str], None]

LOG_RECORD_BYTES = 24


class LoadMark(NamedTuple):
    """A moment from which `Taps.load` counts."""

    time_ns: int
    busy_ns: int


class Taps:
    """Taps, logs and load of a bus whose times and counts stand in `calm`."""

    def __init__(self, kernel: Kernel, bitrate: int) -> None:
        if bitrate <= 0 or 1_000_000_000 % bitrate:
            raise ValueError(f"bit rate {bitrate} does not give a bit time in whole nanoseconds")
        self.kernel = kernel
        self.bitrate = bitrate
        self.bit_ns = 1_000_000_000 // bitrate
        self.calm = calm.Calm(
            bit_ns=self.bit_ns, end_ns=calm.NEVER_NS, cycle_ns=calm.NEVER_NS, next_ns=calm.NEVER_NS, queue_port=-1
        )
        self._taps: tuple[Tap, ...] = ()
        self._error_taps: tuple[ErrorTap, ...] = ()
        self._logs: tuple[bytearray, ...] = ()

    @property
    def busy_ns(self) -> int:
        """Sum of all frames and error frames that have ended, each with its intermission, in nanoseconds."""
        return self.calm.busy_ns

    def tap(self, action: Tap) -> None:
        """Call `action(time_ns, frame, sender)` at the end of every good frame."""
        self._taps += (action,)
        self.calm.tapped = True

    def tap_errors(self, action: ErrorTap) -> None:
        """Call `action(time_ns, kind, sender)` at the end of each error frame; `sender` is "" when nobody sent."""
        self._error_taps += (action,)

    def untap(self, action: Tap | ErrorTap) -> None:
        """Undo `tap` or `tap_errors`."""
        self._taps = tuple(tap for tap in self._taps if tap != action)
        self._error_taps = tuple(tap for tap in self._error_taps if tap != action)
        self.calm.tapped = bool(self._taps)

    def log_to(self, buffer: bytearray) -> None:
        """From now on put a record of each good frame into `buffer`: 24 bytes, see `hil.recording.trace`. They come in
        bulk: call `flush_log` before reading.
        """
        self.flush_log()
        self._logs += (buffer,)
        self.calm.logging = True

    def stop_log(self, buffer: bytearray) -> None:
        """Undo `log_to`."""
        self.flush_log()
        self._logs = tuple(log for log in self._logs if log is not buffer)
        self.calm.logging = bool(self._logs)

    def flush_log(self) -> None:
        """Bring the logs up to the present."""
        if self.calm.logged:
            records = memoryview(self.calm.log).cast("B")[: self.calm.logged * LOG_RECORD_BYTES]
            for log in self._logs:
                log += records
            self.calm.logged = 0

    def mark(self) -> LoadMark:
        """The present, to be given to `load`."""
        return LoadMark(self.kernel.now_ns, self.busy_ns)

    def load(self, since: LoadMark = LoadMark(0, 0)) -> float:  # noqa: B008 - immutable
        """Bus load since a mark, 0 to 1: busy time over time. A frame counts when it has ended."""
        now = self.mark()
        elapsed_ns = now.time_ns - since.time_ns
        return (now.busy_ns - since.busy_ns) / elapsed_ns if elapsed_ns else 0.0
