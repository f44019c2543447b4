"""The disturbed bus: each frame is looked at right after its SOF, and ends well or as an error frame at a known bit.

This is the way while something is wrong: a counter above zero, a fault set, nobody to acknowledge, two nodes with one
id, a controller in recovery. The rules are those of ISO 11898-1; which node counts what is in `_end_disturbed`.
"""

from abc import abstractmethod
from collections.abc import Callable
from heapq import heapify, heappush

from hil.bus.bits import TAIL_BITS, frame_bits, wire_bits
from hil.bus.errors import (
    BUS_OFF_LIMIT,
    COUNTER_MAX,
    DELIMITER_BITS,
    ERROR_STEP,
    FLAG_BITS,
    SUSPEND_BITS,
    ErrorKind,
    ErrorState,
    error_frame_bits,
    rec_after_reception,
)
from hil.bus.frame import REMOTE, Frame, address_of, word_of
from hil.bus.line import Line
from hil.bus.port import Port, TxRequest
from hil.bus.recovery import Recovery
from hil.kernel import Kernel


class Corruption:
    """Frames destroyed on the wire, see `Bus.corrupt`. `remaining` counts down (None: no end); `cancel()` ends it."""

    def __init__(self, predicate: Callable[[Frame], bool], count: int | None, at_bit: int | None) -> None:
        self.predicate = predicate
        self.remaining = count
        self.at_bit = at_bit

    def cancel(self) -> None:
        """Destroy no further frame."""
        self.remaining = 0

    def takes(self, frame: Frame) -> bool:
        """Whether this frame is to be destroyed; counts it."""
        if self.remaining == 0 or not self.predicate(frame):
            return False
        if self.remaining:  # not cancelled by the predicate
            self.remaining -= 1
        return True


class Contest(Line):
    """Arbitration, outcome and error counting of frames on a disturbed bus."""

    def __init__(self, kernel: Kernel, bitrate: int = 500_000) -> None:
        super().__init__(kernel, bitrate)
        self._rules: list[Corruption] = []
        self._shorted = False
        self._stuck_since_ns: int | None = None
        self._recovery = Recovery(kernel, self.bit_ns, self._rejoin)
        self._given_up: tuple[Port, int] | None = None
        # The outcome of the current frame: all who send it, and how it fails.
        self._senders: list[TxRequest] = []
        self._failure: ErrorKind | None = None

    @abstractmethod
    def _rejoin(self, port: Port) -> None:
        """A port has recovered from bus-off."""

    def _receivers(self, senders: list[Port]) -> list[Port]:
        return [port for port in self._members if port not in senders and port.state is not ErrorState.BUS_OFF]

    def _before_sof(self) -> bool:
        """No frame is on the wire; a choice that was made can still be made anew."""
        return self._current is None or self.kernel.now_ns <= self.calm.sof_ns

    def _in_transmission(self) -> list[TxRequest]:
        """Requests that end with the current frame; none when their sender has gone in mid-frame."""
        if self._current is None or self._failure is ErrorKind.STUFF:
            return []
        return self._senders or [self._current]

    def _drop_choice(self) -> None:
        self._current = None
        self.calm.end_ns = -1
        self._senders, self._failure = [], None

    # --- from the queue to the outcome ---

    def _contend(self) -> None:
        """Choose, or choose anew, who sends next. The choice becomes final right after SOF, in `_commit`."""
        if self._current is not None:
            heappush(self._queue, self._current)
            self._drop_choice()
        queue = self._queue
        if not queue or self._stuck_since_ns is not None:
            return
        free_ns = max(self.kernel.now_ns, self.calm.idle_ns)
        sof_ns = max(free_ns, min(request[2].suspended_until_ns for request in queue))
        winner = min(request for request in queue if request[2].suspended_until_ns <= sof_ns)
        queue.remove(winner)
        heapify(queue)
        self._begin(winner, sof_ns)
        self.kernel.at(sof_ns + 1, self._commit)

    def _commit(self) -> None:
        """Right after SOF: the arbitration is final, and with it how this frame will end."""
        current = self._current
        if current is None or self.calm.sof_ns + 1 != self.kernel.now_ns or self._senders or not self.disturbed:
            return
        self._recovery.interrupted(self.calm.sof_ns)
        self._senders = [current]
        if self._shorted:
            # Nobody hears the others: all that wait begin, and fail, at the same time.
            self._join(lambda other: True)
            self._fail(ErrorKind.BIT, self.calm.sof_ns + self.bit_ns, FLAG_BITS + DELIMITER_BITS)
            return
        self._join(lambda other: other[0] == current[0])
        if len(self._senders) > 1 and self._collide():
            return
        frame = self._senders[0][3]
        for rule in self._rules:
            if rule.takes(frame):
                wire = list(wire_bits(frame))
                bit = len(wire) // 2 if rule.at_bit is None else min(rule.at_bit, len(wire) - 1)
                self._fail_at_bit([*wire[:bit], 1 - wire[bit]])
                return
        if not self._receivers([request[2] for request in self._senders]):
            ack_slot_end_ns = self.calm.sof_ns + (frame_bits(frame) - TAIL_BITS + 2) * self.bit_ns
            self._fail(ErrorKind.ACK, ack_slot_end_ns, FLAG_BITS + DELIMITER_BITS)

    def _join(self, condition: Callable[[TxRequest], bool]) -> None:
        """Add the first waiting request of every other port that may send and meets `condition` to the senders."""
        for other in sorted(self._queue):
            ports = [request[2] for request in self._senders]
            if condition(other) and other[2] not in ports and other[2].suspended_until_ns <= self.calm.sof_ns:
                self._senders.append(other)
                self._queue.remove(other)
        heapify(self._queue)

    def _collide(self) -> bool:
        """Several nodes send the same id at once. True when that ends in an error frame.

        The first to send a recessive bit where another sends a dominant one has a bit error. If it is error active
        its flag destroys the frame for all; if it is passive it falls silent and the others go on.
        """
        waves = [(list(wire_bits(request[3])), request) for request in self._senders]
        bit = 0
        while bit < min(len(wave) for wave, _ in waves):
            losers = [request for wave, request in waves if wave[bit]]
            if losers and len(losers) < len(waves):
                if any(request[2].state is not ErrorState.PASSIVE for request in losers):
                    self._fail_at_bit([*waves[0][0][:bit], 0])
                    return True
                waves = [(wave, request) for wave, request in waves if not wave[bit]]
                self._senders = [request for _, request in waves]
                for request in losers:
                    self._transmit_error(request[2])
                    self._requeue(request)
            bit += 1
        if self._current is not self._senders[0]:
            self._current = self._senders[0]
            self.calm.end_ns = self.calm.sof_ns + frame_bits(self._current[3]) * self.bit_ns
            self.kernel.at(self.calm.end_ns, self._on_end)
        return False

    def _fail_at_bit(self, levels: list[int]) -> None:
        """The senders read back the last of these levels as a bit error."""
        passive = all(request[2].state is ErrorState.PASSIVE for request in self._senders)
        flag = 1 if passive else 0
        run = 0
        while run < len(levels) and levels[-1 - run] == flag:
            run += 1
        receivers = self._receivers([request[2] for request in self._senders])
        active = any(port.state is not ErrorState.PASSIVE for port in receivers)
        self._fail(ErrorKind.BIT, self.calm.sof_ns + len(levels) * self.bit_ns, error_frame_bits(passive, active, run))

    def _fail(self, kind: ErrorKind, detected_ns: int, more_bits: int) -> None:
        """Let the current transmission end as an error frame, `more_bits` after the error is seen."""
        self._failure = kind
        self.calm.end_ns = detected_ns + more_bits * self.bit_ns
        self.kernel.at(self.calm.end_ns, self._on_end)

    # --- the end of a frame or error frame ---

    def _end_disturbed(self) -> None:
        now_ns = self.kernel.now_ns
        current, failure = self._current, self._failure
        assert current is not None
        senders = self._in_transmission()
        self._drop_choice()
        self.calm.busy_ns += now_ns - self.calm.sof_ns + self._intermission_ns
        self.calm.idle_ns = now_ns + self._intermission_ns
        # The last 8 bits were recessive: ACK delimiter and EOF, or the error delimiter.
        self._recovery.resumed(now_ns - DELIMITER_BITS * self.bit_ns)
        receivers = self._receivers([request[2] for request in senders])
        given_up: list[TxRequest] = []
        for request in senders:
            port = request[2]
            if failure is None:
                if port.tec:
                    port.count(port.tec - 1, port.rec)
            elif failure is not ErrorKind.ACK or port.state is not ErrorState.PASSIVE:
                self._transmit_error(port)
            if port.state is ErrorState.PASSIVE:
                port.suspended_until_ns = self.calm.idle_ns + SUSPEND_BITS * self.bit_ns
            if failure is not None:
                if (port, request[1]) == self._given_up:
                    given_up.append(request)
                else:
                    self._requeue(request)
        for port in receivers:
            if failure is None:
                if port.rec:
                    port.count(port.tec, rec_after_reception(port.rec))
            elif not self._shorted:
                port.count(port.tec, min(port.rec + 1, COUNTER_MAX))
        if self._rules:
            self._rules = [rule for rule in self._rules if rule.remaining != 0]
        self._contend()
        self._changed()
        if failure is None:
            self._deliver(now_ns, senders, receivers)
        else:
            for error_tap in self._error_taps:
                error_tap(now_ns, failure, current[2].name)
            for request in given_up:
                if request[4] is not None:
                    request[4](False)

    def _deliver(self, now_ns: int, senders: list[TxRequest], receivers: list[Port]) -> None:
        frame = senders[0][3]
        self._record(now_ns, senders[0][2], frame)
        for tap in self._taps:
            tap(now_ns, frame, senders[0][2].name)
        address = address_of(frame) & ~REMOTE
        for action in [action for port in receivers for action in port.listeners(address)]:
            action(frame)
        for port in receivers:
            for word_action in port.word_listeners(address):
                word_action(len(frame.data), word_of(frame.data))
        for port in receivers:
            if port.queue is not None:
                port.queue.heard(frame)
        for request in senders:
            if request[4] is not None:
                request[4](True)

    def _transmit_error(self, port: Port) -> None:
        """TEC + 8; past 255 the controller is bus-off and its frames stay with it."""
        tec = port.tec + ERROR_STEP
        port.count(tec, port.rec)
        if tec >= BUS_OFF_LIMIT:
            port.held += sorted(request for request in self._queue if request[2] is port)
            self._queue = [request for request in self._queue if request[2] is not port]
            heapify(self._queue)
            self.forget_routes()

    def _requeue(self, request: TxRequest) -> None:
        port = request[2]
        if port.state is ErrorState.BUS_OFF:
            port.held.insert(0, request)
        else:
            heappush(self._queue, request)
