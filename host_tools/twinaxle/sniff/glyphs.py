"""The few characters beyond ASCII, and what stands for them where the terminal has no UTF-8."""

from typing import NamedTuple


class Glyphs(NamedTuple):
    """Characters of the view, each one column wide."""

    closed: str
    opened: str
    mark: str
    more: str
    bar: str
    parts: str
    """Parts of a bar's last character, from the smallest on."""
    empty: str
    zero: str
    recording: str


UNICODE = Glyphs("▸", "▾", "*", "…", "█", "▏▎▍▌▋▊▉", "·", "│", "●")
ASCII = Glyphs("+", "-", "*", "~", "#", "", ".", "|", "R")
