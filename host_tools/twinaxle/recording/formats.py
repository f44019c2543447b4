"""Log files under writing: python-can's writers, with flushing, a comment and errors that speak to the user."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from twinaxle.errors import UserError

if TYPE_CHECKING:
    import can


class Lack(NamedTuple):
    """What python-can's writer of a format leaves out of frames with a trait: in words; `is_frame`: the whole frame."""

    what: str
    is_frame: bool = False


_NO_COLUMNS = {"channel": Lack("channels"), "sent": Lack("directions"), "fd": Lack("CAN FD flags")}

LACKS: Mapping[str, Mapping[str, Lack]] = {
    ".csv": _NO_COLUMNS,
    ".db": _NO_COLUMNS,
    ".log": {"remote": Lack("lengths of remote frames")},
    ".trc": {
        "remote": Lack("remote frames", is_frame=True),
        "error": Lack("error frames", is_frame=True),
        "fd": Lack("CAN FD frames", is_frame=True),
    },
}
"""By suffix and trait (see `traits`)."""

_COMMENTED = (".blf", ".asc")
_SPOOL = ".part.blf"
OLDEST_DATE_S = 631_152_000
"""1990: what is less counts from the start of a bench."""
_COMPRESSION = 1
"""Of BLF: level 1 takes a third of the time of zlib's default and makes the file 8 % larger."""


_SQLITE_WAITING = 5000
"""So many frames may wait inside python-can's SqliteWriter."""
_SQLITE_POLL_S = 0.01


def kind_of(path: Path) -> str:
    """The suffix that tells the format, without a `.gz` behind it.

    Raises UserError if python-can writes no such format; the message lists those that it does.
    """
    from can.io.logger import MESSAGE_WRITERS

    suffixes = [suffix.lower() for suffix in path.suffixes]
    is_packed = suffixes[-1:] == [".gz"]
    suffix = (suffixes[:-1] if is_packed else suffixes)[-1:]
    if not suffix or suffix[0] not in MESSAGE_WRITERS:
        known = ", ".join(sorted(MESSAGE_WRITERS))
        raise UserError(f"{path}: the end of the name tells the format: {known}, and .gz behind a text format")
    if is_packed and suffix[0] in (".blf", ".db", ".mf4"):
        raise UserError(f"{path}: {suffix[0]} cannot be packed with gzip")
    return suffix[0]


def writer_options(texts: Sequence[str]) -> dict[str, Any]:
    """Options for python-can's writers from `NAME=VALUE` texts. Raises UserError."""
    from can.util import cast_from_string

    options = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.replace("-", "_")
        if not (equals and name.isidentifier()):
            raise UserError(f"--file-kwargs {text}: write NAME=VALUE")
        options[name] = cast_from_string(value)
    return options


def traits(message: can.Message) -> list[str]:
    """What of a frame some format cannot hold: "remote", "error", "fd", "sent", "channel" (another than the first)."""
    from can.util import channel2int

    found = []
    if message.is_remote_frame:
        found.append("remote")
    if message.is_error_frame:
        found.append("error")
    if message.is_fd:
        found.append("fd")
    if not message.is_rx:
        found.append("sent")
    if channel2int(message.channel):
        found.append("channel")
    return found


class LogFile:
    """One log file under writing.

    Args:
        path: its name tells the format.
        comment: written at the first frame where the format has a place for it (BLF, ASC); ASCII.
        options: of python-can's writer, such as `compression_level`.

    Raises UserError if the file cannot be made. Writing raises OSError, as on a full disk.
    """

    def __init__(self, path: Path, comment: str = "", options: Mapping[str, Any] | None = None) -> None:
        import can

        self.path = path
        self.frames = 0
        self.left_out: Counter[str] = Counter()
        """What the format does not hold, in words -> number of frames concerned."""
        self._kind = kind_of(path)
        self._lacks = LACKS.get(self._kind, {})
        self._comment = comment if self._kind in _COMMENTED else ""
        defaults = {"compression_level": _COMPRESSION} if self._kind == ".blf" else {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer: Any = can.Logger(path, **{**defaults, **(options or {})})
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
        except (ImportError, NotImplementedError, ValueError, TypeError) as error:
            raise UserError(f"{path}: cannot be written: {error}") from None

    def write(self, message: can.Message) -> bool:
        """Append a frame. False if the format does not hold such frames."""
        if self._lacks and not self._holds(message):
            return False
        if not self.frames and self._kind == ".blf" and message.timestamp < OLDEST_DATE_S:
            # python-can takes the first frame's time for the start, and loses it where it is no date.
            self._writer.start_timestamp = 0.0
        if self._comment:
            self._writer.log_event(self._comment, message.timestamp)
            self._comment = ""
        self._writer.on_message_received(message)
        self.frames += 1
        if self._kind == ".db" and self.frames % _SQLITE_WAITING == 0:
            self._until_sqlite_has_written()
        return True

    def _holds(self, message: can.Message) -> bool:
        """False if the format has no place for the frame; counts what it leaves out of it."""
        found = [self._lacks[trait] for trait in traits(message) if trait in self._lacks]
        self.left_out.update(lack.what for lack in found)
        return not any(lack.is_frame for lack in found)

    def note(self, text: str, time_s: float) -> None:
        """Append a remark where the format has a place for it."""
        if self._kind in _COMMENTED:
            self._writer.log_event(text, time_s)

    def flush(self) -> None:
        """Hand all frames to the operating system: from now on they outlive this process.

        SQLite and MF4 have no such thing here: python-can's writer for the one has its own rhythm (0.25 to 5 s), and
        an MF4 file is written when it is closed.
        """
        if self._kind == ".blf":
            while self._writer._buffer_size:  # python-can fills containers of 128 KB before it writes
                self._writer._flush()
        if hasattr(self._writer, "file") and self._kind != ".mf4":
            self._writer.file.flush()

    @property
    def size(self) -> int:
        """Bytes so far, as far as the format knows."""
        try:
            size = self._writer.file_size()
        except (AttributeError, ValueError):
            return self.path.stat().st_size if self.path.exists() else 0
        return int(size)

    def close(self) -> None:
        """End the file. Without effect the second time."""
        if self._writer is None:
            return
        if self._kind == ".db":
            self._until_sqlite_has_written()
        writer, self._writer = self._writer, None
        writer.stop()

    def _until_sqlite_has_written(self) -> None:
        """Wait for the thread of python-can's SqliteWriter, whose buffer is endless and whose stop() drops all but 500.

        Raises OSError if that thread has died, as on a full disk.
        """
        while not self._writer.buffer.empty():
            if not self._writer._writer_thread.is_alive():
                raise OSError(None, "SQLite could not write (is the disk full?)")
            time.sleep(_SQLITE_POLL_S)


class SpooledMf4(LogFile):
    """An MF4 file: recorded as BLF beside it, and turned into MF4 in bulk when it is closed.

    What a killed process leaves is the spool `NAME.part.blf`, which `twinaxle convert` reads.
    """

    def __init__(self, path: Path, comment: str = "", options: Mapping[str, Any] | None = None) -> None:
        """Raises UserError if the package asammdf is not there or the file cannot be made."""
        from twinaxle.recording.mf4 import require_asammdf

        require_asammdf(path)
        super().__init__(path.with_suffix(_SPOOL), comment, options)
        self._mf4 = path
        self._text = comment

    def close(self) -> None:
        """End the file: write the MF4, remove the spool."""
        if self._writer is None:
            return
        super().close()
        from twinaxle.logs.read import read_log
        from twinaxle.recording.mf4 import write_mf4

        write_mf4(self._mf4, read_log(self.path), self._text)
        self.path.unlink()
        self.path = self._mf4


def open_log(path: Path, comment: str = "", options: Mapping[str, Any] | None = None) -> LogFile:
    """A log file of the format that the path's name tells. See `LogFile`."""
    return (SpooledMf4 if kind_of(path) == ".mf4" else LogFile)(path, comment, options)
