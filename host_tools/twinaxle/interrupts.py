"""Ending a command: SIGTERM, and the terminal's end, are taken for Ctrl-C, so that files are closed well either way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def end_signals() -> list[signal.Signals]:
    """The signals besides Ctrl-C's that ask a command to end: SIGTERM; SIGHUP, unless it is ignored (`nohup`); SIGBREAK
    on Windows.
    """
    found = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
    return [number for number in found if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN]


@contextmanager
def as_interrupt() -> Iterator[None]:
    """While it lasts, each of `end_signals` raises KeyboardInterrupt in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.default_int_handler) for number in end_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
