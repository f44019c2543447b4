"""Frames for logs, and logs as python-can writes them."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import can
import pytest

Write = Callable[..., Path]

START_S = 1_700_000_000.25


def frames(count: int, *, seed: int = 1, start_s: float = START_S, step_s: float = 0.0005) -> list[can.Message]:
    """Data, remote and error frames with short, extended and every length of data, on two channels."""
    rng = random.Random(seed)
    messages = []
    for index in range(count):
        kind = rng.random()
        extended = rng.random() < 0.3
        length = rng.randint(0, 8)
        message = can.Message(
            timestamp=start_s + index * step_s,
            arbitration_id=rng.randrange(1 << 29 if extended else 1 << 11),
            is_extended_id=extended,
            is_remote_frame=kind < 0.05,
            is_error_frame=kind > 0.95,
            dlc=length,
            data=b"" if kind < 0.05 else rng.randbytes(length),
            channel=rng.randint(0, 1),
            is_rx=rng.random() < 0.8,
        )
        messages.append(message)
    return messages


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Writes messages to a log with python-can's own writer: `write("name.blf", messages, option=...) -> Path`."""

    def to_file(name: str, messages: list[can.Message], **options: Any) -> Path:
        path = tmp_path / name
        with can.Logger(path, **options) as writer:
            for message in messages:
                writer(message)
        return path

    yield to_file
