"""One client of the hub: its socket, its place in the protocol, its bounded queue, its port on the virtual bus."""

from __future__ import annotations

import contextlib
import socket
import time
from collections import deque
from collections.abc import Callable
from enum import Enum
from selectors import EVENT_READ, EVENT_WRITE
from typing import Protocol

from hil.bus import Bus, ErrorState, Frame, Port
from hil.kernel import Kernel
from twinaxle import socketcand
from twinaxle.socketcand import Echo, Open, ProtocolError, RawMode, WireFrame

QUEUE_FRAMES = 10_000
"""Frames that wait for a slow client, several seconds of a busy bus; the oldest are dropped then."""

_SEND_BUFFER_BYTES = 1 << 18
"""Asked of the kernel: what lies there is out of the queue's reach and only gets older."""

_KEEP_ALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""A client whose machine has gone from the network is taken off after a minute."""

_CHUNK_FRAMES = 512
_RECEIVE_BYTES = 4096
_IN_FLIGHT_PAUSE = 64
_IN_FLIGHT_RESUME = 32
"""A client that sends faster than the bus carries is not read for a while: TCP holds it back, nothing is lost."""

HOLD_S = 0.2
"""No frames for this long after raw mode's ok: python-can's client takes what it reads together with it for a bad
answer. Nothing tells when it has read the ok. On one core with four busy programs 1 of 30 joins needed more than 50 ms.
"""

_RESTART_NS = 100_000_000
_LINGER_NS = 5_000_000_000
_LINGER_STEP_NS = 10_000_000


class State(Enum):
    """How far the handshake got."""

    GREETED = 0
    OPEN = 1
    RAW = 2


class Host(Protocol):
    """What a client needs of its hub."""

    kernel: Kernel
    bus: Bus
    queue_frames: int
    hold_s: float
    say: Callable[[str], None]
    check_owner: Callable[[str, int, bool], None]

    def listening_changed(self) -> None:
        """A client has reached raw mode."""

    def forget(self, client: Client, reason: str) -> None:
        """A client has gone."""

    def watch(self, connection: socket.socket, mask: int, ready: Callable[[int], None]) -> None:
        """Call `ready` with what the socket is ready for, of `mask`."""


class Client:
    """Made for each accepted connection. `dropped` counts frames that it was too slow for, `lost` frames of its own
    that never got onto the bus, `refused` messages that were answered with an error.
    """

    def __init__(self, hub: Host, connection: socket.socket, number: int, peer: str) -> None:
        self.number = number
        self.peer = peer
        self.state = State.GREETED
        self.port: Port | None = None
        self.delivered = 0
        self.received = 0
        self.dropped = 0
        self.lost = 0
        self.refused = 0
        self.closed = False
        self._hub = hub
        self._kernel = hub.kernel
        self._socket = connection
        self._splitter = socketcand.Splitter()
        self._queue: deque[bytes] = deque()
        self._out = memoryview(b"")
        self._mute = False
        self._hold_until_s = 0.0
        self._in_flight = 0
        self._interest = 0
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEP_ALIVE.items():
            if hasattr(socket, option):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        self._set_interest(EVENT_READ)
        self._answer(socketcand.HI)

    def __str__(self) -> str:
        return f"client {self.number} ({self.peer})"

    @property
    def port_name(self) -> str:
        """Name of its port on the virtual bus."""
        return f"client-{self.number}"

    # --- to the client ---

    def push(self, text: bytes) -> None:
        """Queue a message; sent with the next `flush`. A full queue loses its oldest."""
        if self._mute:
            return
        queue = self._queue
        if len(queue) >= self._hub.queue_frames:
            queue.popleft()
            self.dropped += 1
        queue.append(text)

    def flush(self) -> None:
        """Give the socket what it takes."""
        queue = self._queue
        if not self._out and not queue:
            return
        if self._hold_until_s:
            if time.monotonic() < self._hold_until_s:
                return
            self._hold_until_s = 0.0
        try:
            while True:
                if not self._out:
                    if not queue:
                        break
                    count = min(len(queue), _CHUNK_FRAMES)
                    self._out = memoryview(b"".join([queue.popleft() for _ in range(count)]))
                    self.delivered += count
                self._out = self._out[self._socket.send(self._out) :]
        except BlockingIOError:
            self._set_interest(self._interest | EVENT_WRITE)
        except OSError:
            # It has gone. What it sent before that is still to be read, up to the end that follows it.
            self._mute = True
            self._out = memoryview(b"")
            queue.clear()
            self._set_interest(self._interest & ~EVENT_WRITE)
        else:
            self._set_interest(self._interest & ~EVENT_WRITE)

    @property
    def waits(self) -> bool:
        """Something is queued for it."""
        return not self.closed and bool(self._out or self._queue)

    def _answer(self, text: bytes) -> None:
        """An answer of the handshake goes out at once and alone: clients compare what they read with it."""
        if self.state is State.RAW:
            self.push(text)
            return
        try:
            sent = self._socket.send(text)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.close(error.strerror or str(error))
            return
        if sent < len(text):  # thousands of answers unread
            self.close("does not read its answers")

    # --- from the client ---

    def ready(self, mask: int) -> None:
        """The socket is ready to be read or written."""
        if mask & EVENT_WRITE:
            self.flush()
        if mask & EVENT_READ and not self.closed:
            self._read()

    def _read(self) -> None:
        try:
            data = self._socket.recv(_RECEIVE_BYTES)
            if hasattr(socket, "TCP_QUICKACK"):  # else a client without TCP_NODELAY waits 40 ms for the next frame
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        except BlockingIOError:
            return
        except OSError:  # reset: as good an end as any
            data = b""
        if not data:
            self.close()
            return
        for body in self._splitter.feed(data):
            try:
                self._obey(body)
            except ProtocolError as error:
                self.refused += 1
                self._answer(socketcand.format_error(socketcand.ERROR_CONTROLLER, self._kernel.now_ns, str(error)))
            if self.closed:
                return

    def _obey(self, body: bytes) -> None:
        match socketcand.parse_request(body):
            case WireFrame() as frame:
                self._send(frame)
            case Echo():
                self._answer(socketcand.ECHO)
            case Open():
                self._open()
            case RawMode():
                if self.port is None:
                    raise ProtocolError("open a bus first: < open vcan0 >")
                self._answer(socketcand.OK)
                self._hold_until_s = time.monotonic() + self._hub.hold_s
                self.state = State.RAW
                self._hub.listening_changed()

    def _open(self) -> None:
        if self.port is None:
            self.port = self._hub.bus.attach(self.port_name)
            self.port.subscribe_state(self._bus_state)
            self.state = State.OPEN
            self._hub.say(f"{self} joined")
        self._answer(socketcand.OK)

    def _send(self, frame: WireFrame) -> None:
        if self.port is None:
            raise ProtocolError("open a bus first: < open vcan0 >")
        self.received += 1
        self._in_flight += 1
        self._hub.check_owner(str(self), frame.can_id, frame.is_extended)
        self.port.send(Frame(*frame), self._sent)
        if self._in_flight >= _IN_FLIGHT_PAUSE:
            self._set_interest(self._interest & ~EVENT_READ)

    def _sent(self, good: bool) -> None:
        self._in_flight -= 1
        self.lost += not good
        if self._in_flight == _IN_FLIGHT_RESUME and not self.closed:
            self._set_interest(self._interest | EVENT_READ)

    def _bus_state(self, state: ErrorState) -> None:
        """As an adapter with automatic restart."""
        port = self.port
        if state is ErrorState.BUS_OFF and port is not None:
            self.push(socketcand.format_error(socketcand.ERROR_BUS_OFF, self._kernel.now_ns, "bus-off"))
            self._kernel.after(_RESTART_NS, port.restart)

    # --- life ---

    def _set_interest(self, mask: int) -> None:
        if mask != self._interest and not self.closed:
            self._interest = mask
            self._hub.watch(self._socket, mask, self.ready)

    def close(self, reason: str = "") -> None:
        """End the connection. What the client has sent still goes onto the bus. Without effect the second time."""
        if self.closed:
            return
        self._set_interest(0)
        self.closed = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)  # what was sent still arrives
        self._socket.close()
        self._hub.forget(self, reason)
        if self.port is not None:
            self._leave(self._kernel.now_ns + _LINGER_NS)

    def end(self, reason: str) -> None:
        """End the connection from our side: the frames that wait are lost."""
        self.dropped += len(self._queue)
        self.close(reason)

    def _leave(self, deadline_ns: int) -> None:
        """Detach the port once it is silent: to vanish amid a frame would be an error on the bus."""
        port = self.port
        assert port is not None
        if self._in_flight and self._kernel.now_ns < deadline_ns:
            self._kernel.after(_LINGER_STEP_NS, lambda: self._leave(deadline_ns))
        else:
            self.port = None
            self._hub.bus.detach(port)
