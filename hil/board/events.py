"""Frames that the bus kept for the board, as events of the wire to the interpreter. Compiled, see `hil.native`."""

from __future__ import annotations

from ctypes import Structure, c_int64
from typing import Annotated, Any

from hil.board.wire import Event
from hil.bus import calm
from hil.bus.calm import QUEUE_RECORDS, Calm, Words
from hil.native import access, compiled, memory, structure

_RX = int(Event.RX)
_TX_DONE = int(Event.TX_DONE)
EVENT_BYTES = 24


@structure
class _Events(Structure):
    count: int
    words: Annotated[Words, c_int64 * (3 * QUEUE_RECORDS)]


_at = access(_Events)


@compiled
def _take(line_memory: Any, events_memory: Any, base_ns: int) -> None:
    """Move the queue's records into events (`hil.board.wire.EVENT`); the tag of a frame is its FIFO + 1."""
    line, events = calm.at(line_memory), _at(events_memory)
    for index in range(line.queued):
        at = 3 * index
        time, what = line.queue[at] - base_ns, line.queue[at + 1]
        if what < 0:
            events.words[at] = _TX_DONE | (-1 - what) << 8 | 1 << 16 | time << 32
            events.words[at + 1] = 0
        else:
            events.words[at] = _RX | ((what >> 40) - 1) << 8 | ((what >> 32) & 0xFF) << 16 | time << 32
            events.words[at + 1] = what & 0xFFFF_FFFF
        events.words[at + 2] = line.queue[at + 2]
    events.count = line.queued
    line.queued = 0


class EventQueue:
    """Takes a bus's receive queue as events."""

    def __init__(self, line: Calm) -> None:
        self._line, self._events = line, _Events()
        self._memories = memory(line), memory(self._events)
        self._words = memoryview(self._events.words).cast("B")

    def take(self, base_ns: int) -> memoryview:
        """The events since the last call, their times counted from `base_ns`; valid until the next call."""
        if not self._line.queued:
            return self._words[:0]
        _take(*self._memories, base_ns)
        return self._words[: self._events.count * EVENT_BYTES]
