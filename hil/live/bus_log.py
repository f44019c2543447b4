"""The log file of a live bench: python-can's writers in a thread of their own, so that a slow disk holds nothing up."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

from hil.bus import Bus, ErrorKind, Frame
from hil.recording.trace import Entry, message_of
from hil.recording.writers import open_writer
from twinaxle.errors import UserError

_QUEUE_FRAMES = 500_000
"""Some minutes of a busy bus."""


class BusLog:
    """Writes every frame and error frame of a bus to a file, with bench times, until `close`.

    `written`: frames in the file so far. `dropped`: frames that the disk was too slow for.

    Raises:
        UserError: unknown suffix, or the file cannot be written.
    """

    def __init__(self, bus: Bus, path: Path) -> None:
        self.path = path
        self.written = 0
        self.dropped = 0
        self._bus = bus
        self._failure: Exception | None = None
        self._queue: queue.Queue[Entry | None] = queue.Queue(_QUEUE_FRAMES)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._write, name="bus log", daemon=True)
        self._thread.start()
        self._ready.wait()
        self.check()
        bus.tap(self._on_frame)
        bus.tap_errors(self._on_error)

    def _write(self) -> None:
        try:
            with open_writer(self.path) as writer:
                self._ready.set()
                while (entry := self._queue.get()) is not None:
                    writer(message_of(entry))
                    self.written += 1
        except Exception as error:  # the bench's thread tells the user
            self._failure = error
        finally:
            self._ready.set()

    def check(self) -> None:
        """Raises UserError when writing has failed."""
        if self._failure is None:
            return
        if isinstance(self._failure, UserError):
            raise self._failure
        raise UserError(
            f"{self.path}: the log ends after {self.written} frames, writing failed: {self._failure}"
        ) from self._failure

    def _on_frame(self, time_ns: int, frame: Frame, sender: str) -> None:
        self._put(Entry(time_ns, frame, sender, None))

    def _on_error(self, time_ns: int, kind: ErrorKind, sender: str) -> None:
        self._put(Entry(time_ns, Frame(0, b""), sender, kind))

    def _put(self, entry: Entry) -> None:
        try:
            self._queue.put_nowait(entry)
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Write what waits and close the file. Raises UserError when that fails."""
        self._bus.untap(self._on_frame)
        self._bus.untap(self._on_error)
        while self._thread.is_alive():
            try:
                self._queue.put(None, timeout=0.2)
                break
            except queue.Full:
                continue
        self._thread.join()
        self.check()
