"""The bits of a message, byte by byte, for pictures."""

from collections.abc import Sequence
from itertools import groupby

from twinaxle.dbc.doc.page import BitLayout, Segment
from twinaxle.dbc.syntax import Message, Signal
from twinaxle.dbc.syntax.document import MOST_BYTES

BITS = range(7, -1, -1)  # of a byte, as they are drawn


def layouts(message: Message) -> list[BitLayout]:
    """The picture of a message; of a multiplexed one, a picture for each set of frames that look the same."""
    pages: dict[tuple[str, tuple[tuple[int, int], ...]], list[Signal]] = {}
    always = [signal for signal in message.signals if not signal.mux_values]
    for signal in message.signals:
        if signal.mux_values:
            pages.setdefault((signal.selector, signal.mux_values), []).append(signal)
    if not pages:
        return [BitLayout("", _rows(message, always))]
    return [
        BitLayout(_title(message, signals[0]), _rows(message, always + _parents(message, selector) + signals))
        for (selector, _), signals in pages.items()
    ]


def _title(message: Message, signal: Signal) -> str:
    """Which values of which selectors carry a signal, the outermost selector first."""
    chain = [*reversed(_parents(message, signal.selector)), signal]
    return ", ".join(f"{one.selector} = {ranges_text(one.mux_values)}" for one in chain)


def ranges_text(values: Sequence[tuple[int, int]]) -> str:
    """`1/3-5` for ranges of selector values."""
    return "/".join(str(low) if low == high else f"{low}-{high}" for low, high in values)


def _parents(message: Message, selector: str) -> list[Signal]:
    """The selectors that are themselves multiplexed and lead to `selector`, with it."""
    found: list[Signal] = []
    signal = message.signal_by_name.get(selector)
    while signal is not None and signal.mux_values and signal not in found:
        found.append(signal)
        signal = message.signal_by_name.get(signal.selector)
    return found


def _rows(message: Message, signals: Sequence[Signal]) -> list[list[Segment]]:
    owners: dict[int, tuple[Signal, ...]] = {}
    for signal in signals:
        for bit in signal.bits:
            owners[bit] = (*owners.get(bit, ()), signal)
    count = min(message.line.length, MOST_BYTES)
    return _with_names([_segments([owners.get(8 * byte + bit, ()) for bit in BITS]) for byte in range(count)])


def _segments(owners: list[tuple[Signal, ...]]) -> list[Segment]:
    """Segments of one byte; `owners` from bit 7 to bit 0."""
    segments, high = [], 7
    for _, group in groupby(owners, key=lambda signals: [id(signal) for signal in signals]):
        bits = list(group)
        segments.append(Segment(high, high - len(bits) + 1, bits[0]))
        high -= len(bits)
    return segments


def _with_names(rows: list[list[Segment]]) -> list[list[Segment]]:
    """Marks the widest segment of each set of signals, the first of equal ones."""
    widest: dict[tuple[int, ...], tuple[int, int]] = {}
    for at, row in enumerate(rows):
        for segment in row:
            key = tuple(id(signal) for signal in segment.signals)
            if key not in widest or segment.width > widest[key][0]:
                widest[key] = segment.width, 8 * at + segment.high
    return [
        [
            Segment(one.high, one.low, one.signals, bool(one.signals) and widest[key] == (one.width, 8 * at + one.high))
            for one in row
            for key in [tuple(id(signal) for signal in one.signals)]
        ]
        for at, row in enumerate(rows)
    ]
