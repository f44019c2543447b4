"""The undisturbed bus, compiled (see `hil.native`): who sends next, how long it takes, who is to be told.

`run` takes the bus from the end of one frame to the end of the next, as far as nobody's Python has to act: the log,
the newest frame of each id and a controller's receive queue are filled on the way. It returns early where a listener,
a tap or a sender waits for the frame that has just ended.

The winner of an arbitration is chosen as soon as the bus will be free and stands only from its SOF on: whoever queues a
frame up to that very instant takes part, and the choice is made anew.

Numbers: an address is a CAN id with `EXTENDED` and `REMOTE` as in the log, data are 8 bytes as a little-endian integer
of 64 bits (signed, since all integers here are), a rank is `arbitration_key`, a port is its number on this bus.
"""

from __future__ import annotations

from ctypes import Array, Structure, c_int64
from typing import Annotated, Any, TypeAlias

from hil.bus.length import frame_length
from hil.native import access, compiled, structure

Words: TypeAlias = Array[c_int64]

NEVER_NS = 1 << 62
IDS = 2048
WAITING = 64
"""Frames that may wait; with more the bus falls back on the disturbed way, which has no such limit."""
LOG_RECORDS = 4096
QUEUE_RECORDS = 512
PORTS = 62
"""Port numbers that fit into a mask."""

# What `run` returns
DONE = 0  # the time is over
TELL = 1  # somebody waits for the frame that has ended
COLLISION = 2  # as TELL, and two nodes have sent the same id at the same time
LOG_FULL = 3  # nothing has ended; the log wants to be emptied
QUEUE_FULL = 4  # nothing has ended; the receive queue wants to be emptied
HEARD = 5  # as TELL, and nobody but the `ears` waits for it

# What `offer` returns
QUEUED = 0
REPLACED = 1  # a waiting frame whose sender waits for it has been given up: `replaced`
CONFLICT = 2  # not queued: another node sends this id at the same time
FULL = 3  # not queued

# What the receive queue does with an id; a number above zero keeps the frame and is its tag
DROP = 0
ASK = -1  # the controller's Python is to be asked

# Whom the end of a frame concerns on the sender's side
NOBODY = 0
CALLBACK = 1
QUEUE = 2  # and above: the receive queue gets the end of mailbox `notify - QUEUE`

_INTERMISSION_BITS = 3


@structure
class Calm(Structure):
    """State of an undisturbed bus. Waiting frames stand in columns: place 0 is the one chosen to be sent next or being
    sent (if `end_ns` is not `NEVER_NS`), places 1 to `waiting` are in no order.
    """

    bit_ns: int
    serial: int
    sof_ns: int
    end_ns: int
    cycle_ns: int
    """When a compiled sender is to act next, see `hil.nodes.rounds`; `NEVER_NS`: there is none."""
    next_ns: int
    """The earlier of the two: when there is something to do."""
    idle_ns: int
    busy_ns: int
    waiting: int
    rank: Annotated[Words, c_int64 * (WAITING + 1)]
    number: Annotated[Words, c_int64 * (WAITING + 1)]
    """Serial numbers: equal ranks go out in the order in which they were given."""
    port: Annotated[Words, c_int64 * (WAITING + 1)]
    address: Annotated[Words, c_int64 * (WAITING + 1)]
    length: Annotated[Words, c_int64 * (WAITING + 1)]
    data: Annotated[Words, c_int64 * (WAITING + 1)]
    notify: Annotated[Words, c_int64 * (WAITING + 1)]
    replaced: int
    # the frame that `run` has returned with
    ended_ns: int
    ended_number: int
    ended_port: int
    ended_address: int
    ended_length: int
    ended_data: int
    ended_notify: int
    # who is to be told
    tapped: bool
    ears: Annotated[Words, c_int64 * IDS]
    """Ports with listeners in Python, one bit each, by standard id."""
    # the newest frame of each standard id
    newest_ns: Annotated[Words, c_int64 * IDS]
    newest_length: Annotated[Words, c_int64 * IDS]
    newest_data: Annotated[Words, c_int64 * IDS]
    newest_shortest: Annotated[Words, c_int64 * IDS]
    """A frame with fewer bytes does not become the newest of its id."""
    # the log, records of 24 bytes as in `hil.recording.trace`
    logging: bool
    logged: int
    log: Annotated[Words, c_int64 * (3 * LOG_RECORDS)]
    # the receive queue of one port: time, address | length << 32 | tag << 40 or -1 - mailbox, data
    queue_port: int
    accept: Annotated[Words, c_int64 * IDS]
    queued: int
    heard: int
    """Frames that this port has received in all."""
    sent: int
    """Mailboxes whose frames are through, one bit each."""
    queue: Annotated[Words, c_int64 * (3 * QUEUE_RECORDS)]


at = access(Calm)


@compiled
def _move(line: Calm, source: int, to: int) -> None:
    line.rank[to] = line.rank[source]
    line.number[to] = line.number[source]
    line.port[to] = line.port[source]
    line.address[to] = line.address[source]
    line.length[to] = line.length[source]
    line.data[to] = line.data[source]
    line.notify[to] = line.notify[source]


@compiled
def _begin(line: Calm, sof_ns: int) -> None:
    """Place 0 is to be sent."""
    line.sof_ns = sof_ns
    line.end_ns = sof_ns + frame_length(line.address[0], line.length[0], line.data[0]) * line.bit_ns
    line.next_ns = min(line.end_ns, line.cycle_ns)


@compiled
def offer(
    memory: Any,
    now_ns: int,
    rank: int,
    port: int,
    address: int,
    length: int,
    data: int,
    notify: int,
    latest_only: bool,
) -> int:
    """Queue a frame at `now_ns`; it starts at once on an idle bus. `latest_only`: a waiting frame of the same port and
    id gives way. Counts `serial` up if it was queued. Returns QUEUED, REPLACED, CONFLICT or FULL.
    """
    line = at(memory)
    result = QUEUED
    place = 0
    first = False
    if line.waiting == WAITING:
        return FULL
    if line.end_ns == NEVER_NS:
        first = True
        line.sof_ns = max(now_ns, line.idle_ns)
    elif now_ns <= line.sof_ns and rank < line.rank[0]:
        line.waiting += 1
        _move(line, 0, line.waiting)
        first = True
    elif now_ns <= line.sof_ns and rank == line.rank[0] and port != line.port[0]:
        return CONFLICT
    else:
        if latest_only:
            for older in range(1, line.waiting + 1):
                if line.rank[older] == rank and line.port[older] == port:
                    place = older
                    if line.notify[older] != NOBODY:
                        line.replaced = line.number[older]
                        result = REPLACED
        if place == 0:
            line.waiting += 1
            place = line.waiting
    line.serial += 1
    line.rank[place] = rank
    line.number[place] = line.serial
    line.port[place] = port
    line.address[place] = address
    line.length[place] = length
    line.data[place] = data
    line.notify[place] = notify
    if first:
        _begin(line, line.sof_ns)
    return result


@compiled
def _next(line: Calm) -> bool:
    """Choose who sends next. False: two nodes with the same id are first, and nobody has been chosen."""
    best = 0
    tie = False
    for place in range(1, line.waiting + 1):
        if best == 0 or line.rank[place] < line.rank[best]:
            best, tie = place, False
        elif line.rank[place] == line.rank[best]:
            tie = tie or line.port[place] != line.port[best]
            if line.number[place] < line.number[best]:
                best = place
    line.end_ns, line.next_ns = NEVER_NS, line.cycle_ns
    if best == 0:
        return True
    if tie:
        return False
    _move(line, best, 0)
    if best != line.waiting:
        _move(line, line.waiting, best)
    line.waiting -= 1
    _begin(line, line.idle_ns)
    return True


@compiled
def _record(line: Calm) -> None:
    """The frame that has ended goes into the log and becomes the newest of its id."""
    if line.ended_address < IDS and line.ended_length >= line.newest_shortest[line.ended_address]:
        line.newest_ns[line.ended_address] = line.ended_ns
        line.newest_length[line.ended_address] = line.ended_length
        line.newest_data[line.ended_address] = line.ended_data
    if line.logging:
        at = 3 * line.logged
        line.log[at] = line.ended_ns
        line.log[at + 1] = line.ended_address | line.ended_length << 32 | line.ended_port << 40
        line.log[at + 2] = line.ended_data
        line.logged += 1


@compiled
def _enqueue(line: Calm, what: int, data: int) -> None:
    at = 3 * line.queued
    line.queue[at] = line.ended_ns
    line.queue[at + 1] = what
    line.queue[at + 2] = data
    line.queued += 1


@compiled
def _settle(line: Calm) -> int:
    """Tell those that need no Python. Returns DONE, or TELL or HEARD if somebody does."""
    _record(line)
    port, address, notify = line.ended_port, line.ended_address, line.ended_notify
    python = line.tapped or notify == CALLBACK or address >= IDS
    heard = False
    if address < IDS:
        heard = line.ears[address] & ~(1 << port) != 0
        if line.queue_port >= 0 and port != line.queue_port:
            tag = line.accept[address]
            if tag == ASK:
                python = True
            elif tag != DROP:
                line.heard += 1
                _enqueue(line, address | line.ended_length << 32 | tag << 40, line.ended_data)
    if notify >= QUEUE:
        line.sent |= 1 << (notify - QUEUE)
        _enqueue(line, -1 - (notify - QUEUE), 0)
    return TELL if python else HEARD if heard else DONE


@compiled
def run(memory: Any, limit_ns: int) -> int:
    """Let frames end up to and including `limit_ns`. Returns DONE or why it has returned before, see above."""
    line = at(memory)
    while line.end_ns <= limit_ns:
        if line.logging and line.logged == LOG_RECORDS:
            return LOG_FULL
        if line.queued >= QUEUE_RECORDS - 1:
            return QUEUE_FULL
        now_ns = line.end_ns
        line.ended_ns = now_ns
        line.ended_number = line.number[0]
        line.ended_port = line.port[0]
        line.ended_address = line.address[0]
        line.ended_length = line.length[0]
        line.ended_data = line.data[0]
        line.ended_notify = line.notify[0]
        line.idle_ns = now_ns + _INTERMISSION_BITS * line.bit_ns
        line.busy_ns += line.idle_ns - line.sof_ns
        clear = _next(line)
        told = _settle(line)
        if not clear:
            return COLLISION
        if told != DONE:
            return told
    return DONE


@compiled
def record(memory: Any) -> None:
    """For a frame that has ended on the disturbed bus, whose `ended_` fields Python has filled: log and newest."""
    _record(at(memory))
