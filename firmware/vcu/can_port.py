"""The CAN controller: interrupt to ring on one side, three mailboxes and bus-off on the other.

Facts of `machine.CAN` on bxCAN that shape this file: recv() waits up to 1 ms for an interrupt at each empty FIFO that
it looks into, so only the interrupt calls it, which comes with a frame there and not without, and FIFO 1 is never used;
a mailbox whose id is pending refuses a second frame; mailboxes are few, so a waiting status frame may hold up a
command; bus-off ends only by restart(), which drops what was queued.
"""

from array import array

import micropython
from micropython import const
from uctypes import addressof

from vcu.protocol import FILTERS, SCHEDULE, pack

# The ring: records of 16 bytes. Into the first recv() writes; the second has head and tail (bytes from the ring's
# begin) and the number of lost frames
_RECORD = const(16)
_FIRST = const(32)
_END = const(544)  # 32 frames; a tick's worth at full bus load fits after the filters
_HEAD = const(4)  # words
_TAIL = const(5)
_DROPPED = const(6)
_COMMANDS = const(2)  # the first two of the schedule are the torque commands
_MAILBOXES = const(3)
_FREE = const(255)
_LATCH_TICKS = const(1000)  # SF-07: three in 10 s
_TIMES = const(3)
_WAIT = b"\x0a\x14\x28"  # ticks to a restart: 100, 200, 400 ms
_NOTHING = (0x1FFF_FFFF, 0x1FFF_FFFF, 2)  # an extended identifier that nobody sends
_LONG = const(1 << 29)
_CAN_RAN = const(85)  # sig: can_ran
_BUS_OFF = const(5)  # sig: bus_off
_REARMING = const(6)  # sig: rearming
_GAVE_UP = const(7)  # sig: gave_up
_OVERRUNS = const(8)  # sig: overruns
_BUS_OFFS = const(111)  # sig: bus_offs
_LOST = const(7)  # of the controller's counters
# In `work`
_NOW = const(0)  # ticks
_RESTART_AT = const(1)
_BACKLOG = const(2)  # bit i is set while message i of the schedule waits for a mailbox


def _receiver(recv, frame, ring):
    # A closure's name is there at once, an attribute or a global one is looked up. One name: what a call puts together
    # of closed-over names and arguments must not be more than five, or it allocates
    parts = (recv, frame, frame[1], len, addressof(ring))

    @micropython.viper
    def on_frame(_):
        # Hard interrupt, one for each frame: no allocation
        receive, into, data, length, address = parts
        if not receive(into):
            return
        at = int(address)
        words = ptr32(at)
        head = words[_HEAD]
        if head == words[_TAIL]:
            # An empty ring begins anew: the frames of a tick lie in one piece
            head = _FIRST
            words[_TAIL] = head
        record = ptr32(at + head)
        head = head + _RECORD
        if head == _END:
            head = _FIRST
        if head == words[_TAIL]:
            if words[_DROPPED] < 255:
                words[_DROPPED] = words[_DROPPED] + 1
            return
        # Flags are not looked at: no extended frame passes the filters, and a remote one reads as zeros: no CRC fits
        record[0] = int(into[0])
        record[1] = int(length(data))
        record[2] = words[0]
        record[3] = words[1]
        words[_HEAD] = head

    return on_frame


class CanPort:
    """`ring`: received frames, as records of identifier (4), length (4) and data (8), from the third one on.

    The interrupt writes it, `receive` reads it. `work`: words, of which `_BACKLOG` tells which frames wait.
    """

    def __init__(self, can, signals):
        self.ring = bytearray(_END)
        self.ring[4 * _HEAD] = self.ring[4 * _TAIL] = _FIRST
        self.work = array("i", (0, 0, 0))
        self._s = signals
        self._can = can
        self._cancel = can.cancel_send
        self._past = array("i", (-_LATCH_TICKS,) * _TIMES)
        self._row = 0
        out = bytearray(8 * len(SCHEDULE))
        view = memoryview(out)
        self._owner = array("B", (_FREE,) * _MAILBOXES)  # whose frame went into a mailbox last
        # One attribute is looked up instead of each
        self._watched = (signals, self.work, can.state, can.STATE_BUS_OFF)
        self._counted = (signals, self.ring, can.get_counters, [0] * 8)
        frames = tuple((SCHEDULE[i][1], view[8 * i : 8 * i + 8]) for i in range(len(SCHEDULE)))
        # viper compares no object with the constant None
        self._sending = (signals, self.work, self._owner, pack, out, can.send, frames, None)
        # Filters go to FIFO 0 and FIFO 1 by turns; recv() would wait at an empty FIFO 0 for a frame that is in FIFO 1
        can.set_filters([item for wanted in FILTERS for item in (wanted, _NOTHING)])
        self._frame = [0, memoryview(self.ring), 0, 0]
        can.irq(_receiver(can.recv, self._frame, self.ring), can.IRQ_RX, True)

    @micropython.viper
    def step(self):
        """Once a tick, before anything is received: bus-off (SF-07)."""
        signals, words, state, dead = self._watched
        s = ptr32(signals)
        work = ptr32(words)
        s[_CAN_RAN] = 1
        now = work[_NOW]
        now = now + 1 if now < _LONG else 0
        work[_NOW] = now
        if not s[_BUS_OFF]:
            if int(state()) == int(dead):
                self._lost(now)
        elif now >= work[_RESTART_AT]:
            self._can.restart()
            s[_BUS_OFF] = 0

    def _lost(self, now):
        s = self._s
        s[_BUS_OFF] = s[_REARMING] = 1
        if s[_BUS_OFFS] < 15:
            s[_BUS_OFFS] += 1
        past = self._past
        if now - past[2] >= _LATCH_TICKS:
            self._row = 0
        if now - past[1] < _LATCH_TICKS:
            s[_GAVE_UP] = 1
        past[0] = past[1]
        past[1] = past[2]
        past[2] = now
        self.work[_RESTART_AT] = now + _WAIT[self._row]
        if self._row < _TIMES - 1:
            self._row += 1
        self.work[_BACKLOG] = 0
        for i in range(_MAILBOXES):
            self._owner[i] = _FREE

    @micropython.viper
    def count(self):
        """Bring the signal `overruns` up to date: frames lost in the controller or in the ring."""
        signals, ring, get_counters, counters = self._counted
        get_counters(counters)
        overruns = int(counters[_LOST]) + ptr32(ring)[_DROPPED]
        ptr32(signals)[_OVERRUNS] = overruns if overruns < 255 else 255

    @micropython.viper
    def transmit(self, ready: int):
        """Encode the messages whose bits are set, then send what waits, the most urgent first, as far as mailboxes are
        free; the others go on waiting.
        """
        signals, words, owners, encode, out, send, frames, none = self._sending
        work = ptr32(words)
        owner = ptr8(owners)
        if ptr32(signals)[_BUS_OFF]:
            return
        if ready:
            encode(ready, out)
        backlog = work[_BACKLOG] | ready
        i = 0
        while backlog >> i:
            if backlog >> i & 1:
                can_id, data = frames[i]
                mailbox = send(can_id, data)
                if mailbox is none:
                    if i < _COMMANDS:
                        backlog |= int(self._make_room(i))
                        mailbox = send(can_id, data)
                    if mailbox is none:
                        work[_BACKLOG] = backlog
                        return
                owner[int(mailbox)] = i
                backlog ^= 1 << i
            i += 1
        work[_BACKLOG] = 0

    def _make_room(self, i):
        # For a command: its own old one is void; else a lesser frame steps back and waits. Returns that one's bit.
        owner = self._owner
        for mailbox in range(_MAILBOXES):
            if owner[mailbox] == i:
                self._cancel(mailbox)
                owner[mailbox] = _FREE
                return 0
        for mailbox in range(_MAILBOXES):
            lesser = owner[mailbox]
            if _COMMANDS <= lesser < _FREE:
                owner[mailbox] = _FREE
                return 1 << lesser if self._cancel(mailbox) else 0
        return 0
