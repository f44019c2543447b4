"""The virtual bus for other programs: a socketcand server in the bench's own thread.

The bus's frames are formatted once and queued for every client; `flush` writes them, never waiting. A client that does
not read loses frames of its own queue, counted, and nobody else notices.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Callable
from selectors import EVENT_READ, BaseSelector

from hil.bus import Bus, ErrorKind, Frame
from hil.live.client import HOLD_S, QUEUE_FRAMES, Client, State
from twinaxle import socketcand
from twinaxle.errors import UserError

PORT_NAME = "hub"
CLIENTS_MAX = 64
LOOPBACK = "127.0.0.1"

_BACKLOG = 16
_RECEIVE_BUFFER_BYTES = 1 << 16
"""Of every connection: what a client that sends too much has on its way when it is held back."""

Ready = Callable[[int], None]
"""What the selector's owner calls with the mask of events; the `data` of every registered key."""


class Hub:
    """A socketcand server on a virtual bus.

    Args:
        bus: the virtual bus. Times that clients see are its kernel's.
        selector: where sockets are registered; its owner calls `key.data(mask)` for each that is ready.
        host, port: address to listen on; port 0 lets the system choose.
        check_owner: called with (who, id, is extended) of each frame that a client sends.
        say: called with a line of text when something happened that a user wants to know.
        queue_frames: frames that wait for a slow client at most.
        hold_s: wall-clock time for which a client that has just joined gets no frames yet.

    `clients`: the connected ones. `not_carried`: remote frames of the bus, which the wire has no words for.

    Raises:
        UserError: the address cannot be listened on.
    """

    def __init__(
        self,
        bus: Bus,
        selector: BaseSelector,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        check_owner: Callable[[str, int, bool], None] = lambda who, can_id, is_extended: None,
        say: Callable[[str], None] = lambda text: None,
        queue_frames: int = QUEUE_FRAMES,
        hold_s: float = HOLD_S,
    ) -> None:
        self.bus = bus
        self.kernel = bus.kernel
        self.queue_frames = queue_frames
        self.hold_s = hold_s
        self.say = say
        self.check_owner = check_owner
        self.clients: list[Client] = []
        self.not_carried = 0
        self._selector = selector
        self._accepted = 0
        self._listening: list[Client] = []
        self._dropped_before = 0
        self._socket = _listen(host, port)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        self.host, self.port = self._socket.getsockname()[:2]
        self.watch(self._socket, EVENT_READ, self._accept)
        self._port = bus.attach(PORT_NAME)  # hears everything and so acknowledges, as an adapter does
        bus.tap(self.on_frame)
        bus.tap_errors(self._on_error)

    @property
    def dropped(self) -> int:
        """Frames that clients were too slow for, those that have left included."""
        return self._dropped_before + sum(client.dropped for client in self.clients)

    # --- bus to clients ---

    def on_frame(self, time_ns: int, frame: Frame, sender: str) -> None:
        """Queue a frame for all clients but its sender: the tap on the bus."""
        if not self._listening:
            return
        can_id, data, is_extended, is_remote = frame
        if is_remote:
            self.not_carried += 1
            return
        text = socketcand.format_frame(time_ns, can_id, data, is_extended)
        for client in self._listening:
            if client.port_name != sender:
                client.push(text)

    def _on_error(self, time_ns: int, kind: ErrorKind, sender: str) -> None:
        text = socketcand.format_error(socketcand.ERROR_PROTOCOL, time_ns, f"{kind.name.lower()} error")
        for client in self._listening:
            client.push(text)

    def flush(self) -> None:
        """Give every client's socket what it takes at once."""
        for client in tuple(self._listening):
            client.flush()

    # --- clients ---

    def _accept(self, _mask: int) -> None:
        try:
            connection, address = self._socket.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED):
                self.say(f"a client could not be accepted: {error.strerror}")
            return
        if len(self.clients) >= CLIENTS_MAX:
            self.say(f"a client was sent away: there are {CLIENTS_MAX} already")
            connection.close()
            return
        self._accepted += 1
        client = Client(self, connection, self._accepted, f"{address[0]}:{address[1]}")
        if not client.closed:
            self.clients.append(client)

    def listening_changed(self) -> None:
        """A client has reached raw mode."""
        self._listening = [client for client in self.clients if client.state is State.RAW]

    def forget(self, client: Client, reason: str) -> None:
        """A client has gone."""
        if client in self.clients:  # not yet, if its greeting failed
            self.clients.remove(client)
        self._dropped_before += client.dropped
        self.listening_changed()
        if client.state is not State.GREETED:
            dropped = f", {client.dropped} dropped" if client.dropped else ""
            self.say(f"{client} left{': ' + reason if reason else ''} ({client.delivered} frames{dropped})")

    def watch(self, connection: socket.socket, mask: int, ready: Ready) -> None:
        """Register a socket for a mask of events; 0 takes it out."""
        if not mask:
            with contextlib.suppress(KeyError):
                self._selector.unregister(connection)
        elif connection in self._selector.get_map():
            self._selector.modify(connection, mask, ready)
        else:
            self._selector.register(connection, mask, ready)

    @property
    def waits(self) -> bool:
        """Some client has not got everything yet."""
        return any(client.waits for client in self._listening)

    def close(self) -> None:
        """End all connections and listen no more; what still waits for a client counts as dropped. Without effect the
        second time.
        """
        if PORT_NAME not in self.bus.ports:
            return
        self.bus.untap(self.on_frame)
        self.bus.untap(self._on_error)
        self.bus.detach(self._port)
        self.watch(self._socket, 0, self._accept)
        self._socket.close()
        for client in tuple(self.clients):
            client.end("the bench ends")


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OverflowError:
        raise UserError(f"port {port} is outside 0 to 65535") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UserError(f"port {port} of {host} is taken, perhaps by another bench: choose one by --port") from None
        reason = error.strerror or os.strerror(error.errno or 0)
        raise UserError(f"cannot listen on {host}, port {port}: {reason}") from None
