"""Frames that the bus kept for the board, as events of the wire to the interpreter. Compiled, see `hil.native`."""

from __future__ import annotations

from ctypes import Structure, c_int64
from typing import Annotated, Any

from hil.board.wire import BLOCK_BYTES, EVENT, REPLY, Event
from hil.bus import calm
from hil.bus.calm import QUEUE_RECORDS, Calm, Words
from hil.native import access, compiled, memory, structure

_RX = int(Event.RX)
_TX_DONE = int(Event.TX_DONE)


_BLOCK_HEAD = 3


@structure
class _Events(Structure):
    """A reply's header and events (`hil.board.wire.REPLY`, `EVENT`) as words."""

    words: Annotated[Words, c_int64 * (_BLOCK_HEAD + 3 * QUEUE_RECORDS)]


_at = access(_Events)


@compiled
def _take(line_memory: Any, events_memory: Any, base_ns: int, base_us: int, horizon_us: int) -> int:
    """Move the queue's records into events; the tag of a frame is its FIFO + 1. Returns their number."""
    line, events = calm.at(line_memory), _at(events_memory)
    count = line.queued
    events.words[0], events.words[1], events.words[2] = count, base_us, horizon_us
    for index in range(count):
        source, at = 3 * index, _BLOCK_HEAD + 3 * index
        time, what = line.queue[source] - base_ns, line.queue[source + 1]
        if what < 0:
            events.words[at] = _TX_DONE | (-1 - what) << 8 | 1 << 16 | time << 32
            events.words[at + 1] = 0
        else:
            events.words[at] = _RX | ((what >> 40) - 1) << 8 | ((what >> 32) & 0xFF) << 16 | time << 32
            events.words[at + 1] = what & 0xFFFF_FFFF
        events.words[at + 2] = line.queue[source + 2]
    line.queued = 0
    return count


class EventQueue:
    """Takes a bus's receive queue as events. What it returns is valid until the next call."""

    def __init__(self, line: Calm) -> None:
        self._line, self._block = line, _Events()
        self._memories = memory(line), memory(self._block)
        view = memoryview(self._block.words).cast("B")
        self._reply, self._events = view[:BLOCK_BYTES], view[REPLY.size :]

    def __len__(self) -> int:
        return self._line.queued

    def take(self, base_ns: int) -> memoryview:
        """The events since the last call, their times counted from `base_ns`."""
        return self._events[: _take(*self._memories, base_ns, 0, 0) * EVENT.size]

    def reply(self, base_ns: int, base_us: int, horizon_us: int) -> tuple[memoryview, memoryview]:
        """A whole reply with the events since the last call, and these; there must be no more than a block holds."""
        count = _take(*self._memories, base_ns, base_us, horizon_us)
        return self._reply, self._events[: count * EVENT.size]
