"""The E2E receiver's verdicts on all frames of a message at once: `twinaxle.e2e.Checker` for arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twinaxle.dbc.model import Message
from twinaxle.e2e import COUNTERS, CRC_TABLE, Verdict, crc_seed
from twinaxle.logs.frames import FrameTable

_TABLE = np.frombuffer(CRC_TABLE, dtype=np.uint8)


def verdicts(message: Message, frames: FrameTable) -> npt.NDArray[np.uint8]:
    """The verdict (`Verdict`) on each frame of one message from one sender, in the order of reception.

    Raises ValueError if the message has no E2E protection.
    """
    if message.e2e is None:
        raise ValueError(f"message {message.name} has no E2E protection")
    result = np.full(len(frames), Verdict.WRONG_LENGTH, dtype=np.uint8)
    rows = np.flatnonzero(frames.length == message.length)
    crc = np.full(len(rows), crc_seed(message.e2e.data_id), dtype=np.uint8)
    for place in range(1, message.length):
        crc = _TABLE[crc ^ frames.data[rows, place]]
    right = crc == frames.data[rows, 0]
    result[rows[~right]] = Verdict.WRONG_CRC
    rows = rows[right]
    counters = frames.data[rows, 1] & 0x0F
    result[rows[counters == COUNTERS]] = Verdict.INVALID_COUNTER
    rows, counters = rows[counters < COUNTERS], counters[counters < COUNTERS]
    if len(rows):
        result[rows] = _by_counter(counters.astype(np.int8), message.e2e.max_delta)
    return result


def _by_counter(counters: npt.NDArray[np.int8], max_delta: int) -> npt.NDArray[np.uint8]:
    """Verdicts on frames that are right in themselves, by their counters."""
    steps = np.diff(counters, prepend=counters[:1]) % COUNTERS
    result = np.full(len(counters), Verdict.OK_SOME_LOST, dtype=np.uint8)
    result[steps == 1] = Verdict.OK
    result[steps == 0] = Verdict.REPEATED
    result[steps > max_delta] = Verdict.WRONG_SEQUENCE
    result[0] = Verdict.INITIAL
    # The first frame after a wrong sequence, repetitions aside, is the one that synchronises.
    moving = np.flatnonzero(steps != 0)
    after_wrong = moving[1:][result[moving[:-1]] == Verdict.WRONG_SEQUENCE]
    result[after_wrong[result[after_wrong] != Verdict.WRONG_SEQUENCE]] = Verdict.SYNC
    return result
