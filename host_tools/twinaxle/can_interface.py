"""The python-can interface `twinaxle`: a client of a live bench.

    bus = can.Bus(interface="twinaxle", channel="127.0.0.1:29536")

It speaks socketcand's raw mode, as python-can's own `socketcand` does, and works with any socketcand server. What it
does beyond that: frames go out without delay (TCP_NODELAY), several frames are taken in one read, and when the bench
ends `recv` and `send` raise `can.CanOperationError` where the other goes on returning None. python-can finds it by its
entry point: `python -m can.viewer -i twinaxle`.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import threading
import time
from collections import deque
from typing import Any, TypeVar

import can

from twinaxle import socketcand
from twinaxle.socketcand import (
    DEFAULT_PORT,
    Accepted,
    ErrorMessage,
    Greeting,
    ProtocolError,
    Received,
    Reply,
    WireFrame,
)

DEFAULT_HOST = "127.0.0.1"

_CONNECT_S = 5.0
_ANSWER_S = 40.0
"""A bench listens before it answers: its first start compiles for 20 s. Whoever is started with it waits for it."""
_DETECT_S = 0.3
_LEAVE_S = 2.0
_RECEIVE_BYTES = 1 << 16

log = logging.getLogger(__name__)

R = TypeVar("R", bound=Reply)


class TwinaxleBus(can.BusABC):
    """A connection to a live bench.

    Args:
        channel: "host:port", "host" or ":port" of the bench; default 127.0.0.1:29536. An IPv6 address stands in
            brackets.
        can_filters: as in python-can; they are applied here, not in the bench.
        bus_name: name that the server is asked for; a bench takes any.

    Timestamps are bench time in seconds. Error frames of the bus, and frames that the bench refused, come as messages
    with `is_error_frame`, whose id is the class of the error as in SocketCAN.

    Raises:
        can.CanInitializationError: nobody answers there, or the answer is not socketcand's; CAN FD is asked for.
        ValueError: the channel is no address.
    """

    def __init__(
        self,
        channel: Any = None,
        can_filters: can.typechecking.CanFilters | None = None,
        bus_name: str = "vcan0",
        fd: bool = False,
        **kwargs: object,
    ) -> None:
        if fd:
            raise can.CanInitializationError("the bench carries classic CAN only: leave out fd")
        host, port = parse_channel(channel)
        self._address = f"{host}:{port}"
        self.channel_info = f"twinaxle bench at {self._address}"
        self._can_protocol = can.CanProtocol.CAN_20
        self._messages: deque[can.Message] = deque()
        self._splitter = socketcand.Splitter()
        self._ended = ""
        self._send_lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        try:
            self._socket = socket.create_connection((host, port), timeout=_CONNECT_S)
        except OSError as error:
            raise can.CanInitializationError(
                f"no bench answers at {host}:{port} ({error}): start one with `twinaxle bench`"
            ) from error
        try:
            self._shake_hands(bus_name)
        except (OSError, ProtocolError) as error:
            self._socket.close()
            raise can.CanInitializationError(f"{self.channel_info}: {error}") from error
        self._selector.register(self._socket, selectors.EVENT_READ)
        super().__init__(channel=self._address, can_filters=can_filters, **kwargs)

    def _shake_hands(self, bus_name: str) -> None:
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(_ANSWER_S)
        pending: deque[bytes] = deque()
        self._expect(Greeting, pending)
        for request in (socketcand.format_open(bus_name), socketcand.RAWMODE):
            self._socket.sendall(request)
            self._expect(Accepted, pending)
        self._socket.settimeout(None)
        for body in pending:
            self._take(body)

    def _expect(self, kind: type[R], pending: deque[bytes]) -> R:
        deadline_s = time.monotonic() + _ANSWER_S
        while not pending:
            if time.monotonic() > deadline_s:
                raise ProtocolError("what it sends is no answer: is this a bench?")
            try:
                data = self._socket.recv(_RECEIVE_BYTES)
            except TimeoutError:
                raise ProtocolError(f"no answer for {_ANSWER_S:g} s: the bench hangs, or it is none") from None
            if not data:
                raise ProtocolError("the connection was closed")
            pending.extend(self._splitter.feed(data))
        reply = socketcand.parse_reply(pending.popleft())
        if isinstance(reply, ErrorMessage):
            raise ProtocolError(f"refused: {reply.text}")
        if not isinstance(reply, kind):
            raise ProtocolError(f"{kind.__name__} expected, {reply} came: is this a bench?")
        return reply

    # --- receiving ---

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
        if not self._messages:
            self._read(timeout)
        return (self._messages.popleft() if self._messages else None), False

    def _read(self, timeout: float | None) -> None:
        if self._ended:
            raise can.CanOperationError(self._ended)
        if self._is_shutdown or not self._selector.select(timeout):
            return
        try:
            data = self._socket.recv(_RECEIVE_BYTES)
        except OSError as error:
            raise self._end(f"the connection broke: {error}") from error
        if not data:
            raise self._end("the bench has ended")
        for body in self._splitter.feed(data):
            self._take(body)

    def _take(self, body: bytes) -> None:
        try:
            reply = socketcand.parse_reply(body)
        except ProtocolError as error:
            log.warning("%s: %s", self.channel_info, error)
            return
        if isinstance(reply, Received):
            frame = reply.frame
            self._messages.append(
                can.Message(
                    timestamp=reply.time_s,
                    arbitration_id=frame.can_id,
                    is_extended_id=frame.is_extended,
                    dlc=len(frame.data),
                    data=frame.data,
                    channel=self._address,
                )
            )
        elif isinstance(reply, ErrorMessage):
            if reply.error_class == socketcand.ERROR_CONTROLLER:
                log.warning("%s refused: %s", self.channel_info, reply.text)
            self._messages.append(
                can.Message(
                    timestamp=reply.time_s,
                    arbitration_id=reply.error_class,
                    is_error_frame=True,
                    channel=self._address,
                )
            )

    def _end(self, reason: str) -> can.CanOperationError:
        self._ended = f"{self.channel_info}: {reason}"
        return can.CanOperationError(self._ended)

    # --- sending ---

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        """Hand a frame to the bench, which queues it for its bus.

        Waits while the bench has no room, up to `timeout` seconds (None: as long as it takes).

        Raises:
            can.CanOperationError: the bench has ended, or the frame is not one of classic CAN's data frames.
            can.CanTimeoutError: no room in time; the connection is of no use after that.
        """
        if msg.is_fd or msg.is_remote_frame or msg.is_error_frame:
            kind = "CAN FD" if msg.is_fd else "remote" if msg.is_remote_frame else "error"
            raise can.CanOperationError(f"the bench carries data frames of classic CAN; this is a {kind} frame")
        text = socketcand.format_send(WireFrame(msg.arbitration_id, bytes(msg.data), msg.is_extended_id))
        with self._send_lock:
            if self._ended:
                raise can.CanOperationError(self._ended)
            try:
                self._socket.settimeout(timeout or None)
                self._socket.sendall(text)
            except TimeoutError as error:
                self._ended = f"{self.channel_info}: a frame was sent by half"
                raise can.exceptions.CanTimeoutError(f"the bench took no frame for {timeout:g} s") from error
            except OSError as error:
                raise self._end(f"the bench has ended: {error}") from error

    def shutdown(self) -> None:
        """Leave the bench, once it has taken what was sent (two seconds at most)."""
        if self._is_shutdown:
            return
        super().shutdown()
        self._selector.close()
        with contextlib.suppress(OSError):
            # To close with frames unread would be a reset of the connection, and lose what is on its way to the bench.
            self._socket.shutdown(socket.SHUT_WR)
            self._socket.settimeout(_LEAVE_S)
            deadline_s = time.monotonic() + _LEAVE_S
            while self._socket.recv(_RECEIVE_BYTES) and time.monotonic() < deadline_s:
                pass
        self._socket.close()

    @staticmethod
    def _detect_available_configs() -> list[can.typechecking.AutoDetectedConfig]:
        """The bench at the default address, if there is one."""
        try:
            with socket.create_connection((DEFAULT_HOST, DEFAULT_PORT), timeout=_DETECT_S) as connection:
                if connection.recv(len(socketcand.HI)) != socketcand.HI:
                    return []
        except OSError:
            return []
        return [{"interface": "twinaxle", "channel": f"{DEFAULT_HOST}:{DEFAULT_PORT}"}]


def parse_channel(channel: Any) -> tuple[str, int]:
    """Host and port of a channel: "host:port", "host", ":port", "[::1]:port" or None. Raises ValueError."""
    text = "" if channel is None else str(channel).strip()
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, ""
    host = host.removeprefix("[").removesuffix("]") or DEFAULT_HOST
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
        raise ValueError(f"channel {text!r}: {port!r} is no port; a channel reads 127.0.0.1:{DEFAULT_PORT}")
    return host, int(port) if port else DEFAULT_PORT
