"""Where frames come from: a bus that a thread reads, or a log that is played.

Both give what has come since the last call of `take`, and the bus's time. Neither raises once it is open: what ends it
is in `problem`, for the screen to show.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from twinaxle.errors import UserError

if TYPE_CHECKING:
    import can

STAMPED_BY_DRIVER = frozenset(
    {"socketcan", "socketcand", "twinaxle", "virtual", "udp_multicast", "pcan", "kvaser", "vector", "ixxat", "nican"}
)
"""Interfaces whose frames are stamped before python-can fetches them, so that fetching late does no harm."""

SOCKETCAN_ERRORS = frozenset({"socketcan", "socketcand", "twinaxle"})
"""Interfaces whose error frames have SocketCAN's error classes in the identifier."""

REST_S = 0.01
"""Between two looks at such a bus. Waking for every frame costs more than all the rest of the work."""

_WAIT_S = 0.1
_CONNECTING = "connecting ..."
_GLANCE_S = 0.0


class Source(Protocol):
    """What the viewer asks of a source."""

    title: str
    problem: str
    """Why no more frames come; empty while they may."""

    def take(self) -> "Sequence[can.Message]":
        """The frames since the last call."""

    def now_s(self) -> float:
        """The bus's time, on the clock of the timestamps."""

    def state(self) -> str:
        """What the adapter says about its error state, if that is not the normal one."""

    def close(self) -> None:
        """End; no thread and no file stays."""


def named(title: str, problem: str) -> str:
    """The problem with the name of its source, unless it names it already."""
    return problem if title in problem else f"{title}: {problem}"


class LiveSource:
    """A bus. A thread reads it, so that nothing is lost while the terminal is slow.

    Args:
        open_bus: opens the bus; called again by `reopen`.
        interface: python-can's name of it.
    """

    def __init__(self, open_bus: "Callable[[], can.BusABC]", interface: str) -> None:
        """Raises what `open_bus` raises."""
        self.problem = ""
        self.bus = open_bus()
        self.title = str(getattr(self.bus, "channel_info", "") or interface)
        self._open_bus = open_bus
        self._rest_s = REST_S if interface in STAMPED_BY_DRIVER else 0.0
        self._frames: deque[can.Message] = deque()
        self._last_s = 0.0
        self._last_taken_s = time.monotonic()
        self._start()

    def _start(self, reopen: bool = False) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(self._stop, reopen), name=f"reader of {self.title}", daemon=True
        )
        self._thread.start()

    def _run(self, stop: threading.Event, reopen: bool) -> None:
        try:
            if reopen:
                self.bus = self._open_bus()
                self.problem = ""
            self._read(self.bus, stop)
        except Exception as error:  # a driver raises whatever it likes
            self.problem = f"{error}" if str(error) else type(error).__name__

    def _read(self, bus: "can.BusABC", stop: threading.Event) -> None:
        """Read until told to stop."""
        receive, append, stopped = bus.recv, self._frames.append, stop.is_set
        # With a software filter, `recv` may come back without a frame though more are waiting.
        rest_s = 0.0 if bus.filters else self._rest_s
        wait_s = _GLANCE_S if rest_s else _WAIT_S
        while not stopped():
            frame = receive(wait_s)
            if frame is None:
                if rest_s:
                    time.sleep(rest_s)
                continue
            if not frame.timestamp:  # a driver without clock
                frame.timestamp = time.time()
            append(frame)

    def take(self) -> "Sequence[can.Message]":
        """The frames since the last call."""
        frames = self._frames
        taken = [frames.popleft() for _ in range(len(frames))]
        if taken:
            self._last_s = taken[-1].timestamp
            self._last_taken_s = time.monotonic()
        return taken

    def now_s(self) -> float:
        """The time of the last frame, and on from it by our own clock.

        Frames that wait in a queue of ours or the driver's do not make others look late.
        """
        return self._last_s + time.monotonic() - self._last_taken_s

    def state(self) -> str:
        """`passive` or `error` where the adapter reports it."""
        from can import BusABC, BusState

        if self.problem or type(self.bus).state is BusABC.state:
            return ""
        try:
            state = self.bus.state
        except Exception:  # not every driver can tell, and a broken one shows in `problem` anyway
            return ""
        return "" if state is BusState.ACTIVE else f"adapter {state.name.lower()}"

    def reopen(self) -> None:
        """Open the bus again after it has gone. Returns at once; `problem` tells how it went."""
        if self.problem in ("", _CONNECTING):
            return
        self._thread.join()  # the problem was its last word
        self._shutdown()
        self.problem = _CONNECTING
        self._start(reopen=True)

    def _shutdown(self) -> None:
        try:
            self.bus.shutdown()
        except Exception as error:  # a bus that has gone may not even end well
            self.problem = self.problem or str(error)

    def close(self) -> None:
        """Stop reading and shut the bus down."""
        self._stop.set()
        self._thread.join(timeout=2.0)
        self._shutdown()


class LogSource:
    """A log, played at `speed` times real time."""

    MOST_FRAMES = 5000
    """In one `take`, so that the screen lives while a long stretch is skipped."""

    def __init__(self, path: Path, speed: float = 1.0) -> None:
        """Raises UserError if the file cannot be read or is of no known format."""
        self.path = path
        self.title = path.name
        self.problem = ""
        self.speed = speed
        self.held = False
        self.ended = False
        self.begin_s = 0.0
        """Time of the first frame."""
        self._iterator: Iterator[can.Message] = iter(())
        self._reader: Any = None
        self._open()

    def _open(self) -> None:
        from twinaxle.logs.messages import open_log

        self.close()
        self._reader = open_log(self.path)
        self._iterator = iter(self._reader)
        self.ended = False
        self.problem = ""
        self._clock_s = 0.0
        self._wall_s = time.monotonic()
        self._next: can.Message | None = None
        self._fetch()
        if self._next is None:
            raise UserError(f"{self.path}: {self.problem or 'has no frames'}")
        self.begin_s = self._clock_s = self._next.timestamp

    def _fetch(self) -> None:
        from twinaxle.logs.messages import told

        try:
            self._next = next(self._iterator, None)
        except Exception as error:  # each reader raises what its parser happens to
            self._next = None
            self.problem = f"damaged: {told(error)}"
        self.ended = self._next is None
        if self.ended and not self.problem and self.path.suffix.lower() == ".blf":
            from twinaxle.logs import read_log

            self.problem = "; ".join(read_log(self.path).notes)  # which python-can's reader keeps to itself

    @property
    def elapsed_s(self) -> float:
        """Time since the first frame."""
        return self._clock_s - self.begin_s

    @property
    def is_behind(self) -> bool:
        """True while frames up to the wanted time are still to be read."""
        return self._next is not None and self._next.timestamp <= self._clock_s

    def hold(self, on: bool) -> None:
        """Stop the clock, or let it run."""
        self.held = on

    def skip(self, seconds: float) -> bool:
        """Go on, or back, by some time. Returns True if it begins from the start, so that all must be forgotten."""
        if seconds >= 0:
            self._clock_s += seconds
            return False
        wanted_s = max(self.elapsed_s + seconds, 0.0)
        self._open()
        self._clock_s = self.begin_s + wanted_s
        return True

    def take(self) -> "Sequence[can.Message]":
        """The frames up to the clock."""
        now = time.monotonic()
        if not (self.held or self.ended or self.is_behind):
            self._clock_s += (now - self._wall_s) * self.speed
        self._wall_s = now
        return self.frames_until(self._clock_s, self.MOST_FRAMES)

    def frames_until(self, time_s: float, most: int) -> "list[can.Message]":
        """The next frames up to a time of the log, at most so many."""
        taken: list[can.Message] = []
        while self._next is not None and self._next.timestamp <= time_s and len(taken) < most:
            taken.append(self._next)
            self._fetch()
        if self.ended and taken:
            self._clock_s = taken[-1].timestamp
        return taken

    def __iter__(self) -> "Iterator[can.Message]":
        """All frames that are left, as fast as they are asked for."""
        while self._next is not None:
            yield self._next
            self._fetch()

    def now_s(self) -> float:
        """The clock of the log."""
        if self.is_behind:
            assert self._next is not None
            return self._next.timestamp
        return self._clock_s

    def state(self) -> str:
        """Nothing: a log has no adapter."""
        return ""

    def close(self) -> None:
        """Close the file."""
        if self._reader is not None:
            self._reader.stop()
            self._reader = None
