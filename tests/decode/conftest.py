"""A log of the powertrain protocol with a bit of everything, and the command that decodes it."""

import csv
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import can
import pytest

from twinaxle.cli import main
from twinaxle.dbc import powertrain
from twinaxle.e2e import Protector

Run = Callable[..., str]


def drive(count: int = 400, seed: int = 3) -> list[can.Message]:
    """Every message in turn, signed where it is protected, with an error, a remote, an unknown and a short frame."""
    rng = random.Random(seed)
    messages = list(powertrain().messages.values())
    protectors = {message.name: Protector(message.e2e.data_id) for message in messages if message.e2e}
    log = []
    for at in range(count):
        message = messages[at % len(messages)]
        data = rng.randbytes(message.length)
        if message.name in protectors:
            data = protectors[message.name].protect(data)
        log.append(frame(at, message.frame_id, data))
    log.insert(50, can.Message(timestamp=1.7e9 + 0.05, is_error_frame=True, channel=0))
    log.insert(60, can.Message(timestamp=1.7e9 + 0.06, arbitration_id=0x100, is_remote_frame=True, dlc=8, channel=0,
                               is_extended_id=False))  # fmt: skip
    log.insert(70, frame(70, 0x6AB, b"\1"))
    log.insert(80, frame(80, 0x100, b"\1\2\3"))
    return sorted(log, key=lambda message: message.timestamp)


def frame(at_ms: int, can_id: int, data: bytes, start_s: float = 1.7e9) -> can.Message:
    time_s = start_s + at_ms / 1000
    return can.Message(timestamp=time_s, arbitration_id=can_id, is_extended_id=False, data=data, channel=0)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_blf(tmp_path / "drive.blf", drive())


def write_blf(path: Path, messages: list[can.Message]) -> Path:
    with can.BLFWriter(path) as writer:
        for message in messages:
            writer(message)
    return path


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Runs `twinaxle ARGS`; asserts the exit code and gives standard output, or standard error where it is not 0."""

    def call(*args: Any, code: int = 0) -> str:
        capfdbinary.readouterr()
        assert main([str(arg) for arg in args]) == code
        out, err = capfdbinary.readouterr()
        call.err = err.decode()  # type: ignore[attr-defined]
        return (out if code == 0 else err).decode()

    return call


def table(text: str) -> list[dict[str, str]]:
    """A CSV table as rows by column."""
    return list(csv.DictReader(text.splitlines()))
