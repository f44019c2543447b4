"""What long work shows on the terminal while it goes on."""

import sys
import time
from collections.abc import Iterable
from typing import TextIO

_EVERY_S = 0.2


class Progress:
    """A line on standard error that says how far work is; nothing where that is not a terminal."""

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        self._what = what
        self._stream = sys.stderr if stream is None else stream
        self._shown = self._stream.isatty()
        self._next_s = time.monotonic() + _EVERY_S
        self._width = 0

    def __call__(self, done: float, total: float) -> None:
        """`done` of `total` is done."""
        if not self._shown or time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + _EVERY_S
        self._write(f"{self._what} {100 * done / total if total else 100:.0f} %")

    def end(self) -> None:
        """Take the line away."""
        if self._width:
            self._write("")
            self._stream.write("\r")
            self._stream.flush()

    def _write(self, text: str) -> None:
        self._stream.write("\r" + text.ljust(self._width))
        self._stream.flush()
        self._width = len(text)


def warn(notes: Iterable[str], stream: TextIO | None = None) -> None:
    """Tell the user, on standard error, what was not as it should be."""
    for note in notes:
        (sys.stderr if stream is None else stream).write(f"warning: {note}\n")
