"""The CAN controller: interrupt to ring on one side, three mailboxes and bus-off on the other.

Facts of `machine.CAN` on bxCAN that shape this file: recv() waits up to 1 ms for an interrupt at each empty FIFO that
it looks into, so the flags are asked first and FIFO 1 is never used; a mailbox whose id is pending refuses a second
frame; mailboxes are few, so a waiting status frame may hold up a command; bus-off ends only by restart(), which drops
what was queued.
"""

from array import array

import micropython
from micropython import const

from vcu.protocol import FILTERS, RECEIVED, SCHEDULE, pack

_RING = const(32)  # frames; a tick's worth at full bus load fits after the filters
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
_BYTES = const(16)  # a frame whose DLC says 15 writes as many


@micropython.viper
def _encode(buffers, ready: int):
    i = int(RECEIVED)
    at = 0
    while ready:
        if ready & 1:
            pack(i, buffers[at])
        ready >>= 1
        i += 1
        at += 1


class CanPort:
    """`frames`, `head`, `tail`: ring of [id, data, flags, errors], written by the interrupt, read by `receive`.

    `backlog`: bit i is set while message i of the schedule waits for a mailbox.
    """

    def __init__(self, can, signals):
        self.frames = [[0, memoryview(bytearray(_BYTES)), 0, 0] for _ in range(_RING)]
        self.head = 0
        self.tail = 0
        self.backlog = 0
        self.bus_offs = 0
        self._s = signals
        self._dropped = 0
        self._counters = [0] * 8
        self._can = can
        self._rx = can.IRQ_RX
        self._dead = can.STATE_BUS_OFF
        self._recv = can.recv
        self._send = can.send
        self._cancel = can.cancel_send
        self._state = can.state
        self._now = 0
        self._restart_at = 0
        self._past = array("i", (-_LATCH_TICKS,) * _TIMES)
        self._row = 0
        self._ids = array("H", (entry[1] for entry in SCHEDULE))
        self._buffers = [bytearray(8) for _ in SCHEDULE]
        self._owner = array("B", (_FREE,) * _MAILBOXES)  # whose frame went into a mailbox last
        # Filters go to FIFO 0 and FIFO 1 by turns; recv() would wait at an empty FIFO 0 for a frame that is in FIFO 1
        can.set_filters([item for wanted in FILTERS for item in (wanted, _NOTHING)])
        self._flags = can.irq(self._on_frame, can.IRQ_RX, True).flags

    @micropython.viper
    def _on_frame(self, _):
        # Hard interrupt: no allocation, straight into the ring
        flags = self._flags
        rx = int(self._rx)
        while int(flags()) & rx:
            head = int(self.head)
            self._recv(self.frames[head])
            head = (head + 1) & (_RING - 1)
            if head != int(self.tail):
                self.head = head
            elif int(self._dropped) < 255:
                self._dropped = int(self._dropped) + 1

    @micropython.native
    def step(self):
        """Once a tick, before anything is received: bus-off (SF-07)."""
        self._s[_CAN_RAN] = 1
        self._now = now = self._now + 1 if self._now < _LONG else 0
        if not self._s[_BUS_OFF]:
            if self._state() == self._dead:
                self._lost(now)
        elif now >= self._restart_at:
            self._can.restart()
            self._s[_BUS_OFF] = 0

    def _lost(self, now):
        s = self._s
        s[_BUS_OFF] = s[_REARMING] = 1
        if self.bus_offs < 15:
            self.bus_offs += 1
        past = self._past
        if now - past[2] >= _LATCH_TICKS:
            self._row = 0
        if now - past[1] < _LATCH_TICKS:
            s[_GAVE_UP] = 1
        past[0] = past[1]
        past[1] = past[2]
        past[2] = now
        self._restart_at = now + _WAIT[self._row]
        if self._row < _TIMES - 1:
            self._row += 1
        self.backlog = 0
        for i in range(_MAILBOXES):
            self._owner[i] = _FREE

    def count(self):
        """Bring the signal `overruns` up to date: frames lost in the controller or in the ring."""
        overruns = self._can.get_counters(self._counters)[7] + self._dropped
        self._s[_OVERRUNS] = overruns if overruns < 255 else 255

    def transmit(self, ready):
        """Encode the messages whose bits are set, then send what waits."""
        if self._s[_BUS_OFF]:
            return
        self.backlog |= ready
        _encode(self._buffers, ready)
        self.flush()

    @micropython.native
    def flush(self):
        """Send waiting frames, the most urgent first, as far as mailboxes are free; the others go on waiting."""
        send = self._send
        buffers = self._buffers
        ids = self._ids
        owner = self._owner
        backlog = self.backlog
        i = 0
        while backlog >> i:
            if backlog >> i & 1:
                mailbox = send(ids[i], buffers[i])
                if mailbox is None and i < _COMMANDS:
                    backlog |= self._make_room(i)
                    mailbox = send(ids[i], buffers[i])
                if mailbox is None:
                    self.backlog = backlog
                    return
                owner[mailbox] = i
                backlog &= ~(1 << i)
            i += 1
        self.backlog = 0

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
