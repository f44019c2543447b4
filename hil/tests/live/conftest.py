"""A hub on a bare virtual bus in the test's hand, raw TCP clients, child processes beside a live bench."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from selectors import SelectSelector
from typing import Any

import pytest

from hil.bus import Bus, Frame
from hil.car import warm_up
from hil.kernel import Kernel
from hil.live.bench import LiveBench
from hil.live.hub import Hub

PATIENCE_S = 60.0
"""How long a test waits for what must come; only a broken one waits so long."""
LONG_PATIENCE_S = 240.0
"""The same for what takes a quarter of a minute on an idle machine."""


@pytest.fixture(scope="session", autouse=True)
def compiled() -> None:
    """Programs find compiled code: making it takes longer than a test waits."""
    warm_up()


class Raw:
    """A client that speaks bytes."""

    def __init__(self, port: int, pump: Callable[[], None], receive_buffer: int | None = None) -> None:
        self.pump = pump
        self.text = b""
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)

    def send(self, text: bytes) -> None:
        self.socket.sendall(text)

    def read(self) -> bytes:
        """What came since the last read. b"" if nothing did."""
        try:
            data = self.socket.recv(1 << 20)
        except BlockingIOError:
            return b""
        if not data:
            raise ConnectionResetError("the server closed the connection")
        self.text += data
        return data

    def expect(self, end: bytes) -> bytes:
        """Wait until the text ends so; returns it and forgets it."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not self.text.endswith(end):
            assert time.monotonic() < deadline_s, f"{end!r} did not come, but {self.text!r}"
            self.pump()
            self.read()
        text, self.text = self.text, b""
        return text

    def join(self) -> None:
        """Up to raw mode."""
        assert self.expect(b" >") == b"< hi >"
        self.send(b"< open vcan0 >")
        assert self.expect(b" >") == b"< ok >"
        self.send(b"< rawmode >")
        assert self.expect(b" >") == b"< ok >"

    def close(self) -> None:
        self.socket.close()


class HubRig:
    """A hub and a node on a virtual bus whose time the test lets pass."""

    def __init__(self, **options: Any) -> None:
        self.kernel = Kernel()
        self.bus = Bus(self.kernel)
        self.node = self.bus.attach("NODE")
        self.selector = SelectSelector()
        self.said: list[str] = []
        self.log: list[tuple[Frame, str]] = []
        self.bus.tap(lambda time_ns, frame, sender: self.log.append((frame, sender)))
        self.hub = Hub(self.bus, self.selector, say=self.said.append, **{"hold_s": 0.0, **options})
        self._raw: list[Raw] = []

    def pump(self, ms: float = 1.0) -> None:
        """One turn of the live bench's loop."""
        self.kernel.run_until(self.kernel.now_ns + round(ms * 1e6))
        self.hub.flush()
        for key, mask in self.selector.select(0):
            key.data(mask)

    def until(self, condition: Callable[[], object]) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline_s, "it never happened"
            self.pump()

    def raw(self, receive_buffer: int | None = None) -> Raw:
        client = Raw(self.hub.port, self.pump, receive_buffer)
        self._raw.append(client)
        return client

    def joined(self, receive_buffer: int | None = None) -> Raw:
        client = self.raw(receive_buffer)
        client.join()
        return client

    def close(self) -> None:
        for client in self._raw:
            client.close()
        self.hub.close()
        self.selector.close()


@pytest.fixture
def rig() -> Iterator[HubRig]:
    made = HubRig()
    yield made
    made.close()


@pytest.fixture
def live() -> Iterator[Callable[..., LiveBench]]:
    """Makes live benches that are closed with the test."""
    made: list[LiveBench] = []

    def make(**options: Any) -> LiveBench:
        made.append(LiveBench(**options))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


class Child:
    """A program beside the bench, in a pseudo terminal if it is one for the screen."""

    def __init__(self, *arguments: str, terminal: bool = False) -> None:
        self.output = b""
        environment = {**os.environ, "TERM": "xterm", "LINES": "50", "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, *arguments]
        self._end: int | None = None
        if terminal:
            import pty

            self._end, inner = pty.openpty()
            self.process = subprocess.Popen(
                command, stdin=inner, stdout=inner, stderr=inner, env=environment, start_new_session=True
            )
            os.close(inner)
        else:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
            )
            assert self.process.stdout is not None
            self._end = self.process.stdout.fileno()
        os.set_blocking(self._end, False)

    def read(self) -> str:
        """All that it printed so far."""
        assert self._end is not None
        try:
            while data := os.read(self._end, 1 << 16):
                self.output += data
        except (BlockingIOError, OSError):  # nothing more at present; the terminal's other end is closed
            pass
        return self.output.decode(errors="replace")

    def type(self, keys: bytes) -> None:
        assert self._end is not None
        os.write(self._end, keys)

    @property
    def ended(self) -> bool:
        self.read()
        return self.process.poll() is not None

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def child() -> Iterator[Callable[..., Child]]:
    """Starts programs that end with the test at the latest."""
    made: list[Child] = []

    def start(*arguments: str, terminal: bool = False) -> Child:
        made.append(Child(*arguments, terminal=terminal))
        return made[-1]

    yield start
    for process in made:
        process.close()


class Growing:
    """A text file that another process writes, line by line. Writers hand over some kilobytes at once, so lines that
    are in it were written for good, and some more may have been.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._lines = 0

    @property
    def lines(self) -> int:
        """Whole lines so far; 0 while there is no file."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._read)
                text = file.read()
            self._read += len(text)
            self._lines += text.count(b"\n")
        return self._lines


def until(condition: Callable[[], object], child: Child, patience_s: float = PATIENCE_S) -> None:
    """Wait for what a program does by itself; if it does not, its output is told."""
    deadline_s = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline_s, child.read()
        time.sleep(0.01)


def wait(bench: LiveBench, condition: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Let the bench live until the condition holds."""
    deadline_s = time.monotonic() + patience_s
    bench.run(until=lambda: bool(condition()) or time.monotonic() > deadline_s)
    assert condition(), "it never happened"


ROOT = Path(__file__).parents[3]
