"""The CAN controller: interrupt to ring on one side, three mailboxes and bus-off on the other.

Facts of `machine.CAN` on bxCAN that shape this file: recv() waits up to 1 ms for an interrupt at each empty FIFO that
it looks into, so the flags are asked first and FIFO 1 is never used; a mailbox whose id is pending refuses a second
frame; mailboxes are few, so a waiting status frame may hold up a command; bus-off ends only by restart(), which drops
what was queued.
"""

from array import array

from micropython import const

from vcu import protocol

_RING = const(32)  # frames; a tick's worth at full bus load fits after the filters
_COMMANDS = const(2)  # the first two of the schedule are the torque commands
_MAILBOXES = const(3)
_FREE = const(-1)
_LATCH_TICKS = const(1000)  # SF-07: three in 10 s
_TIMES = const(3)
_WAIT = b"\x0a\x14\x28"  # ticks to a restart: 100, 200, 400 ms
_NOTHING = (0x1FFF_FFFF, 0x1FFF_FFFF, 2)  # an extended identifier that nobody sends
_BYTES = const(16)  # a frame whose DLC says 15 writes as many


class CanPort:
    """`frames`, `head`, `tail`: ring of [id, data, flags, errors], written by the interrupt, read by `receive`.

    `bus_off`: silent until the restart. `rearming`: since then the units have not yet proved themselves.
    """

    def __init__(self, can):
        self.frames = [[0, memoryview(bytearray(_BYTES)), 0, 0] for _ in range(_RING)]
        self.head = 0
        self.tail = 0
        self.ring_overruns = 0
        self.overruns = 0
        self.bus_off = False
        self.bus_offs = 0
        self.rearming = False
        self.gave_up = False
        self.backlog = 0
        self.ran = False
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
        self._ids = array("H", (entry[1] for entry in protocol.SCHEDULE))
        self._buffers = [bytearray(8) for _ in protocol.SCHEDULE]
        self._owner = array("b", (_FREE,) * _MAILBOXES)  # whose frame went into a mailbox last
        # Filters go to FIFO 0 and FIFO 1 by turns; recv() would wait at an empty FIFO 0 for a frame that is in FIFO 1
        can.set_filters([item for wanted in protocol.FILTERS for item in (wanted, _NOTHING)])
        self._flags = can.irq(self._on_frame, can.IRQ_RX, True).flags

    def _on_frame(self, _):
        # Hard interrupt: no allocation, straight into the ring
        flags = self._flags
        rx = self._rx
        while flags() & rx:
            head = self.head
            self._recv(self.frames[head])
            head = (head + 1) % _RING
            if head != self.tail:
                self.head = head
            elif self.ring_overruns < 255:
                self.ring_overruns += 1

    def step(self):
        """Once a tick, before anything is received: bus-off (SF-07)."""
        self.ran = True
        now = self._now = self._now + 1 if self._now < 1 << 29 else 0
        if not self.bus_off:
            if self._state() == self._dead:
                self._lost(now)
        elif now >= self._restart_at:
            self._can.restart()
            self.bus_off = False

    def _lost(self, now):
        self.bus_off = self.rearming = True
        if self.bus_offs < 15:
            self.bus_offs += 1
        past = self._past
        if now - past[2] >= _LATCH_TICKS:
            self._row = 0
        if now - past[1] < _LATCH_TICKS:
            self.gave_up = True
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
        """Bring `overruns` up to date: frames lost in the controller or in the ring."""
        counters = self._can.get_counters(self._counters)
        overruns = counters[7] + self.ring_overruns
        self.overruns = overruns if overruns < 255 else 255

    def transmit(self, ready):
        """Encode the messages whose bits are set, in the order of the schedule, then send what waits."""
        if self.bus_off:
            return
        backlog = self.backlog | ready
        i = 0
        while ready:
            if ready & 1:
                protocol.pack(protocol.RECEIVED + i, self._buffers[i])
            ready >>= 1
            i += 1
        self.backlog = backlog
        self.flush()

    def flush(self):
        """Send waiting frames, the most urgent first, as far as mailboxes are free; the others go on waiting."""
        send = self._send
        backlog = self.backlog
        owner = self._owner
        i = 0
        while backlog >> i:
            if backlog >> i & 1:
                mailbox = send(self._ids[i], self._buffers[i])
                if mailbox is None and i < _COMMANDS:
                    backlog |= self._make_room(i)
                    mailbox = send(self._ids[i], self._buffers[i])
                if mailbox is None:
                    break
                owner[mailbox] = i
                backlog &= ~(1 << i)
            i += 1
        self.backlog = backlog

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
            if lesser >= _COMMANDS:
                owner[mailbox] = _FREE
                return 1 << lesser if self._cancel(mailbox) else 0
        return 0
