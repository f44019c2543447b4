"""The log as the rules look at it: by message, with the receiver's verdict on each frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from twinaxle.dbc.model import Database, Message, Signal
from twinaxle.decode.columns import Column, decode
from twinaxle.e2e import COUNTERS, Verdict
from twinaxle.errors import UserError
from twinaxle.judge.stream import USABLE
from twinaxle.logs.bits import INTERMISSION_BITS, frame_bits
from twinaxle.logs.e2e import verdicts
from twinaxle.logs.frames import ERROR, REMOTE, FrameTable, Index, Mask

Seconds = npt.NDArray[np.float64]

_UNTRUSTED = (Verdict.WRONG_CRC, Verdict.WRONG_LENGTH, Verdict.INVALID_COUNTER)


def _seconds(time_ns: npt.NDArray[np.int64]) -> Seconds:
    time_s: Seconds = time_ns * np.float64(1e-9)
    return time_s


@dataclass(frozen=True, eq=False)
class MessageFrames:
    """The data frames of one message, in the order of time. Times are s since the start of the log."""

    message: Message
    table: FrameTable
    start_ns: int

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def time_s(self) -> Seconds:
        """End of each frame."""
        return _seconds(self.table.time_ns - self.start_ns)

    @cached_property
    def cycles_s(self) -> Seconds:
        """Distances of the frames, one fewer than there are."""
        return _seconds(np.diff(self.table.time_ns))

    @cached_property
    def right_length(self) -> Mask:
        """True where the length is the DBC's."""
        mask: Mask = self.table.length == self.message.length
        return mask

    @cached_property
    def verdicts(self) -> npt.NDArray[np.uint8] | None:
        """The E2E verdict on each frame; None without E2E."""
        return verdicts(self.message, self.table) if self.message.e2e else None

    @cached_property
    def usable(self) -> Mask:
        """True where a receiver takes the frame."""
        return self.right_length if self.verdicts is None else np.isin(self.verdicts, USABLE)

    @cached_property
    def trusted(self) -> Mask:
        """True where the content is the sender's, whether or not it came in the right sequence."""
        return self.right_length if self.verdicts is None else ~np.isin(self.verdicts, _UNTRUSTED)

    @cached_property
    def lost(self) -> tuple[Index, npt.NDArray[np.int64]]:
        """Where the counter jumps: the frames after the jumps, and how many frames are missing before each."""
        rows = np.flatnonzero(self.trusted)
        steps = np.diff(self.table.data[rows, 1].astype(np.int64) & 0x0F) % COUNTERS
        jumps = np.flatnonzero(steps > 1)
        return rows[jumps + 1], steps[jumps] - 1

    def column(self, signal: Signal) -> Column:
        """A signal over all frames."""
        return decode(self.message, self.table, [signal]).columns[0]

    def first_s(self, mask: Mask) -> float | None:
        """Time of the first frame that the mask has; None if it has none."""
        return float(self.time_s[int(np.argmax(mask))]) if mask.any() else None


class Material:
    """One log and the database that it is judged by.

    `messages` has what was seen of the database, `unknown` the other identifiers with their frames.
    """

    def __init__(self, table: FrameTable, database: Database, bitrate: int) -> None:
        """Raises UserError if the log is empty."""
        if not len(table):
            raise UserError("there is no frame to judge")
        self.table = table = table.in_time_order()
        self.database = database
        self.bitrate = bitrate
        self.start_ns = int(table.time_ns[0])
        self.end_s = (int(table.time_ns[-1]) - self.start_ns) * 1e-9
        self.messages: dict[str, MessageFrames] = {}
        self.unknown: dict[int, FrameTable] = {}
        for key, rows in table.rows_by_key().items():
            message = database.by_id.get(key)
            if message is None:
                self.unknown[key] = table.take(rows)
            else:
                self.messages[message.name] = MessageFrames(message, table.take(rows), self.start_ns)

    def __iter__(self) -> Iterator[MessageFrames]:
        """What was seen of the database, in its order."""
        return (self.messages[name] for name in self.database.messages if name in self.messages)

    def times_s(self, flag: int) -> Seconds:
        """Times of the frames with a flag (`ERROR`, `REMOTE`)."""
        return _seconds(self.table.time_ns[(self.table.flags & flag) != 0] - self.start_ns)

    @property
    def error_times_s(self) -> Seconds:
        """Times of the error frames."""
        return self.times_s(ERROR)

    @property
    def remote_times_s(self) -> Seconds:
        """Times of the remote frames."""
        return self.times_s(REMOTE)

    @cached_property
    def busy_s(self) -> Seconds:
        """Time that each frame takes on the bus, stuff bits and intermission included."""
        busy_s: Seconds = (frame_bits(self.table) + INTERMISSION_BITS) / np.float64(self.bitrate)
        return busy_s

    @cached_property
    def load_percent(self) -> float:
        """Mean bus load: all frames but the first, which ends where the log starts, over the time of the log."""
        return 100 * float(self.busy_s[1:].sum()) / self.end_s if self.end_s else 0.0

    def worst_load(self, window_s: float) -> tuple[float, float]:
        """The highest load in percent in a window of this length, and the time at which the window ends, in s.

        Of a log that is shorter than the window the mean is taken.
        """
        if self.end_s <= window_s:
            return self.load_percent, self.end_s
        busy_s = np.concatenate([[0.0], np.cumsum(self.busy_s)])
        time_ns = self.table.time_ns
        first = np.searchsorted(time_ns, time_ns - round(window_s * 1e9), side="right")
        loads = (busy_s[1:] - busy_s[first]) / window_s
        # A window that begins before the log would flatter it, one that begins inside is whole.
        loads[time_ns < time_ns[0] + round(window_s * 1e9)] = 0.0
        worst = int(np.argmax(loads))
        return 100 * float(loads[worst]), (int(time_ns[worst]) - self.start_ns) * 1e-9
