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
from contextlib import suppress

from hil.board.clock import BoardClock
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

Output = tuple[int, int, int, int, int, int, bytes]
"""kind, a, length, flags, ident, board time in us, data"""
_TX_KEY = -1
_pack = EVENT.pack
_BLOCK_TAIL = bytes(BLOCK_BYTES)


class _Group:
    """Outputs that take effect at one time."""

    __slots__ = ("outputs", "time_ns")

    def __init__(self, time_ns: int) -> None:
        self.time_ns = time_ns
        self.outputs: list[Output] = []


class Session:
    """Drives one process. `apply(output)` is called for each output at the bench time at which it takes effect;
    `on_text(bytes)` for what the board printed; `on_end(op | None, status)` once, when the board resets itself, is hung
    (None, -1) or its interpreter has ended (None, exit status).
    """

    def __init__(
        self,
        kernel: Kernel,
        clock: BoardClock,
        process: BoardProcess,
        rx_cost_us: int,
        apply: Callable[[Output], None],
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
        self._events: list[bytes] = []
        self._ids: list[int] = []
        self._eager_id: int | None = None
        self._quiet: dict[int, int] = {}
        self._groups: list[_Group] = []
        self._base_ns = clock.start_ns
        self._horizon_us = 0
        self._wake_ns = -1
        self._over = False
        self._wake_action = self._wake

    # --- what happens to the board ---

    def receive(self, fifo: int, frame: Frame) -> None:
        """A frame went into a receive FIFO."""
        if self._groups:
            self._count_interrupt()
        can_id, data, is_extended, is_remote = frame
        events = self._events
        now_ns = self.kernel.now_ns
        if not events and self._wake_ns > now_ns + WINDOW_NS:
            self._wake_at(now_ns + WINDOW_NS)
        events.append(_pack(1, fifo, len(data), is_extended << 1 | is_remote, now_ns - self._base_ns, can_id, 0, data))
        if self._quiet.get(can_id, 0) < QUIET:
            self._eager_id = can_id
            self._deliver()
        else:
            self._ids.append(can_id)

    def receive_raw(self, fifo: int, can_id: int, dlc: int, data: bytes) -> None:
        """A frame with a DLC up to 15, which `Frame` does not know; it has 8 bytes all the same."""
        self._count_interrupt()
        self._add(Event.RX, fifo, dlc, 0, can_id, data)
        self._deliver()

    def transmitted(self, mailbox: int, ok: bool) -> None:
        """A mailbox has completed its request."""
        self._add(Event.TX_DONE, mailbox, ok)
        if self._quiet.get(_TX_KEY, 0) < QUIET:
            self._eager_id = _TX_KEY
            self._deliver()
        else:
            self._ids.append(_TX_KEY)

    def tell(self, event: Event, a: int = 0, b: int = 0, c: int = 0, ident: int = 0, *, at_once: bool = True) -> None:
        """Any other event; `at_once` wakes the board."""
        self._add(event, a, b, c, ident)
        if at_once:
            self._deliver()

    def _count_interrupt(self) -> None:
        # An interrupt takes the processor away from whatever computes: its outputs come later.
        for group in self._groups:
            group.time_ns += self._rx_cost_ns

    def _add(self, event: int, a: int, b: int = 0, c: int = 0, ident: int = 0, data: bytes = b"") -> None:
        now_ns = self.kernel.now_ns
        if not self._events and self._wake_ns > now_ns + WINDOW_NS:
            self._wake_at(now_ns + WINDOW_NS)
        self._events.append(_pack(event, a, b, c, now_ns - self._base_ns, ident, 0, data))

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
        if not self._over and self.kernel.now_ns >= self._wake_ns >= 0:
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
        events = self._events
        count = len(events)
        if count <= EVENTS_PER_BLOCK:
            block = REPLY.pack(count, 0, base_us, horizon_us) + b"".join(events)
            blocks = block + _BLOCK_TAIL[len(block) :]
        else:
            blocks = b""
            for first in range(0, count, EVENTS_PER_BLOCK):
                part = events[first : first + EVENTS_PER_BLOCK]
                more = first + EVENTS_PER_BLOCK < count
                block = REPLY.pack(len(part), more, base_us, horizon_us) + b"".join(part)
                blocks += block + _BLOCK_TAIL[len(block) :]
        events.clear()
        self._base_ns = now_ns
        self.round_trips += 1
        with suppress(BrokenPipeError):  # it ended by itself; the reading end tells
            self.process.write_reply(blocks)
        self._serve()

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
            outputs: list[Output] = []
            while at < len(request):
                op, count, wake_us, _ = REQUEST.unpack_from(request, at)
                at += REQUEST.size
                if count:
                    outputs += OUTPUT.iter_unpack(request[at : at + count * OUTPUT.size])
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
            self._wake_at(wake_ns if wake_ns > now_ns else now_ns)
            return

    def _learn(self, outputs: list[Output]) -> None:
        eager = self._eager_id
        if eager is not None:
            self._quiet[eager] = 0 if outputs else self._quiet.get(eager, 0) + 1
            self._eager_id = None
        if outputs and outputs[0][5] < self._horizon_us:
            self.late_outputs += 1
            for can_id in self._ids:
                self._quiet[can_id] = 0
        self._ids.clear()

    def _schedule(self, outputs: list[Output]) -> None:
        now_ns = self.kernel.now_ns
        group: _Group | None = None
        time_us = -1
        for output in outputs:
            if group is None or output[5] != time_us:
                time_us = output[5]
                group = _Group(max(now_ns, self.clock.bench_ns(time_us)))
                self._groups.append(group)
                self._arm(group)
            group.outputs.append(output)

    def _arm(self, group: _Group) -> None:
        def effect() -> None:
            if self._over:
                return
            if self.kernel.now_ns < group.time_ns:
                self._arm(group)
                return
            self._groups.remove(group)
            for output in group.outputs:
                self._apply(output)

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
