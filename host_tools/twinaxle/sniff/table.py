"""The table of messages: columns that give way on a narrow terminal, and what an opened message shows below it."""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

from twinaxle.e2e import Verdict
from twinaxle.sniff import numbers
from twinaxle.sniff.glyphs import Glyphs
from twinaxle.sniff.spans import Line, Span, Style, clip, pad, plain
from twinaxle.sniff.store import Row
from twinaxle.sniff.values import Reading

SHORT = {
    Verdict.OK: "ok", Verdict.OK_SOME_LOST: "lost", Verdict.REPEATED: "rep", Verdict.WRONG_SEQUENCE: "seq",
    Verdict.WRONG_CRC: "crc", Verdict.INITIAL: "init", Verdict.SYNC: "sync", Verdict.INVALID_COUNTER: "ctr",
    Verdict.WRONG_LENGTH: "len",
}  # fmt: skip
_WORDS = {
    Verdict.REPEATED: "repeated", Verdict.WRONG_SEQUENCE: "wrong sequence", Verdict.WRONG_CRC: "wrong CRC",
    Verdict.INVALID_COUNTER: "invalid counter", Verdict.WRONG_LENGTH: "wrong length", Verdict.SYNC: "resynchronised",
}  # fmt: skip

_CYCLE_TOLERANCE = 0.1
"""A mean cycle this far from GenMsgCycleTime is marked."""
_JITTER_TOLERANCE = 0.5
"""A cycle that was ever this share of GenMsgCycleTime off is marked."""

_NAME_MIN, _NAME_MAX = 8, 26
_BYTES_MAX = 8
"""Bytes in the line of a message; an opened one shows them all."""
_SIGNALS_MIN = 12
_SIGNALS_WANTED = 30
_FIRST_RANKS = 5
"""Columns up to this rank come before the signals, the others only where the signals have what is wanted for them."""
_INDENT = "     "
_EMPTY, _BLANK, _GAP = Span(""), Span(" "), Span("  ")


class Shows(Enum):
    """What of a frame's content stands in the line of a message."""

    BOTH = "data and signals"
    SIGNALS = "signals"
    DATA = "data"


class Look(NamedTuple):
    """How rows are shown."""

    now_s: float
    glyphs: Glyphs
    since_mark: bool = False
    """Changes since the mark are highlighted, else those of the last half second."""

    def changed(self, row: Row) -> int:
        """The bits to highlight."""
        return row.since_mark if self.since_mark else row.recent


class Column(NamedTuple):
    """A column. The lower the rank, the longer it stays when the terminal gets narrow."""

    title: str
    width: int
    rank: int
    cell: Callable[[Row, Look], Span]
    left: bool = False
    when: Callable[[Row], int] | None = None
    """If given, the column is there from the first row on for which this is not zero."""


def _age(row: Row, look: Look) -> Span:
    return Span(numbers.age(row.watch.age_s(look.now_s)), Style.BAD if row.is_late else Style.NORMAL)


def _cycle(row: Row, look: Look) -> Span:
    mean_s, nominal_s = row.watch.cycle_mean_s, row.watch.nominal_s
    off = mean_s is not None and nominal_s and abs(mean_s - nominal_s) > _CYCLE_TOLERANCE * nominal_s
    return Span(numbers.milliseconds(mean_s), Style.WARN if off else Style.NORMAL)


def _jitter(row: Row, look: Look) -> Span:
    jitter_s, nominal_s = row.watch.jitter_s, row.watch.nominal_s
    off = jitter_s is not None and nominal_s and jitter_s > _JITTER_TOLERANCE * nominal_s
    return Span(numbers.milliseconds(jitter_s), Style.WARN if off else Style.NORMAL)


def _nominal(row: Row, look: Look) -> Span:
    nominal_s = row.watch.nominal_s
    return Span(f"{1000 * nominal_s:.0f}" if nominal_s else "", Style.DIM)


def _verdict(row: Row, look: Look) -> Span:
    verdict = row.watch.verdict
    if verdict is None:
        return Span("")
    good = verdict.good or verdict == Verdict.INITIAL
    return Span(SHORT[verdict], Style.BAD if not good else Style.DIM if row.is_late else Style.GOOD)


def _faults(row: Row, look: Look) -> Span:
    return Span(numbers.count(row.fault_count), Style.BAD) if row.fault_count else Span("")


def _lost(row: Row, look: Look) -> Span:
    return Span(numbers.count(row.watch.lost), Style.WARN) if row.watch.lost else Span("")


COLUMNS = (
    Column("Age", 5, 5, _age),
    Column("Count", 7, 8, lambda row, look: Span(numbers.count(row.count))),
    Column("Rate/s", 6, 4, lambda row, look: Span(numbers.rate(row.rate))),
    Column("Cycle", 6, 6, _cycle),
    Column("Jitter", 6, 7, _jitter),
    Column("DBC", 5, 10, _nominal),
    Column("E2E", 4, 2, _verdict, left=True),
    Column("Bad", 5, 3, _faults, when=lambda row: row.fault_count),
    Column("Lost", 5, 9, _lost, when=lambda row: row.watch.lost),
)
"""Cycle, Jitter and DBC (GenMsgCycleTime) are in ms; Bad and Lost are frames."""


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
            spans += pad(data_spans(row, look, _BYTES_MAX + 1), self.data_width, glyphs.more)
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
    bytes_most = max((len(row.data) for row in rows), default=_BYTES_MAX)
    data_width = 3 * min(max(bytes_most, 1), _BYTES_MAX) - 1
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
    return _joined(spans)


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Neighbours of one style as one span."""
    result: list[Span] = []
    for span in spans:
        if result and result[-1].style == span.style:
            result[-1] = Span(result[-1].text + span.text, span.style)
        else:
            result.append(span)
    return result


def _reading_style(reading: Reading, changed: int) -> Style:
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
        spans.append(Span(shown, Style.DIM if row.is_late else _reading_style(reading, changed)))
        spans.append(_GAP)
        width -= len(reading.signal.name) + len(shown) + 3
        if width < 0:
            break
    return spans


def text_of(row: Row) -> str:
    """The decoded text of a row, on which search and filter try words: names, values and units of its signals."""
    return "  ".join(f"{reading.signal.name} {reading.shown}" for reading in row.readings)


def height(row: Row, is_open: bool) -> int:
    """Lines that a row takes."""
    if not is_open:
        return 1
    return 1 + len(_facts(row)) + len(_byte_rows(row)) + len(row.readings)


def details(row: Row, look: Look, width: int) -> list[Line]:
    """What an opened row shows below its line: the judge's facts, the bits, each signal."""
    lines = [Line((Span(_INDENT), *fact)) for fact in _facts(row)]
    lines += _bit_lines(row, look)
    name_width = max((len(reading.signal.name) for reading in row.readings), default=0)
    text_width = max((len(reading.text) for reading in row.readings), default=0)
    unit_width = max((len(reading.unit) for reading in row.readings), default=0)
    changed = look.changed(row)
    for reading in row.readings:
        signal = reading.signal
        span = Span(
            f"{reading.text:>{text_width}} {plain(reading.unit):{unit_width}}", _reading_style(reading, changed)
        )
        more = f"  raw {reading.raw}"
        if reading.out_of_range:
            more += f"  outside {signal.minimum:g} to {signal.maximum:g}"
        comment = f"  {plain(signal.comment)}" if signal.comment else ""
        spans = (Span(f"{_INDENT}{signal.name:{name_width}}  "), span, Span(more, Style.DIM), Span(comment, Style.DIM))
        lines.append(Line(spans))
    return [Line(clip(line.spans, width, look.glyphs.more)) for line in lines]


def _facts(row: Row) -> list[tuple[Span, ...]]:
    """Who sends it, its cycle, its E2E counts; what is wrong with its length or its decoding."""
    message = row.message
    facts: list[tuple[Span, ...]] = [(Span("  ".join(_route(row)), Style.DIM),)]
    if message is None or row.is_remote:
        return facts
    if message.e2e and row.count:
        facts.append(_protection(row))
    if row.decoder and row.decoder.problem:
        facts.append((Span(plain(row.decoder.problem), Style.WARN),))
    elif row.count and len(row.data) != message.length:
        text = f"{len(row.data)} bytes; {message.name} has {message.length}"
        facts.append((Span(text, Style.BAD),))
    return facts


def _route(row: Row) -> list[str]:
    """Nodes, cycle and kind of frame."""
    message, watch, last = row.message, row.watch, row.last
    words = []
    if message:
        words.append(f"{', '.join(message.senders) or 'nobody'} to {', '.join(message.receivers) or 'nobody'}")
    if watch.nominal_s:
        words.append(f"every {1000 * watch.nominal_s:.0f} ms")
    if watch.timeout_s:
        times = f" ({watch.timeouts} times)" if watch.timeouts else ""
        words.append(f"missing after {1000 * watch.timeout_s:.0f} ms{times}")
    if watch.cycle_min_s is not None:
        low, high = numbers.milliseconds(watch.cycle_min_s), numbers.milliseconds(watch.cycle_max_s)
        words.append(f"cycle {low} to {high} ms, deviation {numbers.milliseconds(watch.cycle_deviation_s)} ms")
    if last and last.is_fd:
        words.append("CAN FD, bit rate switch" if last.bitrate_switch else "CAN FD")
    if last and not last.is_rx:
        words.append("sent from here")
    return words or ["one frame"]


def _protection(row: Row) -> tuple[Span, ...]:
    watch = row.watch
    counter = f"  counter {row.data[1] & 0x0F}" if len(row.data) > 1 else ""
    good = watch.verdicts[Verdict.OK] + watch.verdicts[Verdict.OK_SOME_LOST] + watch.verdicts[Verdict.INITIAL]
    spans = [Span(f"E2E{counter}  good {good}", Style.DIM)]
    for verdict, words in _WORDS.items():
        if number := watch.verdicts[verdict]:
            spans.append(Span(f"  {words} {number}", Style.WARN))
    if watch.lost:
        spans.append(Span(f"  lost {watch.lost}", Style.WARN))
    return tuple(spans)


def _byte_rows(row: Row) -> range:
    """The first byte of each line of bits."""
    return range(0, len(row.data), _BYTES_MAX)


def _bit_lines(row: Row, look: Look) -> list[Line]:
    """The data bit by bit, bit 7 of each byte first."""
    changed = look.changed(row)
    lines = []
    for begin in _byte_rows(row):
        spans = [Span(f"{_INDENT}bits " if not begin else f"{_INDENT}{begin:4} ", Style.DIM)]
        for place, byte in enumerate(row.data[begin : begin + _BYTES_MAX], begin):
            for bit in range(7, -1, -1):
                style = Style.CHANGED if changed >> 8 * place + bit & 1 else Style.NORMAL
                spans.append(Span(str(byte >> bit & 1), style))
            spans.append(Span(" "))
        lines.append(Line(tuple(_joined(spans))))
    return lines
