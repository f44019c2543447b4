"""A real bus joined to the virtual one: what the virtual nodes send goes out to it, what comes in reaches them.

The real bus is any python-can bus. A thread waits for its frames and another sends, so that a slow adapter never holds
the bench's time; both hand over by queues, and a failure in either ends the bench with a message.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from collections import deque
from collections.abc import Callable
from selectors import EVENT_READ, BaseSelector

import can

from hil.bus import Bus, ErrorState, Frame
from twinaxle.errors import UserError

PORT_NAME = "adapter"

_QUEUE_FRAMES = 1000
_POLL_S = 0.2
_JOIN_S = 2.0
_RESTART_NS = 100_000_000


class Adapter:
    """Forwards frames both ways until `close`.

    Args:
        bus: the virtual bus; the adapter's port on it is `PORT_NAME`.
        real: the real bus; it is shut down by `close`.
        selector: its owner calls `key.data(mask)` when frames have come.
        say: called with a line of text when something happened that a user wants to know.
        on_frame: called with (who, id, is extended) of each frame that came in.

    `sent`, `received`: frames out and in. `errors`: error frames that it saw. `not_carried`: CAN FD frames, which the
    virtual bus does not know.
    """

    def __init__(
        self,
        bus: Bus,
        real: can.BusABC,
        selector: BaseSelector,
        *,
        say: Callable[[str], None] = lambda text: None,
        on_frame: Callable[[str, int, bool], None] = lambda who, can_id, is_extended: None,
    ) -> None:
        self.sent = 0
        self.received = 0
        self._refused = 0  # counted by the sending thread
        self._left = 0  # counted by the bench's
        self.errors = 0
        self.not_carried = 0
        self.info = str(real.channel_info)
        self._bus = bus
        self._real = real
        self._selector = selector
        self._say = say
        self._told: set[str] = set()
        self._notes: deque[str] = deque()
        self._on_frame = on_frame
        self._failure: Exception | None = None
        self._closing = False
        self._inbox: deque[can.Message] = deque()
        self._outbox: queue.Queue[can.Message | None] = queue.Queue(_QUEUE_FRAMES)
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        selector.register(self._wake_in, EVENT_READ, self._take_over)
        self._port = bus.attach(PORT_NAME)
        self._port.subscribe_state(self._bus_state)
        bus.tap(self._send_out)
        self._threads = [
            threading.Thread(target=work, name=f"adapter {work.__name__}", daemon=True)
            for work in (self._receive, self._send)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def dropped(self) -> int:
        """Frames that the adapter was too slow for or refused."""
        return self._refused + self._left

    # --- threads ---

    def _receive(self) -> None:
        try:
            while not self._closing:
                message = self._real.recv(_POLL_S)
                if message is not None:
                    self._inbox.append(message)
                    self._wake()
        except Exception as error:  # drivers raise what they like; the bench's thread tells the user
            self._fail(error)

    def _send(self) -> None:
        while (message := self._outbox.get()) is not None:
            try:
                self._real.send(message)
                self.sent += 1
            except can.CanOperationError as error:  # its buffer is full, or bus-off: the bus goes on without the frame
                self._refused += 1
                self._tell_once(f"the adapter did not send a frame: {error}")
            except Exception as error:
                self._fail(error)
                return

    def _tell_once(self, text: str) -> None:
        if text not in self._told and len(self._told) < 10:
            self._told.add(text)
            self._notes.append(text)
            self._wake()

    def _fail(self, error: Exception) -> None:
        if not self._closing:
            self._failure = error
            self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):  # full: it is awake
            self._wake_out.send(b"\0")

    # --- the bench's thread ---

    def _take_over(self, _mask: int) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wake_in.recv(4096)
        while self._notes:
            self._say(self._notes.popleft())
        if self._failure is not None:
            raise UserError(f"the adapter on {self.info} failed: {self._failure}") from self._failure
        while self._inbox:
            message = self._inbox.popleft()
            if message.is_error_frame:
                self.errors += 1
            elif message.is_fd:
                self.not_carried += 1
                self._tell_once("CAN FD frames on the real bus are not carried")
            elif message.is_rx:  # else our own, which some adapters echo
                self.received += 1
                data = bytes(message.dlc) if message.is_remote_frame else bytes(message.data)
                frame = Frame(message.arbitration_id, data, message.is_extended_id, message.is_remote_frame)
                self._on_frame("the real bus", frame.can_id, frame.is_extended)
                self._port.send(frame)

    def _send_out(self, _time_ns: int, frame: Frame, sender: str) -> None:
        if sender == PORT_NAME:
            return
        can_id, data, is_extended, is_remote = frame
        message = can.Message(
            arbitration_id=can_id,
            is_extended_id=is_extended,
            is_remote_frame=is_remote,
            dlc=len(data),
            data=None if is_remote else data,
        )
        try:
            self._outbox.put_nowait(message)
        except queue.Full:
            self._left += 1
            self._tell_once("the adapter is too slow: frames are dropped")

    def _bus_state(self, state: ErrorState) -> None:
        if state is ErrorState.BUS_OFF:
            self._bus.kernel.after(_RESTART_NS, self._port.restart)

    def close(self) -> None:
        """Send what waits, stop both threads, shut the real bus down. What the user has not been told yet is told."""
        self._bus.untap(self._send_out)
        self._bus.detach(self._port)
        self._closing = True
        with contextlib.suppress(queue.Full):
            self._outbox.put(None, timeout=_JOIN_S)
        for thread in self._threads:
            thread.join(_JOIN_S)
        with contextlib.suppress(queue.Empty):
            while True:  # what an adapter that hangs or has failed leaves
                self._left += self._outbox.get_nowait() is not None
        self._selector.unregister(self._wake_in)
        self._wake_in.close()
        self._wake_out.close()
        try:
            self._real.shutdown()
        except Exception as error:  # drivers raise what they like, those of an unplugged adapter too
            self._notes.append(f"the adapter on {self.info} did not shut down well: {error}")
        while self._notes:
            self._say(self._notes.popleft())
