"""Logs under reading, message by message, by python-can's readers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from twinaxle.logs.messages import unreadable
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
        raise unreadable(path, error) from None
