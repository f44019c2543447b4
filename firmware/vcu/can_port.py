"""The CAN controller: interrupt to ring on one side, three mailboxes and bus-off on the other.

Facts of `machine.CAN` on bxCAN that shape this file: recv() waits up to 1 ms for an interrupt at each empty FIFO that
it looks into, so the flags are asked first and FIFO 1 is never used; a mailbox whose id is pending refuses a second
frame; mailboxes are few, so a waiting status frame may hold up a command; bus-off ends only by restart(), which drops
what was queued.
"""

from array import array

import micropython
from micropython import const

from vcu.protocol import FILTERS, SCHEDULE, pack

# The ring: records of 16 bytes. Into the first recv() writes; the second has head, tail and the number of lost frames
_FIRST = const(2)
_END = const(34)  # 32 frames; a tick's worth at full bus load fits after the filters
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
_BYTES = const(16)  # of a record; a frame whose DLC says 15 writes as many
_NOW = const(0)  # ticks
_RESTART_AT = const(1)

_len = len
_none = None  # viper compares no object with the constant


class CanPort:
    """`ring`: received frames, as records of identifier (4), length (4) and data (8), from the third one on.

    The interrupt writes it, `receive` reads it. `backlog`: bit i is set while message i of the schedule waits for a
    mailbox.
    """

    def __init__(self, can, signals):
        self.ring = bytearray(_BYTES * _END)
        self.ring[4 * _HEAD] = self.ring[4 * _TAIL] = _FIRST
        self.backlog = 0
        self.bus_offs = 0
        self._s = signals
        self._view = memoryview(self.ring)
        self._frame = [0, self._view, 0, 0]
        self._counters = [0] * 8
        self._can = can
        self._dead = can.STATE_BUS_OFF
        self._recv = can.recv
        self._send = can.send
        self._cancel = can.cancel_send
        self._state = can.state
        self._clock = array("i", (0, 0))
        self._past = array("i", (-_LATCH_TICKS,) * _TIMES)
        self._row = 0
        self._out = bytearray(8 * len(SCHEDULE))
        view = memoryview(self._out)
        self._ids = tuple(entry[1] for entry in SCHEDULE)
        self._buffers = tuple(view[8 * i : 8 * i + 8] for i in range(len(SCHEDULE)))
        self._owner = array("B", (_FREE,) * _MAILBOXES)  # whose frame went into a mailbox last
        # Filters go to FIFO 0 and FIFO 1 by turns; recv() would wait at an empty FIFO 0 for a frame that is in FIFO 1
        can.set_filters([item for wanted in FILTERS for item in (wanted, _NOTHING)])
        self._flags = can.irq(self._on_frame, can.IRQ_RX, True).flags

    @micropython.viper
    def _on_frame(self, _):
        # Hard interrupt, one for each frame: no allocation. Only received frames raise a flag; without one recv() waits
        # A method in a local is called at a third of the cost
        flags = self._flags
        if not int(flags()):
            return
        frame = self._frame
        recv = self._recv
        recv(frame)
        ring = ptr32(self.ring)
        head = ring[_HEAD]
        at = head << 2
        head = head + 1 if head < _END - 1 else _FIRST
        if head == ring[_TAIL]:
            if ring[_DROPPED] < 255:
                ring[_DROPPED] = ring[_DROPPED] + 1
            return
        # Flags are not looked at: no extended frame passes the filters, and a remote one reads as zeros: no CRC fits
        ring[at] = int(frame[0])
        ring[at + 1] = int(_len(self._view))
        ring[at + 2] = ring[0]
        ring[at + 3] = ring[1]
        ring[_HEAD] = head

    @micropython.viper
    def step(self):
        """Once a tick, before anything is received: bus-off (SF-07)."""
        s = ptr32(self._s)
        clock = ptr32(self._clock)
        s[_CAN_RAN] = 1
        now = clock[_NOW]
        now = now + 1 if now < _LONG else 0
        clock[_NOW] = now
        if not s[_BUS_OFF]:
            state = self._state
            if int(state()) == int(self._dead):
                self._lost(now)
        elif now >= clock[_RESTART_AT]:
            self._can.restart()
            s[_BUS_OFF] = 0

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
        self._clock[_RESTART_AT] = now + _WAIT[self._row]
        if self._row < _TIMES - 1:
            self._row += 1
        self.backlog = 0
        for i in range(_MAILBOXES):
            self._owner[i] = _FREE

    def count(self):
        """Bring the signal `overruns` up to date: frames lost in the controller or in the ring."""
        overruns = self._can.get_counters(self._counters)[7] + self.ring[4 * _DROPPED]
        self._s[_OVERRUNS] = overruns if overruns < 255 else 255

    def transmit(self, ready):
        """Encode the messages whose bits are set, then send what waits."""
        if self._s[_BUS_OFF]:
            return
        self.backlog |= ready
        pack(ready, self._out)
        self.flush()

    @micropython.viper
    def flush(self):
        """Send waiting frames, the most urgent first, as far as mailboxes are free; the others go on waiting."""
        send = self._send
        buffers = self._buffers
        ids = self._ids
        owner = ptr8(self._owner)
        none = _none
        backlog = int(self.backlog)
        i = 0
        while backlog >> i:
            if backlog >> i & 1:
                mailbox = send(ids[i], buffers[i])
                if mailbox is none and i < _COMMANDS:
                    backlog |= int(self._make_room(i))
                    mailbox = send(ids[i], buffers[i])
                if mailbox is none:
                    self.backlog = backlog
                    return
                owner[int(mailbox)] = i
                backlog ^= 1 << i
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
