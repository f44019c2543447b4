"""Log files of a trace: python-can's writers, freed from the wall clock, and the BLF writer fed in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import can
import numpy as np
import numpy.typing as npt
from can.io.generic import MessageWriter
from can.io.logger import MESSAGE_WRITERS

from twinaxle.errors import UserError

EXTENDED = 1 << 31
REMOTE = 1 << 30
ERROR = 1 << 29

_BLF_OBJECT = np.dtype(
    [
        ("signature", "S4"),
        ("header_size", "<u2"),
        ("header_version", "<u2"),
        ("object_size", "<u4"),
        ("object_type", "<u4"),
        ("flags", "<u4"),
        ("client", "<u2"),
        ("object_version", "<u2"),
        ("time_ns", "<u8"),
        ("channel", "<u2"),
        ("message_flags", "u1"),
        ("dlc", "u1"),
        ("can_id", "<u4"),
        ("data", "u1", (8,)),
    ]
)
_CAN_MESSAGE = 1
_TIME_ONE_NS = 2
_BLF_REMOTE = 0x80


class BenchASCWriter(can.ASCWriter):
    """ASC with the time of the bench: a fixed date in the header, and times from power-on."""

    def __init__(self, file: Any, channel: int = 1, **kwargs: Any) -> None:
        super().__init__(file, channel, **kwargs)
        self.log_event("Bench time", 0.0)

    def _format_header_datetime(self, dt: datetime) -> str:
        return super()._format_header_datetime(datetime(1970, 1, 1))


class BenchBLFWriter(can.BLFWriter):
    """BLF with times from power-on."""

    def __init__(self, file: Any, **kwargs: Any) -> None:
        # Level 1 takes a third of the time of the default and makes the file 8 % larger.
        super().__init__(file, compression_level=1, **kwargs)
        self.start_timestamp = 0.0

    def write_frames(self, records: npt.NDArray[Any]) -> None:
        """Write data and remote frames as `on_message_received` would one by one, but all at once.

        `records` has the fields of `Trace.records`, without error frames.
        """
        if not len(records):
            return
        objects = np.zeros(len(records), dtype=_BLF_OBJECT)
        objects["signature"] = b"LOBJ"
        objects["header_size"] = 32
        objects["header_version"] = 1
        objects["object_size"] = _BLF_OBJECT.itemsize
        objects["object_type"] = _CAN_MESSAGE
        objects["flags"] = _TIME_ONE_NS
        objects["time_ns"] = (records["time_ns"] / 1e9 * 1e9).astype(np.int64)
        objects["channel"] = self.channel
        objects["message_flags"] = np.where(records["can_id"] & REMOTE, _BLF_REMOTE, 0)
        objects["dlc"] = records["length"]
        objects["can_id"] = records["can_id"] & ~np.uint32(REMOTE)
        objects["data"] = np.where((records["can_id"] & REMOTE)[:, None], 0, records["data"])
        block = objects.tobytes()
        self._buffer.append(block)
        self._buffer_size += len(block)
        self.object_count += len(records)
        self.stop_timestamp = float(records["time_ns"][-1]) / 1e9
        while self._buffer_size >= self.max_container_size:
            self._flush()


_OWN: dict[str, type[MessageWriter]] = {".asc": BenchASCWriter, ".blf": BenchBLFWriter}


@contextmanager
def open_writer(path: Path) -> Iterator[MessageWriter]:
    """The writer for a path's suffix. Raises UserError for an unknown suffix or a path that cannot be written."""
    suffix = path.suffix.lower()
    kind = _OWN.get(suffix) or MESSAGE_WRITERS.get(suffix)
    if kind is None:
        known = ", ".join(sorted(MESSAGE_WRITERS))
        raise UserError(f"{path}: no log format has the suffix {suffix!r}; known: {known}")
    try:
        writer = kind(file=path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from error
    except ImportError as error:
        raise UserError(f"{path}: the {suffix} format needs another package: {error}") from error
    with writer:
        yield writer
