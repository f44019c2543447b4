"""Takes the frames of a live bus for the judge."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from twinaxle.dbc.model import EXTENDED, Database
from twinaxle.judge.stream import StreamWatch
from twinaxle.logs.frames import FrameTable
from twinaxle.logs.read import table_of

if TYPE_CHECKING:
    import can

_WAIT_S = 0.1
_STATUS_S = 0.5

Status = Callable[[float, StreamWatch], None]
"""`status(elapsed_s, watch)`, twice a second."""


def collect(
    bus: can.BusABC, database: Database, duration_s: float | None, status: Status | None = None
) -> tuple[FrameTable, str]:
    """All frames that come in `duration_s` seconds of the wall clock, or until KeyboardInterrupt (None).

    Returns them, and why the bus failed before that time, empty if it did not.
    """
    problems: list[str] = []
    return table_of(_received(bus, StreamWatch(database), duration_s, status, problems.append)), "".join(problems)


def _received(
    bus: can.BusABC,
    watch: StreamWatch,
    duration_s: float | None,
    status: Status | None,
    failed: Callable[[str], None],
) -> Iterator[can.Message]:
    import can

    start_s = time.monotonic()
    next_status_s = _STATUS_S
    try:
        while duration_s is None or time.monotonic() - start_s < duration_s:
            try:
                message = bus.recv(_WAIT_S)
            except (can.CanError, OSError) as error:
                failed(f"the bus failed: {error}")
                return
            if message is not None:
                if not (message.is_error_frame or message.is_remote_frame):
                    key = message.arbitration_id | EXTENDED if message.is_extended_id else message.arbitration_id
                    watch.feed(message.timestamp, key, message.data)
                yield message
            elapsed_s = time.monotonic() - start_s
            if status is not None and elapsed_s >= next_status_s:
                next_status_s = elapsed_s + _STATUS_S
                status(elapsed_s, watch)
    except KeyboardInterrupt:
        return
