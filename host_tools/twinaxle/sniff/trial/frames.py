"""A source of frames at a steady rate: a process with a socketcand server that counts what it sends and what is lost.

It stands for an adapter: when the client does not fetch frames and the sockets' queues are full, frames are lost, and
counted. Content is that of the powertrain bus: valid CRCs and counters, signals that change.
"""

import argparse
import contextlib
import json
import socket
import sys
import threading
import time

from twinaxle.dbc import powertrain
from twinaxle.dbc.codec import codec
from twinaxle.e2e import Protector

QUEUE_BYTES = 1 << 16
"""Of the server's socket. The client's grows up to what the system allows, which may be 100,000 frames."""

_BURST_S = 0.001
"""Frames come in bursts, as from an adapter on USB."""
_REST_S = 0.3
"""Before the first frame: python-can's client takes what it reads together with the last ok for a bad answer."""


class Content:
    """The frames of the cyclic messages in turn, each next one with its next counter."""

    def __init__(self) -> None:
        self._messages = [message for message in powertrain().messages.values() if message.cycle_ms]
        self._codecs = [codec(message.name) for message in self._messages]
        self._protectors = [Protector(m.e2e.data_id) if m.e2e else None for m in self._messages]
        self._count = 0

    def next(self) -> tuple[int, bytes]:
        """Identifier and data."""
        at = self._count % len(self._messages)
        turn = self._count // len(self._messages)
        self._count += 1
        message, protector = self._messages[at], self._protectors[at]
        raw = {
            self._codecs[at].fields[signal.name]: (turn * 7 + place) % (signal.raw_maximum + 1)
            for place, signal in enumerate(message.application_signals)
        }
        data = self._codecs[at].pack_raw(**raw)
        return message.frame_id, protector.protect(data) if protector else data


def prepared(frames: int) -> list[bytes]:
    """Wire texts, to be filled with a time, made beforehand so that sending costs little."""
    content = Content()
    texts = []
    for _ in range(frames):
        can_id, data = content.next()
        texts.append(b"< frame %03X %%.6f %s >" % (can_id, data.hex().upper().encode()))
    return texts


def serve(rate_hz: float, frames: int) -> None:
    """Print the port; serve one client `frames` frames from its rawmode on; print what was sent and lost as JSON."""
    texts = prepared(frames)
    server = socket.create_server(("127.0.0.1", 0))
    server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, QUEUE_BYTES)
    _say(str(server.getsockname()[1]))
    client, _ = server.accept()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.sendall(b"< hi >")
    for _ in range(2):  # open, rawmode
        client.recv(256)
        client.sendall(b"< ok >")
    time.sleep(_REST_S)
    client.setblocking(False)
    sent = lost = 0
    rest = b""
    begin_s = time.perf_counter()
    while sent + lost < frames:
        done = sent + lost
        due = min(int((time.perf_counter() - begin_s) * rate_hz), frames)
        burst = [text % ((at + 1) / rate_hz) for at, text in enumerate(texts[done:due], done)]
        taken, rest = _send(client, rest, burst)
        sent += taken
        lost += len(burst) - taken
        time.sleep(_BURST_S)
    _say(json.dumps({"sent": sent, "lost": lost, "seconds": time.perf_counter() - begin_s}))
    client.setblocking(True)
    client.sendall(rest)
    threading.Event().wait()  # the connection stays until we are ended


def _send(client: socket.socket, rest: bytes, burst: list[bytes]) -> tuple[int, bytes]:
    """Send what there is room for: the rest of a frame begun before, then frames, of which the last may be cut.

    Returns how many frames of the burst went, at least in part, and the rest of the last one.
    """
    data = rest + b"".join(burst)
    if not data:
        return 0, b""
    try:
        room = client.send(data)
    except BlockingIOError:
        return 0, rest
    if room < len(rest):
        return 0, rest[room:]
    room -= len(rest)
    for at, text in enumerate(burst):
        if room < len(text):
            return (at + 1, text[room:]) if room else (at, b"")
        room -= len(text)
    return len(burst), b""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Serve as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rate", type=float, help="frames a second")
    parser.add_argument("frames", type=int, help="how many")
    args = parser.parse_args()
    with contextlib.suppress(ConnectionError):  # the client has gone
        serve(args.rate, args.frames)


if __name__ == "__main__":
    main()
