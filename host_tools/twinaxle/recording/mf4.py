"""MF4 (ASAM MDF 4.1, bus logging) from whole logs: asammdf is given arrays, not frames."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from twinaxle.errors import UserError
from twinaxle.logs.frames import ERROR, EXTENDED, REMOTE, SENT, FrameTable

if TYPE_CHECKING:
    from twinaxle.dbc.model import Database, Signal

_BYTES = 8
_FIELDS = (
    ("BusChannel", "<u1"), ("ID", "<u4"), ("IDE", "<u1"), ("DLC", "<u1"), ("DataLength", "<u1"),
    ("DataBytes", f"({_BYTES},)u1"), ("Dir", "<u1"), ("EDL", "<u1"), ("BRS", "<u1"), ("ESI", "<u1"),
)  # fmt: skip
_KINDS = (("CAN_DataFrame", 0), ("CAN_ErrorFrame", ERROR), ("CAN_RemoteFrame", REMOTE))
_WITHOUT_DATA = ("DataBytes", "EDL", "BRS", "ESI")


def require_asammdf(path: Path) -> None:
    """Raises UserError if the package that writes MF4 is missing."""
    try:
        import asammdf  # noqa: F401
    except ImportError:
        raise UserError(f"{path}: MF4 needs the package asammdf: pip install 'twinaxle[mf4]'") from None


def write_mf4(path: Path, table: FrameTable, comment: str = "", decode_by: Database | None = None) -> None:
    """Write a log as MF4: bus logging as the standard has it, read by python-can, asammdf and others.

    Args:
        comment: goes into the file's header.
        decode_by: also write each message's signals, one group a message, with units and value tables.

    Raises UserError if asammdf is missing or the file cannot be written.
    """
    require_asammdf(path)
    from asammdf import MDF

    table = table.in_time_order()
    start_ns = int(table.time_ns[0]) if len(table) else 0
    # Times in the file are float64 from its start; the start itself has microseconds.
    start_us = start_ns // 1000
    time_s: npt.NDArray[np.float64] = (table.time_ns - start_us * 1000) * np.float64(1e-9)
    with MDF(version="4.10") as mdf:
        mdf.header.start_time = datetime.fromtimestamp(start_us // 1_000_000, UTC).replace(
            microsecond=start_us % 1_000_000
        )
        if comment:
            mdf.header.comment = comment
        for name, flag in _KINDS:
            rows = np.flatnonzero(table.is_data if not flag else (table.flags & flag) != 0)
            if len(rows) or not flag:
                mdf.append(_bus_signal(name, table.take(rows), time_s[rows]), comment=name)
        if decode_by is not None:
            _append_decoded(mdf, table, time_s, decode_by)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            mdf.save(path, overwrite=True, compression=1)
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None


def _bus_signal(name: str, table: FrameTable, time_s: npt.NDArray[np.float64]) -> Any:
    """One kind of frames as the structured signal of MDF's bus logging."""
    from asammdf import Signal, Source

    fields = [item for item in _FIELDS if name != "CAN_RemoteFrame" or item[0] not in _WITHOUT_DATA]
    samples = np.zeros(len(table), dtype=[(f"{name}.{field}", kind) for field, kind in fields])
    samples[f"{name}.BusChannel"] = np.maximum(table.channel, 0)
    samples[f"{name}.ID"] = table.can_id
    samples[f"{name}.IDE"] = (table.flags & EXTENDED) != 0
    samples[f"{name}.DLC"] = table.length
    samples[f"{name}.Dir"] = (table.flags & SENT) != 0
    if name != "CAN_RemoteFrame":
        samples[f"{name}.DataLength"] = table.length
        samples[f"{name}.DataBytes"] = table.data
    source = Source("", "", "", Source.SOURCE_BUS, Source.BUS_TYPE_CAN)
    return Signal(name=name, samples=samples, timestamps=time_s, source=source)


def _append_decoded(mdf: Any, table: FrameTable, time_s: npt.NDArray[np.float64], database: Database) -> None:
    from asammdf import Signal

    from twinaxle.decode.columns import decode

    for key, rows in table.rows_by_key().items():
        message = database.by_id.get(key)
        if message is None:
            continue
        signals = [
            Signal(
                samples=column.raw_numbers,
                timestamps=time_s[rows],
                name=column.signal.name,
                unit=column.signal.unit,
                comment=column.signal.comment,
                conversion=_conversion(column.signal),
                invalidation_bits=None if column.present is None else ~column.present,
            )
            for column in decode(message, table.take(rows)).columns
        ]
        mdf.append(signals, acq_name=message.name, comment=message.comment, common_timebase=True)


def _conversion(signal: Signal) -> dict[str, Any] | None:
    """From the raw number to what a person reads: the names of an enumeration, or factor and offset."""
    if signal.is_enumeration:
        pairs: Iterable[tuple[int, tuple[int, str]]] = enumerate(sorted(signal.choices.items()))
        table: dict[str, Any] = {}
        for index, (value, text) in pairs:
            table |= {f"val_{index}": value, f"text_{index}": text}
        return table | {"default": b""}
    if (signal.factor, signal.offset) == (1, 0):
        return None
    return {"a": float(signal.factor), "b": float(signal.offset)}
