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
from twinaxle.logs import frames
from twinaxle.recording.blf import BulkBLFWriter

EXTENDED = 1 << 31
REMOTE = 1 << 30
ERROR = 1 << 29


class BenchASCWriter(can.ASCWriter):
    """ASC with the time of the bench: a fixed date in the header, and times from power-on."""

    def __init__(self, file: Any, channel: int = 1, **kwargs: Any) -> None:
        super().__init__(file, channel, **kwargs)
        self.log_event("Bench time", 0.0)

    def _format_header_datetime(self, dt: datetime) -> str:
        return super()._format_header_datetime(datetime(1970, 1, 1))


class BenchBLFWriter(BulkBLFWriter):
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
        ids = records["can_id"]
        flags = np.where(ids & EXTENDED, frames.EXTENDED, 0) | np.where(ids & REMOTE, frames.REMOTE, 0)
        data = np.where((ids & REMOTE)[:, None], 0, records["data"])
        channel = np.full(len(records), frames.NO_CHANNEL)
        can_id = ids & ~np.uint32(EXTENDED | REMOTE)
        self.write_table(frames.make_table(records["time_ns"], can_id, flags, records["length"], data, channel))


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
