"""The virtual bus as a python-can bus: any listener, logger, Notifier or cantools tester works on it.

Time is the bench's. In the thread that made the view, `recv` lets virtual time run until a frame comes or the timeout
is over; `send_periodic` has its period in virtual time. Any other thread (a Notifier's) waits on a queue in wall time
while the bench's thread lets time run; what it sends or starts is taken over within a millisecond of virtual time.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import can
from can.broadcastmanager import (
    CyclicSendTaskABC,
    LimitedDurationCyclicSendTaskABC,
    ModifiableCyclicTaskABC,
    RestartableCyclicTaskABC,
)

from hil.bus.bus import Bus
from hil.bus.errors import ErrorKind, ErrorState
from hil.bus.frame import Frame
from hil.bus.port import TxRequest

_NS_PER_S = 1_000_000_000
_TAKE_OVER_NS = 1_000_000

_STATES = {
    ErrorState.ACTIVE: can.BusState.ACTIVE,
    ErrorState.WARNING: can.BusState.ACTIVE,
    ErrorState.PASSIVE: can.BusState.PASSIVE,
    ErrorState.BUS_OFF: can.BusState.ERROR,
}


class BusView(can.BusABC):
    """A python-can bus on the virtual one.

    Args:
        bus: the virtual bus.
        channel: name of the port to send through; attached if it does not exist.
        advance: `advance(time_ns)` lets the bench run up to a time; default the bus's kernel alone.
        can_filters: as in python-can.
        receive_own_messages: also give back what was sent here, marked as not received (`is_rx` False).

    Timestamps are bench time in seconds. Error frames come as messages with `is_error_frame`. Frames that nobody
    fetches are kept until `shutdown`.
    """

    def __init__(
        self,
        bus: Bus,
        channel: str = "TESTER",
        advance: Callable[[int], None] | None = None,
        can_filters: can.typechecking.CanFilters | None = None,
        receive_own_messages: bool = False,
        **kwargs: object,
    ) -> None:
        self.channel_info = f"virtual bus, port {channel}"
        self._bus = bus
        self._own = channel not in bus.ports
        self._port = bus.ports.get(channel) or bus.attach(channel)
        self._kernel = bus.kernel
        self._advance = advance or bus.kernel.run_until
        self._receive_own = receive_own_messages
        self._thread = threading.get_ident()
        self._arrived = threading.Condition()
        self._received: deque[can.Message] = deque()
        self._handed_out = 0
        self._inbox: deque[Callable[[], None]] = deque()
        bus.tap(self._on_frame)
        bus.tap_errors(self._on_error)
        self._kernel.at(self._kernel.now_ns + _TAKE_OVER_NS, self._take_over)
        super().__init__(channel, can_filters, **kwargs)

    # --- the bench's side ---

    def _on_frame(self, time_ns: int, frame: Frame, sender: str) -> None:
        own = sender == self._port.name
        if own and not self._receive_own:
            return
        can_id, data, is_extended, is_remote = frame
        message = can.Message(
            timestamp=time_ns / _NS_PER_S,
            arbitration_id=can_id,
            is_extended_id=is_extended,
            is_remote_frame=is_remote,
            channel=self._port.name,
            dlc=len(data),
            data=data,
            is_rx=not own,
        )
        if self._matches_filters(message):
            self._put(message)

    def _on_error(self, time_ns: int, kind: ErrorKind, sender: str) -> None:
        self._put(can.Message(timestamp=time_ns / _NS_PER_S, is_error_frame=True, channel=self._port.name))

    def _put(self, message: can.Message) -> None:
        with self._arrived:
            self._received.append(message)
            self._arrived.notify_all()

    def _in_bench(self, action: Callable[[], None]) -> None:
        """Do something to the bus: at once in the bench's thread, else when its time runs."""
        if threading.get_ident() == self._thread:
            action()
        else:
            self._inbox.append(action)

    def _take_over(self) -> None:
        while self._inbox:
            self._inbox.popleft()()
        if not self._is_shutdown:
            self._kernel.at(self._kernel.now_ns + _TAKE_OVER_NS, self._take_over)

    # --- python-can's side ---

    def _apply_filters(self, filters: can.typechecking.CanFilters | None) -> None:
        """Filters are applied as frames arrive; `set_filters` has stored them."""

    def recv(self, timeout: float | None = None) -> can.Message | None:
        """The next message, None when there is none within `timeout` seconds (None: wait for ever).

        In the bench's thread the timeout is virtual time, and time runs while this waits; in others it is wall time.
        Raises can.CanOperationError after `shutdown`: a reader in a thread, such as a Notifier's, must end then and not
        ask again and again.
        """
        if self._is_shutdown:
            raise can.CanOperationError("the view of the virtual bus has been shut down")
        if threading.get_ident() == self._thread:
            return self._recv_in_bench(timeout)
        with self._arrived:
            self._handed_out = 0
            self._arrived.notify_all()
            if not self._arrived.wait_for(lambda: self._received or self._is_shutdown, timeout) or not self._received:
                return None
            self._handed_out = 1
            return self._received.popleft()

    def _recv_in_bench(self, timeout: float | None) -> can.Message | None:
        kernel = self._kernel
        end_ns = None if timeout is None else kernel.now_ns + round(timeout * _NS_PER_S)
        while not self._received:
            next_ns = kernel.next_ns()
            if end_ns is None:
                if next_ns is None:
                    raise can.CanOperationError("nothing is going on in the bench: no message will ever come")
                self._advance(next_ns)
            elif kernel.now_ns < end_ns:
                self._advance(end_ns if next_ns is None else min(end_ns, next_ns))
            else:
                return None
        return self._received.popleft()

    def drain(self, timeout: float = 5.0) -> None:
        """Wait (wall time) until a reader in another thread has dealt with every message that came.

        Raises TimeoutError when it has not within `timeout` seconds.
        """
        with self._arrived:
            if not self._arrived.wait_for(lambda: not self._received and not self._handed_out, timeout):
                raise TimeoutError(
                    f"{len(self._received)} messages not read after {timeout:g} s; is a Notifier running?"
                )

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        """Queue a message. With a timeout above 0 in the bench's thread: let time run until it is sent.

        Raises can.CanOperationError if it is not sent by then (it is taken back), or if it does not exist on classic
        CAN.
        """
        if msg.is_fd or msg.is_error_frame:
            raise can.CanOperationError("the virtual bus carries classic CAN data and remote frames only")
        data = bytes(msg.dlc) if msg.is_remote_frame else bytes(msg.data)
        frame = Frame(msg.arbitration_id, data, msg.is_extended_id, msg.is_remote_frame)
        if timeout and threading.get_ident() == self._thread:
            self._send_and_wait(frame, timeout)
        else:
            self._in_bench(partial(self._send_now, frame))

    def _send_now(self, frame: Frame) -> None:
        self._queue(frame)

    def _queue(self, frame: Frame, done: Callable[[bool], None] | None = None) -> TxRequest:
        try:
            return self._port.send(frame, done)
        except ValueError as error:
            raise can.CanOperationError(str(error)) from error

    def _send_and_wait(self, frame: Frame, timeout: float) -> None:
        kernel = self._kernel
        results: list[bool] = []
        request = self._queue(frame, results.append)
        end_ns = kernel.now_ns + round(timeout * _NS_PER_S)
        while not results and kernel.now_ns < end_ns:
            next_ns = kernel.next_ns()
            self._advance(end_ns if next_ns is None else min(end_ns, next_ns))
        if not results:
            self._port.abort(request)
        if not results or not results[0]:
            raise can.CanOperationError(f"frame {frame.can_id:#x} was not sent within {timeout:g} s")

    def _send_periodic_internal(
        self,
        msgs: Sequence[can.Message] | can.Message,
        period: float,
        duration: float | None = None,
        autostart: bool = True,
        modifier_callback: Callable[[can.Message], None] | None = None,
    ) -> CyclicSendTaskABC:
        return CyclicTask(self, msgs, period, duration, autostart, modifier_callback)

    def flush_tx_buffer(self) -> None:
        """Take back every frame that waits in the port."""

        def flush() -> None:
            for request in self._bus.waiting(self._port):
                self._port.abort(request)

        self._in_bench(flush)

    @property
    def state(self) -> can.BusState:
        """Error state of the port: ACTIVE, PASSIVE, or ERROR for bus-off."""
        return _STATES[self._port.state]

    @state.setter
    def state(self, new_state: can.BusState) -> None:
        raise NotImplementedError("the state of a port follows from its error counters")

    def shutdown(self) -> None:
        """Leave the bus. Readers in other threads that wait get None, and an error when they ask again."""
        if self._is_shutdown:
            return
        super().shutdown()
        self._bus.untap(self._on_frame)
        self._bus.untap(self._on_error)
        if self._own:
            self._in_bench(lambda: self._bus.detach(self._port))
        with self._arrived:
            self._arrived.notify_all()


class CyclicTask(LimitedDurationCyclicSendTaskABC, ModifiableCyclicTaskABC, RestartableCyclicTaskABC):
    """Periodic sending in virtual time."""

    def __init__(
        self,
        view: BusView,
        messages: Sequence[can.Message] | can.Message,
        period: float,
        duration: float | None,
        autostart: bool,
        modifier_callback: Callable[[can.Message], None] | None,
    ) -> None:
        super().__init__(messages, period, duration)
        if self.period_ns <= 0:
            raise ValueError(f"period {period} s is not above zero")
        self._view = view
        self._modify = modifier_callback
        self._run = 0
        self._index = 0
        self.stopped = True
        if autostart:
            self.start()

    def start(self) -> None:
        """Send the first message at once and then one each period; without effect while running."""
        if self.stopped:
            self.stopped = False
            self._run += 1
            self._view._in_bench(self._begin)

    def stop(self) -> None:
        """Send no more."""
        self.stopped = True

    def _begin(self) -> None:
        kernel = self._view._kernel
        run = self._run
        end_ns = None if self.duration is None else kernel.now_ns + round(self.duration * _NS_PER_S)
        due_ns = kernel.now_ns

        def tick() -> None:
            nonlocal due_ns
            if self.stopped or run != self._run:
                return
            if end_ns is not None and kernel.now_ns >= end_ns:
                self.stopped = True
                return
            message = self.messages[self._index % len(self.messages)]
            self._index += 1
            if self._modify is not None:
                self._modify(message)
            self._view.send(message)
            due_ns += self.period_ns
            kernel.at(due_ns, tick)

        tick()
