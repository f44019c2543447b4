"""socketcand's beacon, so that SavvyCAN and `can.detect_available_configs` find the bench by themselves.

socketcand broadcasts it; here it goes to this machine alone.
"""

from __future__ import annotations

import contextlib
import socket
from xml.sax.saxutils import quoteattr

BEACON_PORT = 42000
PERIOD_NS = 2_000_000_000

_LOOPBACK = "127.0.0.1"


def beacon_text(name: str, port: int, bus: str = "vcan0") -> bytes:
    """The datagram for a server on the loopback address."""
    return (
        f'<CANBeacon name={quoteattr(name)} type="SocketCAN" description="socketcand">'
        f"<URL>can://{_LOOPBACK}:{port}</URL><Bus name={quoteattr(bus)}/></CANBeacon>"
    ).encode("ascii")


class Beacon:
    """Sends the datagram of a server each time that it is asked to. Nobody need listen."""

    def __init__(self, name: str, port: int) -> None:
        self._text = beacon_text(name, port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.sendto(self._text, (_LOOPBACK, BEACON_PORT))

    def close(self) -> None:
        self._socket.close()
