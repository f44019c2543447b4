"""The table of messages: one line for each, with the columns that fit."""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from twinaxle.sniff.columns import COLUMNS, Column
from twinaxle.sniff.content import BYTES_MAX, Look, data_spans, signal_spans
from twinaxle.sniff.spans import Line, Span, Style, clip, pad, plain
from twinaxle.sniff.store import Row

_NAME_MIN, _NAME_MAX = 8, 26
_SIGNALS_MIN = 12
_SIGNALS_WANTED = 30
_FIRST_RANKS = 5
"""Columns up to this rank come before the signals, the others only where the signals have what is wanted for them."""
_EMPTY, _BLANK = Span(""), Span(" ")


class Shows(Enum):
    """What of a frame's content stands in the line of a message."""

    BOTH = "data and signals"
    SIGNALS = "signals"
    DATA = "data"


class Table(NamedTuple):
    """The columns that fit, made for one redraw by `fit`."""

    columns: tuple[Column, ...]
    channel_width: int
    id_width: int
    name_width: int
    data_width: int
    signals_width: int
    width: int
    """Of the terminal."""

    def header(self) -> str:
        """The titles."""
        parts = ["  "]
        if self.channel_width:
            parts.append(f"{'Ch':{self.channel_width}} ")
        parts.append(f"{'ID':>{self.id_width}} {'Name'[: self.name_width]:{self.name_width}}")
        parts += [f" {c.title:{'<' if c.left else '>'}{c.width}}" for c in self.columns]
        if self.data_width:
            parts.append(f" {'Data'[: self.data_width]:{self.data_width}}")
        if self.signals_width:
            parts.append(" Signals")
        return "".join(parts)

    def row(self, row: Row, look: Look, *, is_open: bool, selected: bool) -> Line:
        """The line of a message."""
        glyphs = look.glyphs
        style = Style.BAD if row.is_late else Style.NORMAL if row.message and row.count else Style.DIM
        head = (glyphs.opened if is_open else glyphs.closed) + (glyphs.mark if row.marked else " ")
        if self.channel_width:
            channel = "" if row.channel is None else plain(str(row.channel))
            head += f"{channel[: self.channel_width]:{self.channel_width}} "
        name = row.label
        if len(name) > self.name_width:
            name = name[: max(self.name_width - 1, 0)] + glyphs.more
        title = f"{identifier(row).rjust(self.id_width)} {name.ljust(self.name_width)}"
        spans = [Span(head), Span(title, style)]
        # Cells of one style become one span: this runs for every line of every redraw.
        run, run_style = "", Style.NORMAL
        for column in self.columns:
            text, style = column.cell(row, look) if row.count else _EMPTY
            if style is not run_style:
                spans.append(Span(run, run_style))
                run, run_style = "", style
            run += " " + (text.ljust(column.width) if column.left else text.rjust(column.width))
        spans.append(Span(run, run_style))
        if self.data_width:
            spans.append(_BLANK)
            spans += pad(data_spans(row, look, BYTES_MAX + 1), self.data_width, glyphs.more)
        if self.signals_width:
            spans.append(_BLANK)
            spans += clip(signal_spans(row, look, self.signals_width), self.signals_width, glyphs.more)
        line = tuple(spans) if self.name_width else clip(spans, self.width)
        return Line(line, selected)


def fit(rows: Sequence[Row], width: int, shows: Shows = Shows.BOTH) -> Table:
    """The table for these rows on `width` characters: columns leave, highest rank first, until the rest fits."""
    id_width = 8 if any(row.is_extended for row in rows) else 3
    channels = {str(row.channel) for row in rows if row.channel is not None}
    channel_width = min(max(map(len, channels)), 6) if len(channels) > 1 else 0
    longest = max((len(row.label) for row in rows), default=0)
    name_width = min(max(longest, _NAME_MIN), _NAME_MAX)
    bytes_most = max((len(row.data) for row in rows), default=BYTES_MAX)
    data_width = 3 * min(max(bytes_most, 1), BYTES_MAX) - 1
    fixed = 2 + (channel_width and channel_width + 1) + id_width + 1
    name_width = max(min(name_width, width - fixed), 0)
    left = width - fixed - name_width
    data_width = 0 if shows is Shows.SIGNALS else max(min(data_width, left - 1), 0)
    left -= data_width and data_width + 1
    chosen = set()
    needed = [column for column in COLUMNS if column.when is None or any(map(column.when, rows))]
    for column in sorted(needed, key=lambda column: column.rank):
        kept_free = 0 if column.rank <= _FIRST_RANKS or shows is Shows.DATA else _SIGNALS_WANTED + 1
        if left - column.width - 1 < kept_free:
            break
        chosen.add(column)
        left -= column.width + 1
    columns = tuple(column for column in COLUMNS if column in chosen)
    signals_width = left - 1 if left - 1 >= _SIGNALS_MIN and shows is not Shows.DATA else 0
    return Table(columns, channel_width, id_width, name_width, data_width, signals_width, width)


def identifier(row: Row) -> str:
    """The identifier in hex, 3 or 8 digits."""
    return f"{row.can_id:08X}" if row.is_extended else f"{row.can_id:03X}"
