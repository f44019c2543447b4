"""The bus log of a run: every frame and error frame, in memory, as numpy arrays, as a file in python-can's formats.

A record has 24 bytes; a WLTC has two million of them, 50 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from hil.bus import Bus, ErrorKind, Frame
from hil.bus.frame import EXTENDED, REMOTE
from twinaxle.errors import UserError

if TYPE_CHECKING:
    import can

    from hil.recording.writers import BenchBLFWriter

ERROR = 1 << 29
"""A flag in the id of a record, as EXTENDED and REMOTE at the place where SocketCAN has it."""

_NOBODY = 255

_RECORD = Struct("<qIBBxx8s")
_DTYPE = np.dtype(
    {
        "names": ["time_ns", "can_id", "length", "sender", "data"],
        "formats": ["<i8", "<u4", "u1", "u1", ("u1", (8,))],
        "offsets": [0, 8, 12, 13, 16],
        "itemsize": _RECORD.size,
    }
)
_NS_PER_S = 1e9
_KINDS = tuple(ErrorKind)
_BLOCK = 50_000

Times = npt.NDArray[np.int64]

Progress = Callable[[int, int], None]
"""`progress(done, all)`, in records."""


class Unpacks(Protocol):
    """What `series` asks of a codec: `unpack(data)` gives an object with the signals as attributes."""

    def unpack(self, data: bytes) -> Any: ...


class Entry(NamedTuple):
    """One line of the log. `error` tells the kind of an error frame, whose `frame` is then empty; else it is None."""

    time_ns: int
    frame: Frame
    sender: str
    error: ErrorKind | None


class Trace:
    """Log of a bus from now on; `len()` is the number of records."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._buffer = bytearray()
        bus.log_to(self._buffer)
        bus.tap_errors(self._on_error)

    def _on_error(self, time_ns: int, kind: ErrorKind, sender: str) -> None:
        number = self._bus.ports[sender].number if sender in self._bus.ports else _NOBODY
        self._bus.flush_log()
        self._buffer += _RECORD.pack(time_ns, ERROR, _KINDS.index(kind), number, b"")

    def close(self) -> None:
        """Log no further frame."""
        self._bus.stop_log(self._buffer)
        self._bus.untap(self._on_error)

    # --- reading ---

    def __len__(self) -> int:
        self._bus.flush_log()
        return len(self._buffer) // _RECORD.size

    def __iter__(self) -> Iterator[Entry]:
        self._bus.flush_log()
        names = {port.number: port.name for port in self._bus.numbered}
        for time_ns, can_id, length, sender, data in _RECORD.iter_unpack(bytes(self._buffer)):
            if can_id & ERROR:
                yield Entry(time_ns, Frame(0, b""), names.get(sender, ""), _KINDS[length])
            else:
                frame = Frame(
                    can_id & ~(EXTENDED | REMOTE), data[:length], bool(can_id & EXTENDED), bool(can_id & REMOTE)
                )
                yield Entry(time_ns, frame, names[sender], None)

    def records(self) -> npt.NDArray[Any]:
        """A copy of all records as a structured array: time_ns, can_id (with flags), length, sender, data[8]."""
        self._bus.flush_log()
        return np.frombuffer(bytes(self._buffer), dtype=_DTYPE)

    def select(self, can_id: int, *, is_extended: bool = False) -> tuple[Times, npt.NDArray[np.uint8]]:
        """Data frames with an id: (times at the end of frame in ns [n], payloads [n, 8], zeros after the last byte)."""
        records = self.records()
        chosen = records[records["can_id"] == (can_id | EXTENDED if is_extended else can_id)]
        return chosen["time_ns"], chosen["data"]

    def series(self, can_id: int, codec: Unpacks, signal: str) -> tuple[Times, npt.NDArray[np.float64]]:
        """A signal over time: (times at the end of frame in ns [n], physical values [n]).

        Raises UserError if the message has no such signal.
        """
        times, payloads = self.select(can_id)
        raw = payloads.tobytes()
        try:
            values = [getattr(codec.unpack(raw[start : start + 8]), signal) for start in range(0, len(raw), 8)]
        except AttributeError as error:
            raise UserError(f"the message with id 0x{can_id:03X} has no signal {signal}") from error
        return times, np.array(values, dtype=np.float64)

    # --- writing ---

    def write(self, path: Path, progress: Progress | None = None) -> None:
        """Write the log in the format that the suffix names (.blf, .asc, .log, .csv, .trc ...), by python-can's
        writers.

        Times are bench time; equal logs give equal bytes (no wall clock, checked for these five). `progress(done,
        all)` is called now and then. Raises UserError for a suffix that python-can does not know or a path that
        cannot be written.
        """
        from hil.recording.writers import BenchBLFWriter, open_writer

        total = len(self)
        with open_writer(path) as writer:
            if isinstance(writer, BenchBLFWriter):
                self._write_blocks(writer, progress)
                return
            for done, entry in enumerate(self, 1):
                writer(message_of(entry))
                if progress is not None and (done % _BLOCK == 0 or done == total):
                    progress(done, total)

    def _write_blocks(self, writer: BenchBLFWriter, progress: Progress | None) -> None:
        records = self.records()
        for start in range(0, len(records), _BLOCK):
            block = records[start : start + _BLOCK]
            errors = np.flatnonzero(block["can_id"] & ERROR)
            begin = 0
            for error in errors.tolist():
                writer.write_frames(block[begin:error])
                writer(message_of(Entry(int(block["time_ns"][error]), Frame(0, b""), "", ErrorKind.BIT)))
                begin = error + 1
            writer.write_frames(block[begin:])
            if progress is not None:
                progress(start + len(block), len(records))


def message_of(entry: Entry) -> can.Message:
    """A log entry as a python-can message."""
    import can

    frame = entry.frame
    return can.Message(
        timestamp=entry.time_ns / _NS_PER_S,
        arbitration_id=frame.can_id,
        is_extended_id=frame.is_extended,
        is_remote_frame=frame.is_remote,
        is_error_frame=entry.error is not None,
        dlc=len(frame.data),
        data=frame.data,
    )
