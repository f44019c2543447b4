"""Logs under reading, message by message, by python-can's readers."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinaxle.errors import UserError
from twinaxle.recording.formats import kind_of

if TYPE_CHECKING:
    import can


def messages(path: Path, reader: Iterable[can.Message]) -> Iterator[can.Message]:
    """The frames of a log. Raises UserError."""
    is_trc = kind_of(path) == ".trc"
    try:
        for message in reader:
            if is_trc and isinstance(message.channel, int):
                message.channel -= 1  # python-can gives TRC's number, which begins at 1
            yield message
    except Exception as error:  # each reader raises what its parser happens to
        raise UserError(f"{path}: cannot be read: {type(error).__name__}: {error}") from None


def open_reader(path: Path) -> can.io.generic.MessageReader:
    """python-can's reader for the file, with times since 1970 where the log knows them. Raises UserError."""
    import can

    if not path.is_file():
        raise UserError(f"{path}: there is no such log")
    try:
        if kind_of(path) != ".asc":
            return can.LogReader(path)
        # ASCReader counts from the start of the log if it isn't told not to, and LogReader doesn't tell it behind .gz.
        is_packed = path.suffix.lower() == ".gz"
        file: Any = gzip.open(path, "rt") if is_packed else path  # noqa: SIM115 (the reader closes it)
        return can.ASCReader(file, relative_timestamp=False)
    except Exception as error:  # as above
        raise UserError(f"{path}: cannot be read: {type(error).__name__}: {error}") from None
