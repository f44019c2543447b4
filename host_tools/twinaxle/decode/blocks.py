"""A log cut into decoded blocks, so that the memory that is needed does not grow with the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twinaxle.dbc.model import Database, Message, Signal
from twinaxle.dbc.names import Place
from twinaxle.decode.columns import DecodedMessage, decode
from twinaxle.e2e import Verdict
from twinaxle.logs.e2e import verdicts
from twinaxle.logs.frames import FrameTable, Index, Mask

NO_VERDICT = len(Verdict)
"""Stands for the verdict on a frame whose message has no E2E protection."""
VERDICT_NAMES = (*(verdict.name for verdict in Verdict), "")

_BLOCK = 200_000

Verdicts = npt.NDArray[np.uint8]


class Selected(NamedTuple):
    """A message and those of its signals that are wanted."""

    message: Message
    signals: tuple[Signal, ...]


@dataclass(frozen=True, eq=False)
class Block:
    """Frames of one message, decoded."""

    decoded: DecodedMessage
    rows: Index
    """[n] Places of the frames in the log."""
    verdicts: Verdicts | None
    """[n] `Verdict`, or NO_VERDICT; None if they were not asked for."""

    def __len__(self) -> int:
        return len(self.rows)


class LogDecoder:
    """The data frames of a log, decoded message by message or in the order of the log."""

    def __init__(
        self,
        frames: FrameTable,
        database: Database,
        places: Sequence[Place],
        *,
        chosen: slice | Mask = slice(None),
        with_verdicts: bool = False,
    ) -> None:
        """Takes the signals `places` of the `chosen` frames. Verdicts come from all frames, as a receiver's do."""
        self.selection = _by_message(places)
        self.with_verdicts = with_verdicts
        self.short_frames: dict[str, int] = {}
        """Message name -> frames so far that are shorter than the message."""
        self._frames = frames
        rows = frames.rows_by_key()
        self._verdicts = _all_verdicts(frames, database, rows) if with_verdicts else None
        if not isinstance(chosen, slice):
            rows = {key: found[chosen[found]] for key, found in rows.items()}
        self._rows = {key: found for key, found in rows.items() if len(found)}
        self.unknown = {key: len(found) for key, found in self._rows.items() if key not in database.by_id}
        """`Message.key` -> number of the data frames that no message of the DBC describes."""

    @property
    def frames_chosen(self) -> int:
        """How many of the chosen frames are data frames, of the DBC or not."""
        return sum(map(len, self._rows.values()))

    def count(self, message: Message) -> int:
        """How many frames of the message are decoded."""
        return len(self._rows.get(message.key, ()))

    def message_blocks(self, selected: Selected) -> Iterator[Block]:
        """The frames of one message in blocks."""
        rows = self._rows.get(selected.message.key, np.empty(0, dtype=np.intp))
        for start in range(0, len(rows), _BLOCK):
            yield self._block(selected, rows[start : start + _BLOCK])

    def log_blocks(self) -> Iterator[list[Block]]:
        """Stretches of the log, one after another, each as one block for every message that it has."""
        for start in range(0, len(self._frames), _BLOCK):
            blocks = []
            for selected in self.selection:
                rows = self._rows.get(selected.message.key, np.empty(0, dtype=np.intp))
                first, last = np.searchsorted(rows, (start, start + _BLOCK))
                if last > first:
                    blocks.append(self._block(selected, rows[first:last]))
            if blocks:
                yield blocks

    def in_time_order(self, selected: Selected) -> Block:
        """All frames of a message by their times."""
        rows = self._rows.get(selected.message.key, np.empty(0, dtype=np.intp))
        return self._block(selected, rows[np.argsort(self._frames.time_ns[rows], kind="stable")])

    def _block(self, selected: Selected, rows: Index) -> Block:
        message = selected.message
        decoded = decode(message, self._frames.take(rows), selected.signals)
        if decoded.short_frames:
            self.short_frames[message.name] = self.short_frames.get(message.name, 0) + decoded.short_frames
        return Block(decoded, rows, None if self._verdicts is None else self._verdicts[rows])


def _by_message(places: Sequence[Place]) -> tuple[Selected, ...]:
    messages: dict[str, Message] = {}
    signals: dict[str, list[Signal]] = {}
    for place in places:
        messages[place.message.name] = place.message
        signals.setdefault(place.message.name, []).append(place.signal)
    return tuple(Selected(message, tuple(signals[name])) for name, message in messages.items())


def _all_verdicts(frames: FrameTable, database: Database, rows: dict[int, Index]) -> Verdicts:
    """Verdicts on all frames; each channel has a receiver of its own."""
    result = np.full(len(frames), NO_VERDICT, dtype=np.uint8)
    for key, found in rows.items():
        message = database.by_id.get(key)
        if message is None or message.e2e is None:
            continue
        channels = frames.channel[found]
        for channel in np.unique(channels):
            one = found[channels == channel]
            result[one] = verdicts(message, frames.take(one))
    return result
