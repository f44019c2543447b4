"""The keyboard as the driver of a live bench, on terminals of POSIX systems."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from selectors import EVENT_READ, BaseSelector

from hil.nodes import Driver
from hil.nodes.driver import HOLD_BRAKE_BAR

PEDAL_STEP_PERCENT = 5.0

HELP = "keys: s start/shut down, up/down accelerator, 0 feet off, space brake, d r n p selector, q end"

_UP, _DOWN = (b"\x1b[A", b"\x1bOA"), (b"\x1b[B", b"\x1bOB")


class Keys:
    """What each key does. Whoever presses one takes over from a scenario."""

    def __init__(self, driver: Driver, end: Callable[[], None]) -> None:
        self._driver = driver
        self._end = end

    def press(self, typed: bytes) -> None:
        """Act on what was typed; keys without meaning are ignored."""
        while typed:
            key = typed[:3] if typed.startswith(b"\x1b") else typed[:1]
            typed = typed[len(key) :]
            self._act(key)

    def _act(self, key: bytes) -> None:
        driver = self._driver
        pedals = driver.pedals
        if key == b"q":
            self._end()
        elif not pedals.present:
            return  # somebody else drives
        elif key == b"s":
            if pedals.vcu_state in ("Ready", "Drive", "Limp"):
                driver.shut_down()
            else:
                driver.start_up()
        elif key in _UP:
            driver.pedal(min(100.0, pedals.pedal_percent + PEDAL_STEP_PERCENT))
        elif key in _DOWN:
            driver.pedal(max(0.0, pedals.pedal_percent - PEDAL_STEP_PERCENT))
        elif key == b"0":
            driver.release()
        elif key == b" ":
            pressed = pedals.brake_bar > 0.0
            driver.pedal(0.0)
            driver.brake(0.0 if pressed else HOLD_BRAKE_BAR)
        elif key == b"d":
            driver.gear("D")
        elif key == b"r":
            driver.gear("R")
        elif key == b"n":
            driver.gear("N")
        elif key == b"p":
            driver.gear("P")


def _in_foreground(terminal: int) -> bool:
    """Whether this process may set a terminal up without being stopped for it."""
    try:
        return os.getpgrp() == os.tcgetpgrp(terminal)
    except OSError:  # not the terminal that controls this process
        return True


@contextlib.contextmanager
def keyboard(selector: BaseSelector, press: Callable[[bytes], None]) -> Iterator[bool]:
    """Hand what is typed to `press` until the end; yields whether there is a keyboard.

    None on Windows, without a terminal, and for a bench in the background.
    """
    try:
        import termios
        import tty
    except ImportError:
        yield False
        return
    number = sys.stdin.fileno()
    if not os.isatty(number) or not _in_foreground(number):
        yield False
        return
    before = termios.tcgetattr(number)

    def ready(_mask: int) -> None:
        if typed := os.read(number, 256):
            press(typed)
        else:
            selector.unregister(number)  # the terminal has gone

    tty.setcbreak(number)
    selector.register(number, EVENT_READ, ready)
    try:
        yield True
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)
        with contextlib.suppress(KeyError, ValueError):
            selector.unregister(number)
