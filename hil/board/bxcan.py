"""The board's CAN controller (bxCAN of the STM32F405) as the bus sees it: mailboxes, filters, modes, error state.

The receive FIFOs and the driver's bookkeeping are on the other side of the wire (`mpy/_vb_can.py`), where the
firmware's interrupts read them in the right order. Here are the three transmit mailboxes, which take part in
arbitration by identifier (TXFP = 0, lowest mailbox first among equals), and the 14 filter banks in 32-bit mask mode,
odd ones to FIFO 1.
"""

from collections.abc import Callable
from enum import IntEnum
from functools import partial

from hil.board.mailboxes import MAILBOXES, OUTPUT_BYTES, OUTPUTS, Mailboxes, send_plain
from hil.bus import ErrorState, Frame, Port
from hil.bus.bits import frame_bits
from hil.bus.calm import ASK, DROP, IDS, QUEUE
from hil.bus.frame import frame_of
from hil.kernel import Kernel
from hil.native import memory

_NO_BOXES = [None] * MAILBOXES
FLAG_RTR = 1
FLAG_EXT_ID = 2
RESTART_BITS = 11
"""Recessive bits before the controller leaves its initialisation mode (RM0090, 32.4.1)."""

_EXTENDED = 1 << 31
_REMOTE = 1 << 30


class Mode(IntEnum):
    """Values of machine.CAN's modes. SLEEP is silent mode on this hardware."""

    NORMAL = 0
    SLEEP = 1
    LOOPBACK = 2
    SILENT = 3
    SILENT_LOOPBACK = 4


class BxCan:
    """One controller on a `Port`.

    `on_receive(fifo, frame)`, `on_done(mailbox, ok)`, `on_state(state)` and `on_restarted()` are called in bench time.
    Where `on_receive` returns False, the bus keeps further frames with this id in its receive queue, and `on_done` the
    same for the ends of mailboxes; until `ask` wants to hear of them again.
    In both loopback modes frames come back without touching the bus (on the chip LOOPBACK also puts them on the wire).
    In silent mode nothing can be sent: mailboxes stay pending.
    """

    def __init__(
        self,
        kernel: Kernel,
        port: Port,
        on_receive: Callable[[int, Frame], bool],
        on_done: Callable[[int, bool], bool],
        collect: Callable[[], None],
        on_state: Callable[[ErrorState], None],
        on_restarted: Callable[[], None],
    ) -> None:
        self.kernel = kernel
        self.port = port
        self._on_receive = on_receive
        self._on_done = on_done
        self._on_restarted = on_restarted
        self._mode = Mode.NORMAL
        self._open = False
        self._life = 0
        self._filters: dict[int, tuple[int, int, bool]] = {}
        self._routes: dict[int, int | None] = {}
        self._boxes: list[Frame | None] = [None] * MAILBOXES
        self._requests: list[int | None] = [None] * MAILBOXES
        self._line = port.home.calm
        self._mailboxes = Mailboxes()
        self._mailboxes_memory = memory(self._mailboxes)
        self._outputs = memoryview(self._mailboxes.outputs).cast("B")
        self._keep_ends = False
        self._looping = False
        self._equal_ids = False
        self.collect = collect
        port.online = False
        port.home.keep_frames(port, self)
        port.subscribe_state(on_state)

    # --- life ---

    def open(self, mode: int, bitrate: int) -> None:
        """CAN.init(): filters cleared, mailboxes empty, counters zero. A wrong bit rate leaves the controller off
        the bus.
        """
        self.close()
        self._life += 1
        self._open = True
        self._mode = Mode(mode)
        self.clear_filters()
        self._looping = False
        on_bus = self._mode not in (Mode.LOOPBACK, Mode.SILENT_LOOPBACK)
        self.port.online = on_bus and abs(bitrate - self.port.home.bitrate) * 200 < self.port.home.bitrate

    def close(self) -> None:
        """CAN.deinit(), reset or loss of power: off the bus at once, even in the middle of a frame."""
        self._life += 1
        self._open = False
        self._boxes = [None] * MAILBOXES
        self._requests = [None] * MAILBOXES
        self._keep_ends = False
        self.port.online = False
        self._line.sent = self._line.queued = self._mailboxes.held = 0

    def restart(self) -> None:
        """Through the initialisation mode and back: 11 recessive bits; out of bus-off 128 times as many follow."""
        self.cancel_all()
        life = self._life
        port = self.port
        bus = port.home

        def leave() -> None:
            if life != self._life:
                return
            if bus.stuck_dominant and port.connected:
                self.kernel.after(RESTART_BITS * bus.bit_ns, leave)
                return
            port.restart()
            self._on_restarted()

        self.kernel.after(RESTART_BITS * bus.bit_ns, leave)

    # --- filters and reception ---

    def clear_filters(self) -> None:
        """No filter bank is active: nothing is received."""
        self._filters.clear()
        self._forget_routes()

    def set_filter(self, index: int, can_id: int, mask: int, is_extended: bool) -> None:
        """Activate bank `index` for one type of identifier."""
        self._filters[index] = can_id, mask, is_extended
        self._forget_routes()

    def _forget_routes(self) -> None:
        self._routes.clear()
        self._line.accept[:] = [ASK] * IDS

    def ask(self, can_id: int | None) -> None:
        """Tell of frames with this id again when they come, or (None) of the ends of mailboxes."""
        if can_id is None:
            self._keep_ends = False
        elif can_id < IDS:
            self._line.accept[can_id] = ASK

    def drop_kept(self) -> None:
        """Nobody wants what the bus kept."""
        self._line.queued = 0

    @property
    def interrupts(self) -> int:
        """Frames that went into the FIFOs so far."""
        return self._line.heard

    def _route(self, key: int, frame: Frame) -> int | None:
        """FIFO for a frame, None when no filter lets it in. The bank with the lowest number wins (RM0090, 32.7.4)."""
        for index in sorted(self._filters):
            can_id, mask, is_extended = self._filters[index]
            if is_extended == frame.is_extended and (frame.can_id ^ can_id) & mask == 0:
                self._routes[key] = index & 1
                return index & 1
        self._routes[key] = None
        return None

    def heard(self, frame: Frame) -> None:
        """A frame that the bus does not keep."""
        key = frame[0]
        if frame[2]:
            key |= _EXTENDED
        if frame[3]:
            key |= _REMOTE
        try:
            fifo = self._routes[key]
        except KeyError:
            fifo = self._route(key, frame)
        if fifo is not None:
            self._line.heard += 1
            if not self._on_receive(fifo, frame) and key < IDS:
                self._line.accept[key] = 1 + fifo
        elif key < IDS:
            self._line.accept[key] = DROP

    # --- transmission ---

    def send(self, mailbox: int, frame: Frame) -> None:
        """Request transmission of a mailbox."""
        self._settle()
        self._boxes[mailbox] = frame
        if self._mode in (Mode.LOOPBACK, Mode.SILENT_LOOPBACK):
            if not self._looping:
                self._loop()
        elif self._mode is Mode.NORMAL:
            self._offer(mailbox, frame)

    def _offer(self, mailbox: int, frame: Frame) -> None:
        for other, held in enumerate(self._boxes):
            if held is not None and held[0] == frame[0] and other != mailbox and held[2:] == frame[2:]:
                self._equal_ids = True
                request = self._requests[other]
                if other < mailbox and request is not None:
                    return  # goes when the other one is through
                if request is not None and self.port.take_back(request):
                    self._requests[other] = None
        can_id, data, is_extended, is_remote = frame
        if self._keep_ends and not self._equal_ids and len(data) == 8 and not (is_extended or is_remote):
            self._requests[mailbox] = self.port.send_word(can_id, int.from_bytes(data, "little"), QUEUE + mailbox)
        else:
            self._requests[mailbox] = self.port.send(frame, partial(self._done, self._life, mailbox, frame))[1]

    def send_plain(self, outputs: bytes) -> int:
        """Send what the first of these outputs ask for, if nothing stands against it; returns how many those are."""
        port = self.port
        bus = port.bus
        if not self._keep_ends or self._equal_ids or self._mode is not Mode.NORMAL or port.tx_hooks or bus.disturbed:
            return 0
        if self._boxes != _NO_BOXES:
            self._settle()
            if self._boxes != _NO_BOXES:
                return 0
        if len(outputs) > OUTPUTS * OUTPUT_BYTES:
            return 0
        self._outputs[: len(outputs)] = outputs
        count = len(outputs) // OUTPUT_BYTES
        return send_plain(self._mailboxes_memory, bus.memory, self.kernel.now_ns, port.number, count)

    def _settle(self) -> None:
        """Take over the mailboxes that the compiled bus has, without those whose frames are through."""
        line, boxes = self._line, self._mailboxes
        for mailbox in range(MAILBOXES):
            if line.sent >> mailbox & 1:
                self._boxes[mailbox] = None
                self._requests[mailbox] = None
            elif boxes.held >> mailbox & 1:
                self._boxes[mailbox] = frame_of(boxes.can_id[mailbox], 8, boxes.data[mailbox])
                self._requests[mailbox] = boxes.number[mailbox]
        line.sent = boxes.held = 0

    def _done(self, life: int, mailbox: int, frame: Frame, ok: bool) -> None:
        self._settle()
        if life == self._life and self._boxes[mailbox] is frame:
            self.sent(mailbox, ok)

    def sent(self, mailbox: int, ok: bool) -> None:
        """The bus is through with a mailbox's frame."""
        self._settle()
        if self._boxes[mailbox] is None:
            return
        if not ok and (self.port.state is ErrorState.BUS_OFF or not self.port.online):
            self._requests[mailbox] = None  # stays pending until the driver cancels it
            return
        self._finish(mailbox, ok)

    def _finish(self, mailbox: int, ok: bool) -> None:
        frame = self._boxes[mailbox]
        self._boxes[mailbox] = None
        self._requests[mailbox] = None
        self._keep_ends = not self._on_done(mailbox, ok)
        if self._equal_ids and frame is not None and self._mode is Mode.NORMAL:
            for other, held in enumerate(self._boxes):
                if held is not None and self._requests[other] is None and held[0] == frame[0]:
                    self._offer(other, held)
                    break

    def cancel(self, mailbox: int) -> None:
        """Abort request of one mailbox; a frame on the wire runs to its end and is not repeated."""
        self._settle()
        if self._boxes[mailbox] is None:
            return
        request = self._requests[mailbox]
        if request is None or self.port.take_back(request):
            self._finish(mailbox, False)

    def cancel_all(self) -> None:
        """Abort requests of all mailboxes, and nobody waits for what becomes of them."""
        self._settle()
        for mailbox, request in enumerate(self._requests):
            self._boxes[mailbox] = None
            self._requests[mailbox] = None
            if request is not None:
                self.port.take_back(request)

    def _loop(self) -> None:
        """Loopback: the best mailbox comes back after the time of its frame."""
        waiting = [(frame, index) for index, frame in enumerate(self._boxes) if frame is not None]
        if not waiting:
            self._looping = False
            return
        self._looping = True
        frame, mailbox = min(waiting, key=lambda item: (item[0].can_id, item[1]))
        life = self._life
        bits = frame_bits(frame) + 3

        def end() -> None:
            if life != self._life:
                return
            if self._boxes[mailbox] is frame:
                self.heard(frame)
                self._finish(mailbox, True)
            self._loop()

        self.kernel.after(bits * self.port.home.bit_ns, end)
