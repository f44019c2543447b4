"""The queue between the thread that reads the bus and the one that writes the file."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import can


class FrameQueue:
    """Frames on their way to the disk. It never makes the bus wait: when it is full, frames are lost and counted."""

    def __init__(self, capacity: int) -> None:
        """`capacity` in frames, at least 1."""
        self.capacity = capacity
        self.received = 0
        self.lost = 0
        self.first_lost_s: float | None = None
        self.deepest = 0
        self._frames: list[can.Message] = []
        self._closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, message: can.Message) -> None:
        """Append a frame, or count it as lost."""
        with self._changed:
            self.received += 1
            depth = len(self._frames)
            if depth >= self.capacity or self._closed:
                self.lost += 1
                if self.first_lost_s is None:
                    self.first_lost_s = message.timestamp
                return
            self._frames.append(message)
            if depth >= self.deepest:
                self.deepest = depth + 1
            if not depth:
                self._changed.notify()

    def take(self, timeout_s: float) -> list[can.Message] | None:
        """All frames that wait, at least one if any comes within the timeout; None when closed and empty."""
        with self._changed:
            if not self._frames and not self._closed:
                self._changed.wait(timeout_s)
            frames, self._frames = self._frames, []
            return None if self._closed and not frames else frames

    def close(self) -> None:
        """Take no more frames; those that wait can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def discard(self, taken: Sequence[can.Message] = ()) -> None:
        """Lose all frames that wait, and before them those that were taken in vain."""
        with self._changed:
            lost = [*taken, *self._frames]
            if lost and self.first_lost_s is None:
                self.first_lost_s = lost[0].timestamp
            self.lost += len(lost)
            self._frames = []
