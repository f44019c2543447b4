"""What an opened message shows below its line: nodes and cycle, E2E counts, bits, each signal."""

from twinaxle.e2e import Verdict
from twinaxle.sniff import numbers
from twinaxle.sniff.content import BYTES_MAX, Look, joined, reading_style
from twinaxle.sniff.spans import Line, Span, Style, clip, plain
from twinaxle.sniff.store import Row

_WORDS = {
    Verdict.REPEATED: "repeated", Verdict.WRONG_SEQUENCE: "wrong sequence", Verdict.WRONG_CRC: "wrong CRC",
    Verdict.INVALID_COUNTER: "invalid counter", Verdict.WRONG_LENGTH: "wrong length", Verdict.SYNC: "resynchronised",
}  # fmt: skip
_INDENT = "     "


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
        span = Span(f"{reading.text:>{text_width}} {plain(reading.unit):{unit_width}}", reading_style(reading, changed))
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
    return range(0, len(row.data), BYTES_MAX)


def _bit_lines(row: Row, look: Look) -> list[Line]:
    """The data bit by bit, bit 7 of each byte first."""
    changed = look.changed(row)
    lines = []
    for begin in _byte_rows(row):
        spans = [Span(f"{_INDENT}bits " if not begin else f"{_INDENT}{begin:4} ", Style.DIM)]
        for place, byte in enumerate(row.data[begin : begin + BYTES_MAX], begin):
            for bit in range(7, -1, -1):
                style = Style.CHANGED if changed >> 8 * place + bit & 1 else Style.NORMAL
                spans.append(Span(str(byte >> bit & 1), style))
            spans.append(Span(" "))
        lines.append(Line(tuple(joined(spans))))
    return lines
