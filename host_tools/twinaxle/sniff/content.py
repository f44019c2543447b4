"""The content of a frame as text in one line: its bytes, its signals, and which of them have changed."""

from collections.abc import Sequence
from typing import NamedTuple

from twinaxle.sniff.glyphs import Glyphs
from twinaxle.sniff.spans import Span, Style
from twinaxle.sniff.store import Row
from twinaxle.sniff.values import Reading

BYTES_MAX = 8
"""Bytes in the line of a message, and in a line of bits."""

_GAP = Span("  ")


class Look(NamedTuple):
    """How rows are shown."""

    now_s: float
    glyphs: Glyphs
    since_mark: bool = False
    """Changes since the mark are highlighted, else those of the last half second."""

    def changed(self, row: Row) -> int:
        """The bits to highlight."""
        return row.since_mark if self.since_mark else row.recent


def data_spans(row: Row, look: Look, most: int) -> list[Span]:
    """The first bytes of the data in hex, those highlighted in which a bit has changed; dim when they are stale."""
    changed = look.changed(row)
    text = row.data[:most].hex(" ").upper()
    if row.is_late or not changed:
        return [Span(text, Style.DIM if row.is_late else Style.NORMAL)]
    spans = []
    for at in range(0, len(text), 3):
        spans.append(Span(text[at : at + 3], Style.CHANGED if changed & 0xFF else Style.NORMAL))
        changed >>= 8
    return joined(spans)


def joined(spans: Sequence[Span]) -> list[Span]:
    """Neighbours of one style as one span."""
    result: list[Span] = []
    for span in spans:
        if result and result[-1].style == span.style:
            result[-1] = Span(result[-1].text + span.text, span.style)
        else:
            result.append(span)
    return result


def reading_style(reading: Reading, changed: int) -> Style:
    if reading.out_of_range:
        return Style.WARN
    return Style.CHANGED if reading.mask & changed else Style.NORMAL


def signal_spans(row: Row, look: Look, width: int) -> list[Span]:
    """The signals in one line, those that have changed highlighted, until `width` is full; dim when they are stale."""
    changed = look.changed(row)
    spans = []
    for reading in row.readings:
        shown = reading.shown
        spans.append(Span(f"{reading.signal.name} ", Style.DIM))
        spans.append(Span(shown, Style.DIM if row.is_late else reading_style(reading, changed)))
        spans.append(_GAP)
        width -= len(reading.signal.name) + len(shown) + 3
        if width < 0:
            break
    return spans


def text_of(row: Row) -> str:
    """The decoded text of a row, on which search and filter try words: names, values and units of its signals."""
    return "  ".join(f"{reading.signal.name} {reading.shown}" for reading in row.readings)
