"""Logs message by message: python-can's readers, with errors that speak to the user; and tables as messages."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinaxle.errors import UserError
from twinaxle.logs.frames import ERROR, EXTENDED, REMOTE, SENT, FrameTable

if TYPE_CHECKING:
    import can

_PIECE = 10_000  # frames: numbers of Python are quicker than those of numpy, but a whole log of them is large


def require_log(path: Path) -> None:
    """Raises UserError if there is no such file."""
    if not path.is_file():
        raise UserError(f"{path}: there is no such log" if not path.exists() else f"{path}: is not a file")


def open_log(path: Path, *, since_1970: bool = False) -> can.io.generic.MessageReader:
    """python-can's reader for the file, `since_1970` with absolute times in an ASC that knows its date.

    Raises UserError if the file cannot be read or its suffix is unknown.
    """
    import can

    require_log(path)
    try:
        if since_1970 and path.name.lower().removesuffix(".gz").endswith(".asc"):
            # LogReader does not hand the option on behind .gz.
            is_packed = path.suffix.lower() == ".gz"
            file: Any = gzip.open(path, "rt") if is_packed else path  # noqa: SIM115 (the reader closes it)
            return can.ASCReader(file, relative_timestamp=False)
        if path.suffix.lower() == ".blf":
            from twinaxle.logs.blf import require_blf

            require_blf(path)
        return can.LogReader(path)
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"{path}: {error}; known: {', '.join(known_suffixes())}") from None
    except Exception as error:  # each reader raises what its parser happens to
        raise unreadable(path, error) from None


def known_suffixes() -> list[str]:
    """The suffixes of the logs that can be read."""
    from can.io.player import MESSAGE_READERS

    return sorted(MESSAGE_READERS)


def unreadable(path: Path, error: Exception) -> UserError:
    """What is wrong with a log that a reader stumbles over."""
    return UserError(f"{path}: cannot be read: {told(error)}")


def told(error: Exception) -> str:
    """A reader's error in words."""
    if isinstance(error, UnicodeDecodeError):
        return "it holds bytes that are no text"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def messages_of(table: FrameTable) -> Iterator[can.Message]:
    """The frames of a table as python-can has them."""
    import can

    columns = (table.time_ns, table.can_id, table.flags, table.length, table.channel, table.words)
    for start in range(0, len(table), _PIECE):
        lists = [column[start : start + _PIECE].tolist() for column in columns]
        for time_ns, can_id, flags, length, channel, word in zip(*lists, strict=True):
            yield can.Message(
                timestamp=time_ns / 1e9,
                arbitration_id=can_id,
                is_extended_id=bool(flags & EXTENDED),
                is_remote_frame=bool(flags & REMOTE),
                is_error_frame=bool(flags & ERROR),
                is_rx=not flags & SENT,
                channel=None if channel < 0 else channel,
                dlc=length,
                data=None if flags & REMOTE else word.to_bytes(8, "little")[:length],
            )
