"""The transmit mailboxes while nothing stands against sending: the board's outputs go straight into the compiled bus.

`BxCan` takes over what is held here (`held`) wherever a request is cancelled, ids are equal or the bus is disturbed.
"""

from __future__ import annotations

from ctypes import Structure, c_int64
from typing import Annotated, Any

from hil.board.wire import Out
from hil.bus import calm
from hil.bus.calm import Words
from hil.native import access, compiled, structure

MAILBOXES = 3
OUTPUTS = 64
OUTPUT_BYTES = 24
_SEND = int(Out.SEND)


@structure
class Mailboxes(Structure):
    """Frames on their way, and the outputs that `send_plain` is to look at (`hil.board.wire.OUTPUT`)."""

    held: int
    """One bit a mailbox."""
    can_id: Annotated[Words, c_int64 * MAILBOXES]
    data: Annotated[Words, c_int64 * MAILBOXES]
    number: Annotated[Words, c_int64 * MAILBOXES]
    outputs: Annotated[Words, c_int64 * (3 * OUTPUTS)]


_boxes_at = access(Mailboxes)


@compiled
def _free(boxes: Mailboxes, mailbox: int, can_id: int) -> bool:
    """The mailbox is empty and no other holds the id."""
    free = not boxes.held >> mailbox & 1
    for other in range(MAILBOXES):
        if boxes.held >> other & 1 and boxes.can_id[other] == can_id:
            free = False
    return free


@compiled
def send_plain(mailboxes: Any, line: Any, now_ns: int, port: int, count: int) -> int:
    """Queue the standard data frames of 8 bytes that the first of `count` outputs send; returns how many those are."""
    boxes, bus = _boxes_at(mailboxes), calm.at(line)
    boxes.held &= ~bus.sent
    bus.sent = 0
    for index in range(count):
        head, data = boxes.outputs[3 * index], boxes.outputs[3 * index + 2]
        mailbox, can_id = head >> 8 & 0xFF, head >> 32 & 0xFFFF_FFFF
        plain = head & 0xFF == _SEND and head >> 16 & 0xFFFF == 8
        if not plain or not _free(boxes, mailbox, can_id):
            return index
        if calm.offer(line, now_ns, can_id << 21, port, can_id, 8, data, calm.QUEUE + mailbox, False) != calm.QUEUED:
            return index
        boxes.held |= 1 << mailbox
        boxes.can_id[mailbox] = can_id
        boxes.data[mailbox] = data
        boxes.number[mailbox] = bus.serial
    return count
