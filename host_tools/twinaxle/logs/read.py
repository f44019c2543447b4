"""Reads a bus log of any format that python-can knows into arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from twinaxle.logs.frames import (
    CLASSIC_BYTES,
    ERROR,
    EXTENDED,
    FD,
    FD_BYTES,
    NO_CHANNEL,
    REMOTE,
    SENT,
    FrameTable,
    make_table,
)
from twinaxle.logs.messages import open_log, require_log, told, unreadable

if TYPE_CHECKING:
    import can

Progress = Callable[[int, int], None]
"""`progress(done, all)`, in bytes of the file."""

_STEP = 20_000  # frames between two reports of progress


def read_log(path: Path | str, progress: Progress | None = None, *, with_fd: bool = False) -> FrameTable:
    """All frames of a log, error frames too, in its order.

    BLF and MF4 are read in bulk, the other formats (.asc, .csv, .db, .log, .trc and their .gz) by python-can's readers.
    CAN FD frames are counted in `skipped` but for `with_fd`. Of a truncated or damaged log the readable frames are used
    and `notes` say what is wrong: show them to the user.

    Raises UserError if the file cannot be read, its suffix is unknown or nothing in it can be read.
    """
    path = Path(path)
    require_log(path)
    if path.suffix.lower() == ".blf":
        from twinaxle.logs.blf import read_blf

        return read_blf(path, progress, with_fd=with_fd)
    if path.suffix.lower() == ".mf4":
        from twinaxle.logs.mf4 import read_mf4

        table = read_mf4(path, with_fd=with_fd)
        if table is not None:
            return table
    return _read_by_messages(path, progress, with_fd)


def _read_by_messages(path: Path, progress: Progress | None, with_fd: bool) -> FrameTable:
    """The log as python-can's reader for its suffix gives it, message by message."""
    columns = _Columns(with_fd)
    notes: tuple[str, ...] = ()
    with open_log(path) as reader:
        try:
            columns.extend(reader, path, progress)
        except Exception as error:  # each reader raises what its parser happens to
            if not len(columns):
                raise unreadable(path, error) from None
            notes = (f"{path}: damaged after {len(columns)} frames, which are used: {told(error)}",)
    return columns.table(notes)


def table_of(messages: Iterable[can.Message], *, with_fd: bool = False) -> FrameTable:
    """Messages of python-can as a table. CAN FD frames are counted in `skipped` but for `with_fd`."""
    columns = _Columns(with_fd)
    columns.extend(messages)
    return columns.table()


class _Columns:
    """Messages under collection."""

    def __init__(self, with_fd: bool) -> None:
        self._with_fd = with_fd
        self._long: dict[int, bytes] = {}
        """Row -> data of a frame that has more than 8 bytes."""
        self._time_ns: list[int] = []
        self._heads: list[int] = []  # identifier << 16 | flags << 8 | length
        self._channels: list[int] = []
        self._data = bytearray()
        self._skipped: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._time_ns)

    def extend(
        self, messages: Iterable[can.Message], path: Path | None = None, progress: Progress | None = None
    ) -> None:
        add = self._add
        size = path.stat().st_size if path is not None else 0
        for count, message in enumerate(messages, 1):
            add(message)
            if progress is not None and count % _STEP == 0:
                progress(min(size, position(messages)), size)
        if progress is not None:
            progress(size, size)

    def _add(self, message: can.Message) -> None:
        length = min(message.dlc, CLASSIC_BYTES)
        flags = 0
        if message.is_fd:
            if not self._with_fd:
                self._skipped["CAN FD frames"] += 1
                return
            length, flags = min(message.dlc, FD_BYTES), FD
            if length > CLASSIC_BYTES:
                self._long[len(self)] = bytes(message.data[:length])
        if message.is_extended_id:
            flags |= EXTENDED
        if message.is_remote_frame:
            flags |= REMOTE
        if message.is_error_frame:
            flags |= ERROR
        if not message.is_rx:
            flags |= SENT
        self._time_ns.append(round(message.timestamp * 1e9))
        self._heads.append(message.arbitration_id << 16 | flags << 8 | length)
        self._channels.append(_channel_number(message.channel))
        self._data += bytes(message.data[: min(length, CLASSIC_BYTES)]).ljust(CLASSIC_BYTES, b"\0")

    def table(self, notes: tuple[str, ...] = ()) -> FrameTable:
        heads = np.array(self._heads, dtype=np.int64)
        table = make_table(
            self._time_ns, heads >> 16, heads >> 8 & 0xFF, heads & 0xFF, np.frombuffer(self._data, dtype=np.uint8),
            self._channels, dict(self._skipped), notes,
        )  # fmt: skip
        if self._long:
            table = table.widened(FD_BYTES)
            for row, data in self._long.items():
                table.data[row, : len(data)] = np.frombuffer(data, dtype=np.uint8)
        return table


def _channel_number(channel: int | str | Sequence[int] | None) -> int:
    """The number in a channel such as 1, "can1" or "vcan0"; NO_CHANNEL where there is none."""
    if isinstance(channel, int):
        return channel
    from can.util import channel2int

    number = channel2int(channel)
    return NO_CHANNEL if number is None else number


def position(reader: object) -> int:
    """How far a reader is in its file, in bytes; 0 where it cannot tell."""
    try:
        file = reader.file  # type: ignore[attr-defined]
        return int((getattr(file, "buffer", file)).tell())
    except (AttributeError, OSError, ValueError):
        return 0
