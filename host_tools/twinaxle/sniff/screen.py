"""The session in a terminal: curses draws what `view` lays out, at most ten times a second."""

import contextlib
import locale
import logging
import os
import signal
import time
from collections.abc import Iterator
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any

from twinaxle.errors import UserError
from twinaxle.sniff import keys, picture
from twinaxle.sniff.controls import Controls
from twinaxle.sniff.glyphs import ASCII, UNICODE, Glyphs
from twinaxle.sniff.spans import Line, Style
from twinaxle.sniff.view import layout
from twinaxle.sniff.viewer import Viewer

if TYPE_CHECKING:
    import curses

REDRAW_S = 0.1
"""Time between two redraws, at least."""
_REDRAW_SHARE = 0.03
"""A redraw may take this share of a core; where it would take more, there are fewer, down to one in"""
_REDRAW_SLOWEST_S = 0.25


def load_curses() -> ModuleType:
    """The module curses. Raises UserError where Python has none."""
    try:
        import curses
    except ImportError:
        raise UserError(
            "this Python has no curses: on Windows `pip install windows-curses`; or take --text for plain lines"
        ) from None
    return curses


def glyphs_of_locale() -> Glyphs:
    """Characters that the terminal's encoding has."""
    with contextlib.suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "")
    return UNICODE if locale.getpreferredencoding(False).lower().replace("-", "") == "utf8" else ASCII


def run(viewer: Viewer, *, color: bool = True) -> None:
    """Show and obey until the user leaves. The terminal is restored whatever happens.

    SIGTERM and SIGHUP end it as `q` does.
    """
    curses = load_curses()
    os.environ.setdefault("ESCDELAY", "25")
    with _ended_by_signals(viewer), _quiet_log(viewer):
        try:
            with _window(curses) as window:
                _Screen(curses, window, color).run(viewer)
        except curses.error as error:
            raise UserError(f"the terminal (TERM={os.environ.get('TERM', '')}) cannot show this: {error}") from None


@contextlib.contextmanager
def _window(curses: Any) -> "Iterator[curses.window]":
    """The terminal as a curses window, restored afterwards.

    Not `curses.wrapper`: that starts colour even where none is wanted, and so paints the background.
    """
    window = curses.initscr()
    try:
        curses.noecho()
        curses.cbreak()
        window.keypad(True)
        with contextlib.suppress(curses.error):  # a terminal that cannot hide it
            curses.curs_set(0)
        yield window
    finally:
        with contextlib.suppress(curses.error):
            curses.curs_set(1)
        window.keypad(False)
        curses.nocbreak()
        curses.echo()
        curses.endwin()


@contextlib.contextmanager
def _ended_by_signals(viewer: Viewer) -> Iterator[None]:
    def end(_number: int, _frame: FrameType | None) -> None:
        viewer.is_over = True

    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _LastWords(logging.Handler):
    """Shows errors that drivers log at the bottom of the screen, where they would else write across it."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(logging.ERROR)
        self._viewer = viewer

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the first line."""
        self._viewer.message = record.getMessage().partition("\n")[0]


@contextlib.contextmanager
def _quiet_log(viewer: Viewer) -> Iterator[None]:
    """Python-can's errors on the screen's last line instead of stderr."""
    logger = logging.getLogger("can")
    handlers, propagate = logger.handlers, logger.propagate
    logger.handlers, logger.propagate = [_LastWords(viewer)], False
    try:
        yield
    finally:
        logger.handlers, logger.propagate = handlers, propagate


class _Screen:
    """A curses window and its attributes for styles."""

    def __init__(self, curses: Any, window: "curses.window", color: bool) -> None:
        self._curses = curses
        self._window = window
        self._attributes = self._with_color() if color and curses.has_colors() else self._without_color()
        encoding = locale.getpreferredencoding(False)
        self._encoding = None if encoding.lower().replace("-", "") == "utf8" else encoding

    def _with_color(self) -> dict[Style, int]:
        c = self._curses
        c.start_color()
        background = -1
        try:
            c.use_default_colors()
        except c.error:
            background = c.COLOR_BLACK
        colors = (c.COLOR_GREEN, c.COLOR_YELLOW, c.COLOR_RED, c.COLOR_CYAN, c.COLOR_BLUE)
        for number, foreground in enumerate(colors, 1):
            c.init_pair(number, foreground, background)
        green, yellow, red, cyan, blue = (c.color_pair(number) for number in range(1, len(colors) + 1))
        return {
            Style.NORMAL: c.A_NORMAL, Style.DIM: c.A_DIM, Style.STRONG: c.A_BOLD, Style.TITLE: c.A_REVERSE,
            Style.GOOD: green, Style.WARN: yellow, Style.BAD: red | c.A_BOLD, Style.CHANGED: cyan | c.A_BOLD,
            Style.DRIVE: green, Style.REGEN: blue, Style.KEY: cyan,
        }  # fmt: skip

    def _without_color(self) -> dict[Style, int]:
        c = self._curses
        return {
            Style.NORMAL: c.A_NORMAL, Style.DIM: c.A_NORMAL, Style.STRONG: c.A_BOLD, Style.TITLE: c.A_REVERSE,
            Style.GOOD: c.A_NORMAL, Style.WARN: c.A_UNDERLINE, Style.BAD: c.A_REVERSE, Style.CHANGED: c.A_BOLD,
            Style.DRIVE: c.A_NORMAL, Style.REGEN: c.A_NORMAL, Style.KEY: c.A_BOLD,
        }  # fmt: skip

    def run(self, viewer: Viewer) -> None:
        """Take frames, draw, wait for keys."""
        controls = Controls(viewer)
        while not viewer.is_over:
            drawn_s = time.monotonic()
            viewer.listen()
            fed_s = time.thread_time()
            height, width = self._window.getmaxyx()
            lines = layout(viewer, width, height)
            self._draw(lines, width)
            if viewer.wants_picture:
                self._picture(viewer, lines, width)
            cost_s = time.thread_time() - fed_s
            rest_s = min(max(cost_s / _REDRAW_SHARE, REDRAW_S), _REDRAW_SLOWEST_S)
            self._obey(viewer, controls, drawn_s + REDRAW_S, drawn_s + rest_s)

    def _obey(self, viewer: Viewer, controls: Controls, soonest_s: float, until_s: float) -> None:
        """Take keys until it is time to draw again, which is sooner when there was one."""
        while not viewer.is_over:
            wait_s = until_s - time.monotonic()
            if wait_s <= 0:
                return
            self._window.timeout(max(round(1000 * wait_s), 1))
            try:
                code = self._window.get_wch()
            except self._curses.error:  # no key
                continue
            except KeyboardInterrupt:
                viewer.is_over = True
                return
            key = self._name(code)
            if key == keys.RESIZE:
                self._window.erase()
            else:
                controls.press(key)
            until_s = soonest_s

    def _name(self, code: int | str) -> str:
        """A printable character itself, else curses' name of the key."""
        if isinstance(code, str):
            return code if code.isprintable() else self._curses.unctrl(code).decode("ascii", "replace")
        return str(self._curses.keyname(code).decode("ascii", "replace"))

    def _draw(self, lines: list[Line], width: int) -> None:
        self._window.erase()
        for y, line in enumerate(lines):
            # Curses cannot write the last corner, and complains after it has written; so it does where the window
            # has just become smaller.
            with contextlib.suppress(self._curses.error):
                self._draw_line(y, line, width)
        self._window.refresh()

    def _draw_line(self, y: int, line: Line, width: int) -> None:
        """Write a line, neighbours of one attribute at once."""
        add, attributes = self._window.addstr, self._attributes
        extra = self._curses.A_REVERSE if line.selected else 0
        self._window.move(y, 0)
        run, run_attribute, x = "", extra, 0
        for text, style in line.spans:
            attribute = attributes[style] | extra
            if attribute != run_attribute:
                if run:
                    add(self._shown(run), run_attribute)
                run, run_attribute = "", attribute
            run += text
            x += len(text)
        if line.selected and x < width:
            if run_attribute != extra and run:
                add(self._shown(run), run_attribute)
                run = ""
            run, run_attribute = run + " " * (width - x), extra
        if run:
            add(self._shown(run), run_attribute)

    def _shown(self, text: str) -> str:
        """What of a text the terminal's encoding has."""
        return text.encode(self._encoding, "replace").decode(self._encoding) if self._encoding else text

    def _picture(self, viewer: Viewer, lines: list[Line], width: int) -> None:
        path, viewer.wants_picture = viewer.wants_picture, None
        assert path
        try:
            picture.write(path, lines, width)
        except UserError as error:
            viewer.message = str(error)
        else:
            viewer.message = f"picture: {path}"
