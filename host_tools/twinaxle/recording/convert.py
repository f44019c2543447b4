"""Turns logs into a log of another format: merged, cut, filtered, decoded."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twinaxle.dbc.model import EXTENDED, Database
from twinaxle.errors import UserError
from twinaxle.files import replaced
from twinaxle.logs.frames import ERROR, NO_CHANNEL, FrameTable, concatenate
from twinaxle.logs.messages import messages_of, open_log
from twinaxle.logs.read import position, read_log, table_of
from twinaxle.recording.formats import LogFile, kind_of
from twinaxle.recording.sources import messages

if TYPE_CHECKING:
    import can

Progress = Callable[[float, float], None]
"""`progress(done, all)`, now and then; in bytes of the inputs."""

_STEP = 50_000
_ROUNDING_S = 5e-7
"""Logs cut their times off at a microsecond or less: a frame on a bound is inside."""


@dataclass(frozen=True)
class Selection:
    """Which frames are taken. Times are s after the first frame of all logs, both included; None is no bound.

    `keys`: identifiers to take (see `Message.key`), None for all; `without`: identifiers to leave out. Error frames
    have no identifier: a choice of `keys` leaves them in. `by_log`: the frames of the first log get channel 0, those
    of the second channel 1 and so on; `channel` is then that number.
    """

    start_s: float | None = None
    end_s: float | None = None
    keys: frozenset[int] | None = None
    without: frozenset[int] = frozenset()
    channel: int | None = None
    by_log: bool = False


@dataclass
class Result:
    """What a conversion did: frames read and written, what the format could not hold (in words, with its number)."""

    read: int = 0
    written: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def convert(
    inputs: Sequence[Path],
    output: Path,
    selection: Selection,
    *,
    comment: str = "",
    options: Mapping[str, Any] | None = None,
    decode_by: Database | None = None,
    progress: Progress | None = None,
) -> Result:
    """Write the frames of all inputs, by time, to `output`, whose name tells the format.

    BLF and MF4 of classic frames are written in bulk; everything else goes frame by frame through python-can.
    `decode_by` adds the signals to an MF4, `comment` goes into its header. A failed conversion leaves `output` alone.

    Raises UserError for files that cannot be read or written.
    """
    kind = kind_of(output)
    if decode_by is not None and kind != ".mf4":
        raise UserError(f"{output}: only MF4 holds decoded signals: name a .mf4, or use `twinaxle decode`")
    if kind == ".mf4":
        from twinaxle.recording.mf4 import require_asammdf

        require_asammdf(output)
    for path in inputs:
        if output.exists() and path.exists() and output.samefile(path):
            raise UserError(f"{output}: is an input too")
    with replaced(output) as part:
        tables = _tables(inputs) if kind in (".blf", ".mf4") else None
        if tables is not None:
            return _in_bulk(tables, part, kind, selection, comment, options, decode_by)
        if decode_by is not None:
            raise UserError("logs with CAN FD frames cannot be decoded here")
        return _by_messages(inputs, part, selection, comment, options, progress)


# --- in bulk ---


def _tables(inputs: Sequence[Path]) -> list[FrameTable] | None:
    """The logs as tables; None if one of them has frames that a table cannot hold."""
    tables = []
    for path in inputs:
        if kind_of(path) in (".blf", ".mf4"):
            table = read_log(path)
        else:
            with open_log(path, since_1970=True) as reader:
                table = table_of(messages(path, reader))
        if table.skipped:
            return None
        tables.append(table)
    return tables


def _in_bulk(
    tables: list[FrameTable],
    output: Path,
    kind: str,
    selection: Selection,
    comment: str,
    options: Mapping[str, Any] | None,
    decode_by: Database | None,
) -> Result:
    if selection.by_log:
        tables = [
            replace(table, channel=np.full(len(table), number, dtype=np.int16)) for number, table in enumerate(tables)
        ]
    table = concatenate(tables).in_time_order()
    result = Result(read=len(table), notes=list(table.notes))
    table = _selected(table, selection)
    result.written = len(table)
    if kind == ".mf4":
        from twinaxle.recording.mf4 import write_mf4

        if np.any(table.channel > 255):
            raise UserError(f"{output}: MF4 has channels up to 255")
        write_mf4(output, table, comment, decode_by)
    else:
        from twinaxle.recording.blf import BulkBLFWriter

        with BulkBLFWriter(output, **{"compression_level": 1, **(options or {})}) as writer:
            writer.write_table(table)
    return result


def _selected(table: FrameTable, selection: Selection) -> FrameTable:
    start_s, end_s = selection.start_s, selection.end_s
    table = table.between(
        None if start_s is None else start_s - _ROUNDING_S, None if end_s is None else end_s + _ROUNDING_S
    )
    keep = np.ones(len(table), dtype=np.bool_)
    is_error = (table.flags & ERROR) != 0
    if selection.keys is not None:
        keep &= np.isin(table.keys, list(selection.keys)) | is_error
    if selection.without:
        keep &= ~np.isin(table.keys, list(selection.without)) | is_error
    if selection.channel is not None:
        keep &= np.where(table.channel == NO_CHANNEL, 0, table.channel) == selection.channel
    return table.take(keep)


# --- frame by frame ---


def _by_messages(
    inputs: Sequence[Path],
    output: Path,
    selection: Selection,
    comment: str,
    options: Mapping[str, Any] | None,
    progress: Progress | None,
) -> Result:
    from can.util import channel2int

    result = Result()
    places: dict[int, int] = {}
    logs = [_numbered(number, path, places, result.notes) for number, path in enumerate(inputs)]
    file = LogFile(output, comment, options)
    first_s: float | None = None
    try:
        for log, message in heapq.merge(*logs, key=lambda pair: pair[1].timestamp):
            if first_s is None:
                first_s = message.timestamp
            result.read += 1
            if progress is not None and result.read % _STEP == 0:
                progress(sum(places.values()), sum(path.stat().st_size for path in inputs))
            if selection.by_log:
                message.channel = log
            if not _is_selected(message, selection, message.timestamp - first_s, channel2int(message.channel)):
                continue
            result.written += file.write(message)
    finally:
        file.close()
    result.left_out = file.left_out
    return result


def _numbered(number: int, path: Path, places: dict[int, int], notes: list[str]) -> Iterator[tuple[int, can.Message]]:
    """The frames of a log with its number; `places` is told how far in its file it is, in bytes.

    `notes` get what is wrong with a BLF. python-can's reader keeps it to itself, and gives up where it cannot go on.
    """
    if kind_of(path) == ".blf":
        table = read_log(path)
        notes += table.notes
        if not table.skipped:
            places[number] = path.stat().st_size
            yield from ((number, message) for message in messages_of(table))
            return
    with open_log(path, since_1970=True) as reader:
        for count, message in enumerate(messages(path, reader)):
            if count % _STEP == 0:
                places[number] = position(reader)
            yield number, message


def _is_selected(message: can.Message, selection: Selection, after_s: float, channel: int | None) -> bool:
    if selection.start_s is not None and after_s < selection.start_s - _ROUNDING_S:
        return False
    if selection.end_s is not None and after_s > selection.end_s + _ROUNDING_S:
        return False
    if selection.channel is not None and (channel or 0) != selection.channel:
        return False
    if message.is_error_frame:
        return True
    key = message.arbitration_id | EXTENDED if message.is_extended_id else message.arbitration_id
    return (selection.keys is None or key in selection.keys) and key not in selection.without
