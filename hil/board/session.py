"""One life of the firmware: the interpreter's process in lock-step with the bench.

The interpreter asks to be woken at a board time and gives the outputs of the wake-up that just ended. The bench runs
up to that time, collecting what happens to the board, and answers with it. In steady state that is one pipe round trip
a tick.

Frames that come in between are replayed by the interpreter after the fact, interrupts at their own times. That is
exact as long as nothing is sent because of them. So an identifier is delivered at once ("eager") until it has come
`QUIET` times in a row without an output following; should an output come out of the past all the same, it takes effect
in the present, is counted in `late_outputs`, and the identifiers concerned are eager again.
"""

from collections.abc import Callable

from hil.board.bxcan import BxCan
from hil.board.clock import BoardClock
from hil.board.events import EventQueue
from hil.board.process import BoardProcess, Ended, Silent
from hil.board.wire import (
    BLOCK_BYTES,
    EVENT,
    EVENTS_PER_BLOCK,
    NEVER_US,
    OUTPUT,
    REPLY,
    REQUEST,
    Event,
    Op,
)
from hil.bus import Frame
from hil.kernel import Kernel

QUIET = 20
WINDOW_NS = 10_000_000
"""No event waits longer than this for its delivery, whatever the board sleeps."""
IDLE_NS = 1_000_000_000

_TX_KEY = -1
_pack = EVENT.pack
_BLOCK_TAIL = bytes(BLOCK_BYTES)
_BLOCK_EVENT_BYTES = EVENTS_PER_BLOCK * EVENT.size


def _time(outputs: bytes, at: int) -> bytes:
    """Board time in us of the output that starts there, as it stands on the wire."""
    return outputs[at + 8 : at + 16]


def _time_us(outputs: bytes, at: int) -> int:
    """The same as a number."""
    return int.from_bytes(_time(outputs, at), "little")


class _Group:
    """Outputs that take effect at one time."""

    __slots__ = ("interrupts", "outputs", "time_ns")

    def __init__(self, time_ns: int, interrupts: int, outputs: bytes) -> None:
        self.time_ns = time_ns
        self.interrupts = interrupts
        """Interrupts before it was computed: each later one takes the processor away and delays the outputs."""
        self.outputs = outputs


class Session:
    """Drives one process.

    `apply(outputs)` is called with outputs (`wire.OUTPUT`) when they take effect; `on_text(bytes)` for what the board
    printed; `on_end(op | None, status)` once, when the board resets itself, is hung (None, -1) or its interpreter has
    ended (None, exit status).
    """

    def __init__(
        self,
        kernel: Kernel,
        clock: BoardClock,
        process: BoardProcess,
        can: BxCan,
        rx_cost_us: int,
        apply: Callable[[bytes], None],
        on_text: Callable[[bytes], None],
        on_end: Callable[[Op | None, int], None],
    ) -> None:
        self.kernel = kernel
        self.clock = clock
        self.process = process
        self.late_outputs = 0
        self.round_trips = 0
        self._rx_cost_ns = rx_cost_us * 1000
        self._apply = apply
        self._on_text = on_text
        self._on_end = on_end
        self._can = can
        self._kept = EventQueue(can.port.home.calm)
        self._events = bytearray()
        self._eager_id: int | None = None
        self._quiet: dict[int, int] = {}
        self._groups: list[_Group] = []
        self._base_ns = clock.start_ns
        self._horizon_us = 0
        self._wake_ns = -1
        self._asked_ns = 0
        self._delivered: bytes | memoryview = b""
        self._over = False
        self._wake_action = self._wake

    # --- what happens to the board ---

    def receive(self, fifo: int, frame: Frame) -> bool:
        """A frame went into a receive FIFO. False: it is quiet, the bus may keep the next ones."""
        can_id, data, is_extended, is_remote = frame
        self._add(Event.RX, fifo, len(data), is_extended << 1 | is_remote, can_id, data)
        return self._wait_for(can_id)

    def receive_raw(self, fifo: int, can_id: int, dlc: int, data: bytes) -> None:
        """A frame with a DLC up to 15, which `Frame` does not know; it has 8 bytes all the same."""
        for group in self._groups:
            group.interrupts -= 1
        self._add(Event.RX, fifo, dlc, 0, can_id, data)
        self._deliver()

    def transmitted(self, mailbox: int, ok: bool) -> bool:
        """A mailbox has completed its request. False as for `receive`."""
        self._add(Event.TX_DONE, mailbox, ok)
        return self._wait_for(_TX_KEY)

    def _wait_for(self, key: int) -> bool:
        """Deliver at once what may make the firmware send something."""
        if self._quiet.get(key, 0) >= QUIET:
            return False
        self._eager_id = key
        self._deliver()
        return True

    def tell(self, event: Event, a: int = 0, b: int = 0, c: int = 0, ident: int = 0, *, at_once: bool = True) -> None:
        """Any other event; `at_once` wakes the board."""
        self._add(event, a, b, c, ident)
        if at_once:
            self._deliver()

    def _add(self, event: int, a: int, b: int = 0, c: int = 0, ident: int = 0, data: bytes = b"") -> None:
        self.collect()
        self._events += _pack(event, a, b, c, self.kernel.now_ns - self._base_ns, ident, 0, data)

    def collect(self) -> None:
        """Take over what the bus kept."""
        self._events += self._kept.take(self._base_ns)

    # --- lock-step ---

    def start(self) -> None:
        """Take the board's first request."""
        self._serve()

    def close(self) -> None:
        """End the process; outputs still on their way are lost."""
        self._over = True
        self._groups.clear()
        self.process.kill()
        self._take_text()

    def _wake_at(self, time_ns: int) -> None:
        self._wake_ns = time_ns
        self.kernel.at(time_ns, self._wake_action)

    def _wake(self) -> None:
        now_ns = self.kernel.now_ns
        if self._over or not 0 <= self._wake_ns <= now_ns:
            return
        if now_ns < self._asked_ns and not self._events and not len(self._kept) and self._eager_id is None:
            self._wake_at(min(self._asked_ns, now_ns + WINDOW_NS))
        else:
            self._reply()

    def _deliver(self) -> None:
        # Not from inside the bus's or a node's own action: as the next event of this instant.
        if self._wake_ns > self.kernel.now_ns:
            self._wake_at(self.kernel.now_ns)

    def _reply(self) -> None:
        self._wake_ns = -1
        now_ns = self.kernel.now_ns
        base_us = self._horizon_us
        self._horizon_us = horizon_us = self.clock.board_us(now_ns)
        if not self._events and len(self._kept) <= EVENTS_PER_BLOCK:
            reply: bytes | memoryview
            reply, self._delivered = self._kept.reply(self._base_ns, base_us, horizon_us)
        else:
            self.collect()
            reply = self._in_blocks(base_us, horizon_us)
        self._base_ns = now_ns
        self.round_trips += 1
        self.process.write_reply(reply)
        self._serve()

    def _in_blocks(self, base_us: int, horizon_us: int) -> bytes:
        """The reply with the collected events, however many."""
        self._delivered = events = bytes(self._events)
        self._events.clear()
        blocks = b""
        for first in range(0, len(events) or 1, _BLOCK_EVENT_BYTES):
            part = events[first : first + _BLOCK_EVENT_BYTES]
            more = first + _BLOCK_EVENT_BYTES < len(events)
            block = REPLY.pack(len(part) // EVENT.size, more, base_us, horizon_us) + part
            blocks += block + _BLOCK_TAIL[len(block) :]
        return blocks

    def _serve(self) -> None:
        while True:
            try:
                request = self.process.read_request()
            except Silent:
                self._end(None, -1)
                return
            except Ended as end:
                self._end(None, end.args[0])
                return
            at = 0
            op = Op.MORE
            wake_us = 0
            outputs = b""
            while at < len(request):
                op, count, wake_us, _ = REQUEST.unpack_from(request, at)
                at += REQUEST.size
                if count:
                    outputs += request[at : at + count * OUTPUT.size]
                    at += count * OUTPUT.size
            if self.process.printed:
                self._take_text()
            self._learn(outputs)
            if outputs:
                self._schedule(outputs)
            if op == Op.MORE:
                continue
            if op != Op.WAIT:
                self._end(Op(op), 0, self.clock.bench_ns(wake_us))
                return
            now_ns = self.kernel.now_ns
            wake_ns = self.clock.bench_ns(wake_us) if wake_us < NEVER_US else now_ns + IDLE_NS
            self._asked_ns = wake_ns = wake_ns if wake_ns > now_ns else now_ns
            self._wake_at(wake_ns if wake_ns < now_ns + WINDOW_NS else now_ns + WINDOW_NS)
            return

    def _learn(self, outputs: bytes) -> None:
        eager = self._eager_id
        if eager is not None:
            self._quiet[eager] = 0 if outputs else self._quiet.get(eager, 0) + 1
            self._eager_id = None
        if outputs and _time_us(outputs, 0) < self._horizon_us:
            self.late_outputs += 1
            for kind, _, _, _, _, can_id, _, _ in EVENT.iter_unpack(self._delivered):
                if kind == Event.RX:
                    self._quiet[can_id] = 0
                    self._can.ask(can_id)
                elif kind == Event.TX_DONE:
                    self._quiet[_TX_KEY] = 0
                    self._can.ask(None)

    def _schedule(self, outputs: bytes) -> None:
        now_ns = self.kernel.now_ns
        first = 0
        while first < len(outputs):  # they come in the order of their times
            time = _time(outputs, first)
            last = len(outputs)
            while _time(outputs, last - OUTPUT.size) != time:
                last -= OUTPUT.size
            due_ns = self.clock.bench_ns(int.from_bytes(time, "little"))
            group = _Group(due_ns if due_ns > now_ns else now_ns, self._can.interrupts, outputs[first:last])
            self._groups.append(group)
            self._arm(group)
            first = last

    def _arm(self, group: _Group) -> None:
        def effect() -> None:
            if self._over:
                return
            interrupts = self._can.interrupts
            if interrupts != group.interrupts:
                group.time_ns += (interrupts - group.interrupts) * self._rx_cost_ns
                group.interrupts = interrupts
                self._arm(group)
                return
            self._groups.remove(group)
            self._apply(group.outputs)

        self.kernel.at(group.time_ns, effect)

    def _take_text(self) -> None:
        text = bytes(self.process.printed)
        if text:
            self.process.printed.clear()
            self._on_text(text)

    def _end(self, op: Op | None, status: int, time_ns: int = 0) -> None:
        # A reset comes after the outputs that were made before it; what is late for it is lost.
        self._wake_ns = -1
        self.process.kill()
        self._take_text()
        if op is None:
            self._over = True
            self._on_end(op, status)
            return

        def reset() -> None:
            if not self._over:
                self._over = True
                self._on_end(op, status)

        self.kernel.at(max(time_ns, self.kernel.now_ns), reset)
