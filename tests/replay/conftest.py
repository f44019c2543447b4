"""A virtual bus of python-can with a listener, and logs of the powertrain protocol."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import can
import pytest
from can.interfaces.virtual import VirtualBus

from tests.decode.conftest import drive, frame, run, write_blf
from twinaxle.replay.pacer import Pacer

__all__ = ["drive", "frame", "run", "write_blf"]

CHANNEL = "twinaxle-replay-tests"


@pytest.fixture
def listener() -> Iterator[can.BusABC]:
    """The other end of the bus that a command opens with `BUS`."""
    with can.Bus(interface="virtual", channel=CHANNEL) as bus:
        yield bus


BUS = ["-i", "virtual", "-c", CHANNEL]


def received(bus: can.BusABC) -> list[can.Message]:
    """All that has come."""
    messages = []
    while (message := bus.recv(0)) is not None:
        messages.append(message)
    return messages


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_blf(tmp_path / "drive.blf", drive())


class Clock:
    """A clock that moves by 1 us with each look, and by what is slept, plus an oversleep."""

    def __init__(self, late_ns: int = 0) -> None:
        self.now_ns = 5_000_000_000
        self.late_ns = late_ns
        self.slept: list[float] = []

    def read(self) -> int:
        self.now_ns += 1000
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_ns += round(seconds * 1e9) + self.late_ns


@pytest.fixture
def sent_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When each frame was handed to the virtual bus, in seconds of a clock of the test, which oversleeps by 50 us: what
    a busy machine adds is no matter of the commands.
    """
    clock = Clock(late_ns=50_000)
    times: list[float] = []
    send = VirtualBus.send

    def noted(self: Any, message: can.Message, timeout: float | None = None) -> None:
        times.append(clock.now_ns * 1e-9)
        send(self, message, timeout)

    monkeypatch.setattr(VirtualBus, "send", noted)
    for module in ("player", "sender"):
        monkeypatch.setattr(f"twinaxle.replay.{module}.Pacer", lambda: Pacer(clock.read, clock.sleep))
    return times
