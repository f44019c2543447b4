"""Reads the bus logging of MF4 files in bulk: asammdf gives arrays, these become a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from twinaxle.errors import UserError
from twinaxle.logs.frames import (
    CLASSIC_BYTES,
    ERROR,
    EXTENDED,
    FD,
    FD_BYTES,
    REMOTE,
    SENT,
    FrameTable,
    concatenate,
    make_table,
)

_KINDS = {"CAN_DataFrame": 0, "CAN_ErrorFrame": ERROR, "CAN_RemoteFrame": REMOTE}


def read_mf4(path: Path, *, with_fd: bool = False) -> FrameTable | None:
    """All frames, error frames too, of an MF4 file by time; None if its layout is one that is not known here.

    CAN FD frames are counted in `skipped` but for `with_fd`. Raises UserError if the file cannot be read or asammdf is
    missing.
    """
    try:
        from asammdf import MDF
    except ImportError:
        raise UserError(f"{path}: MF4 needs the package asammdf: pip install 'twinaxle[mf4]'") from None
    try:
        with MDF(path) as mdf:
            groups: list[Any] = list(mdf.groups)
            start_ns = round(mdf.header.start_time.timestamp() * 1e6) * 1000
            tables = [
                _table(mdf.get(name, index), name, start_ns, with_fd)
                for index, group in enumerate(groups)
                if group.channel_group.cycles_nr
                for name in {channel.name for channel in group.channels} & set(_KINDS)
            ]
    except (KeyError, ValueError, IndexError, TypeError):
        return None
    except Exception as error:  # asammdf's own errors have no common base
        raise UserError(f"{path}: cannot be read: {type(error).__name__}: {error}") from None
    return concatenate(tables).in_time_order()


def _table(signal: Any, name: str, start_ns: int, with_fd: bool) -> FrameTable:
    """One group. Raises KeyError, ValueError for a layout that is not known."""
    samples, time_s = signal.samples, signal.timestamps
    names = samples.dtype.names or ()

    def field(what: str, default: int = 0) -> Any:
        full = f"{name}.{what}"
        return samples[full] if full in names else np.full(len(samples), default)

    is_fd = field("EDL") != 0
    can_id = samples[f"{name}.ID"].astype(np.uint32)
    direction = field("Dir")
    is_sent = direction != b"Rx" if direction.dtype.kind == "S" else direction != 0
    flags = np.where(field("IDE") != 0, EXTENDED, 0) | np.where(is_sent, SENT, 0) | _KINDS[name]
    width = FD_BYTES if with_fd and is_fd.any() else CLASSIC_BYTES
    data = np.zeros((len(samples), width), dtype=np.uint8)
    if name == "CAN_RemoteFrame":
        length = samples[f"{name}.DLC"]
    else:
        length = field("DataLength")
        given = field("DataBytes")
        if given.ndim != 2 or given.dtype != np.uint8:
            raise ValueError("data bytes of varying length")
        data[:, : given.shape[1]] = given[:, :width]
        data[np.arange(width) >= length[:, None]] = 0
    if with_fd:
        flags = flags | np.where(is_fd, FD, 0)
    keep = np.full(len(samples), True) if with_fd else ~is_fd
    table = make_table(
        start_ns + np.round(time_s[keep] * 1e9).astype(np.int64), (can_id & 0x1FFF_FFFF)[keep], flags[keep],
        np.minimum(length, width)[keep], data[keep], field("BusChannel")[keep],
    )  # fmt: skip
    count = 0 if with_fd else int(np.count_nonzero(is_fd))
    return table.annotated({"CAN FD frames": count} if count else {}, ())
