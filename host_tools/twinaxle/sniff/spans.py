"""Styled text: what the view is made of before it meets a terminal or a picture."""

from collections.abc import Iterable
from enum import IntEnum, auto
from typing import NamedTuple


class Style(IntEnum):
    """What a piece of text means; `screen` and `picture` decide what that looks like."""

    NORMAL = 0
    DIM = auto()
    STRONG = auto()
    TITLE = auto()
    GOOD = auto()
    WARN = auto()
    BAD = auto()
    CHANGED = auto()
    DRIVE = auto()
    """A bar of driving torque."""
    REGEN = auto()
    """A bar of braking torque."""
    KEY = auto()


class Span(NamedTuple):
    """A piece of a line in one style."""

    text: str
    style: Style = Style.NORMAL


class Line(NamedTuple):
    """A line of the screen. `selected` marks that under the cursor."""

    spans: tuple[Span, ...] = ()
    selected: bool = False

    @property
    def text(self) -> str:
        """The line without its styles."""
        return "".join(span.text for span in self.spans)


def line(*parts: Span | str, selected: bool = False) -> Line:
    """A line of spans; a plain string is one in the normal style."""
    return Line(tuple(part if isinstance(part, Span) else Span(part) for part in parts), selected)


def width(spans: Iterable[Span]) -> int:
    """Characters in a sequence of spans."""
    return sum(len(span.text) for span in spans)


def clip(spans: Iterable[Span], columns: int, mark: str = "") -> tuple[Span, ...]:
    """The spans cut to `columns` characters; where something is cut, `mark` takes the last place."""
    kept: list[Span] = []
    left = columns
    for span in spans:
        if len(span.text) <= left:
            kept.append(span)
            left -= len(span.text)
        elif mark and columns:
            return (*clip([*kept, span], columns - len(mark)), Span(mark, span.style))
        else:
            kept.append(Span(span.text[:left], span.style))
            break
    return tuple(kept)


def pad(spans: Iterable[Span], columns: int, mark: str = "") -> tuple[Span, ...]:
    """The spans cut or filled with blanks to exactly `columns` characters."""
    cut = clip(spans, columns, mark)
    gap = columns - width(cut)
    return (*cut, Span(" " * gap)) if gap > 0 else cut


def plain(text: str) -> str:
    """Text from a file or the bus without characters that would move a terminal's cursor."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
