"""Frames of a bus as columns: what all tools that work on whole logs share."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from twinaxle.dbc.model import EXTENDED as EXTENDED_KEY
from twinaxle.logs.distinct import distinct

EXTENDED = 1
"""Flag: the identifier has 29 bits."""
REMOTE = 2
"""Flag: a remote frame; `length` is the length it asks for, the data is zero."""
ERROR = 4
"""Flag: an error frame; identifier and data mean nothing."""
SENT = 8
"""Flag: the program that wrote the log sent the frame itself."""

FD = 16
"""Flag: a CAN FD frame."""

NO_CHANNEL = -1
CLASSIC_BYTES = 8
FD_BYTES = 64

Mask = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class FrameTable:
    """CAN frames in the order of the log, one array for each property, all of the same length n."""

    time_ns: npt.NDArray[np.int64]
    """End of frame as the log has it: ns since 1970, or since the start if the log only knows that."""
    can_id: npt.NDArray[np.uint32]
    """Identifier without flags."""
    flags: npt.NDArray[np.uint8]
    """EXTENDED, REMOTE, ERROR, SENT, FD."""
    length: npt.NDArray[np.uint8]
    """Bytes of data, 0 to 8, or 64 for CAN FD."""
    data: npt.NDArray[np.uint8]
    """[n, 8], or [n, 64] where CAN FD frames are among them; zero after the last byte."""
    channel: npt.NDArray[np.int16]
    """Channel as python-can counts it (the first is 0), NO_CHANNEL where the log has none or only a name."""
    skipped: dict[str, int] = field(default_factory=dict)
    """What the log has besides and this table cannot hold, with its number: {"CAN FD frames": 12}."""
    notes: tuple[str, ...] = ()
    """What was wrong with the log, in words for the user, such as where a truncated file ends."""

    def __len__(self) -> int:
        return len(self.time_ns)

    @cached_property
    def words(self) -> npt.NDArray[np.uint64]:
        """The first 8 bytes of each frame as one little-endian number: [n]."""
        return self.data.view("<u8")[:, 0]

    @property
    def width(self) -> int:
        """Bytes in a row of `data`."""
        return int(self.data.shape[1])

    def widened(self, width: int) -> FrameTable:
        """The same frames with rows of `data` of `width` bytes."""
        if width == self.width:
            return self
        data = np.zeros((len(self), width), dtype=np.uint8)
        data[:, : self.width] = self.data
        return replace(self, data=data)

    @cached_property
    def keys(self) -> npt.NDArray[np.uint32]:
        """Identifiers as `Message.key` has them: 1 << 31 added to an extended one."""
        return np.where(self.flags & EXTENDED, self.can_id | np.uint32(EXTENDED_KEY), self.can_id)

    @cached_property
    def is_data(self) -> Mask:
        """True for data frames: neither remote nor error frames."""
        mask: Mask = (self.flags & (REMOTE | ERROR)) == 0
        return mask

    @property
    def has_error(self) -> Mask:
        """True for error frames."""
        mask: Mask = (self.flags & ERROR) != 0
        return mask

    @property
    def time_s(self) -> npt.NDArray[np.float64]:
        """`time_ns` in seconds."""
        return self.time_ns / 1e9

    def annotated(self, skipped: dict[str, int], notes: tuple[str, ...]) -> FrameTable:
        """The same frames with other `skipped` and `notes`."""
        return replace(self, skipped=skipped, notes=notes)

    def take(self, rows: Mask | Index | slice) -> FrameTable:
        """The rows that a mask, an index array or a slice picks."""
        columns = {name: getattr(self, name)[rows] for name in _COLUMNS if name != "data"}
        if self.width == CLASSIC_BYTES:  # one number a row is quicker than eight bytes
            data = self.words[rows].view(np.uint8).reshape(-1, CLASSIC_BYTES)
        else:
            data = self.data[rows]
        return replace(self, **columns, data=data)

    def rows_between(self, start_s: float | None, end_s: float | None) -> slice | Mask:
        """The rows from `start_s` to `end_s` (both included), in seconds after the first frame; None is no bound."""
        if not len(self) or (start_s is None and end_s is None):
            return slice(None)
        after_ns = self.time_ns - self.time_ns.min()
        keep = np.ones(len(self), dtype=np.bool_)
        if start_s is not None:
            keep &= after_ns >= round(start_s * 1e9)
        if end_s is not None:
            keep &= after_ns <= round(end_s * 1e9)
        return keep

    def between(self, start_s: float | None, end_s: float | None) -> FrameTable:
        """The frames of `rows_between`."""
        return self.take(self.rows_between(start_s, end_s))

    def in_time_order(self) -> FrameTable:
        """The frames by time; those of one time stay in the order of the log."""
        if np.all(self.time_ns[1:] >= self.time_ns[:-1]):
            return self
        return self.take(np.argsort(self.time_ns, kind="stable"))

    def rows_by_key(self) -> dict[int, Index]:
        """The rows of the data frames for each identifier (see `keys`), ascending."""
        rows = np.flatnonzero(self.is_data)
        found, inverse = distinct(self.keys[rows])
        if len(found) <= 1 << 16:
            inverse = inverse.astype(np.uint16)  # numpy sorts these in linear time
        order = np.argsort(inverse, kind="stable")
        ends = np.cumsum(np.bincount(inverse, minlength=len(found)))
        return dict(zip(found.tolist(), np.split(rows[order], ends[:-1]), strict=True)) if len(rows) else {}


_COLUMNS = ("time_ns", "can_id", "flags", "length", "data", "channel")
assert tuple(item.name for item in fields(FrameTable))[: len(_COLUMNS)] == _COLUMNS


def make_table(
    time_ns: npt.ArrayLike,
    can_id: npt.ArrayLike,
    flags: npt.ArrayLike,
    length: npt.ArrayLike,
    data: npt.ArrayLike,
    channel: npt.ArrayLike,
    skipped: dict[str, int] | None = None,
    notes: tuple[str, ...] = (),
) -> FrameTable:
    """A table from columns of any kind that converts. Raises ValueError if their lengths differ.

    `data` has rows of 8 bytes, or is [n, 64].
    """
    rows = np.ascontiguousarray(data, dtype=np.uint8)
    table = FrameTable(
        np.ascontiguousarray(time_ns, dtype=np.int64),
        np.ascontiguousarray(can_id, dtype=np.uint32),
        np.ascontiguousarray(flags, dtype=np.uint8),
        np.ascontiguousarray(length, dtype=np.uint8),
        rows if rows.shape[1:] == (FD_BYTES,) else rows.reshape(-1, CLASSIC_BYTES),
        np.ascontiguousarray(channel, dtype=np.int16),
        skipped or {},
        notes,
    )
    lengths = {len(getattr(table, name)) for name in _COLUMNS}
    if len(lengths) != 1:
        raise ValueError(f"columns of different lengths: {sorted(lengths)}")
    return table


def empty_table(time_ns: npt.NDArray[np.int64]) -> FrameTable:
    """Frames at these times with zeros in all other columns, to be filled in."""
    count = len(time_ns)
    return FrameTable(
        time_ns,
        np.zeros(count, dtype=np.uint32),
        np.zeros(count, dtype=np.uint8),
        np.zeros(count, dtype=np.uint8),
        np.zeros((count, 8), dtype=np.uint8),
        np.zeros(count, dtype=np.int16),
    )


def concatenate(tables: list[FrameTable]) -> FrameTable:
    """The tables one after another; what was skipped is summed up, the notes are collected."""
    if len(tables) == 1:
        return tables[0]
    skipped: dict[str, int] = {}
    for table in tables:
        for what, count in table.skipped.items():
            skipped[what] = skipped.get(what, 0) + count
    notes = tuple(note for table in tables for note in table.notes)
    if not tables:
        return make_table([], [], [], [], np.empty((0, 8), dtype=np.uint8), [])
    widest = max(table.width for table in tables)
    tables = [table.widened(widest) for table in tables]
    columns = {name: np.concatenate([getattr(table, name) for table in tables]) for name in _COLUMNS}
    return FrameTable(**columns, skipped=skipped, notes=notes)
