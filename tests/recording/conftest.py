"""A bus for a child process: a socketcand server of a few lines, whose frames the test sends."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import can
import pytest

TIMEOUT_S = 60.0
"""For what takes a moment on an idle machine."""


class Source:
    """A socketcand server for one client. What is sent before it has come follows the handshake at once."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._client: socket.socket | None = None
        self._early = b""
        self._lock = threading.Lock()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def arguments(self) -> list[str]:
        """The bus arguments of a client."""
        return ["-i", "twinaxle", "-c", f"127.0.0.1:{self.port}"]

    def _serve(self) -> None:
        try:
            client, _ = self._listener.accept()
            client.settimeout(TIMEOUT_S)
            client.sendall(b"< hi >")
            client.recv(200)  # open
            client.sendall(b"< ok >")
            client.recv(200)  # rawmode
            with self._lock:
                client.sendall(b"< ok >" + self._early)
                self._client = client
        except OSError:
            return

    def send(self, messages: list[can.Message]) -> None:
        """Send frames to the client."""
        lines = [
            f"< frame {message.arbitration_id:03X} {message.timestamp:.6f} {bytes(message.data).hex()} >"
            for message in messages
        ]
        text = "".join(lines).encode()
        with self._lock:
            if self._client is None:
                self._early += text
            else:
                self._client.sendall(text)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        self._listener.close()


@pytest.fixture
def source() -> Iterator[Source]:
    server = Source()
    yield server
    server.close()


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(source: Source) -> Iterator[Start]:
    """Starts `twinaxle log ARGUMENTS` on the source as a child process."""
    children = []

    def run(*arguments: str | Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "twinaxle", "log", *map(str, arguments), *source.arguments]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        children.append(child)
        return child

    yield run
    for child in children:
        child.kill()
        child.communicate()


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that another process or thread does."""
    end_s = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < end_s, f"waited in vain for {what}"
        time.sleep(0.02)


def frames(count: int, *, start_s: float = 1_700_000_000.0, step_s: float = 0.001) -> list[can.Message]:
    """Data frames with the number of the frame as content."""
    return [
        can.Message(
            timestamp=start_s + index * step_s,
            arbitration_id=0x300 + index % 4,
            is_extended_id=False,
            data=index.to_bytes(8, "big"),
        )
        for index in range(count)
    ]


def numbers(path: Path) -> list[int]:
    """The numbers of the frames in a log of `frames`."""
    return [int.from_bytes(message.data, "big") for message in can.LogReader(path)]
