"""Factor, range, value tables and start values against what the bits can hold."""

from collections.abc import Iterator
from itertools import chain

from twinaxle.dbc.conventions import START_VALUE
from twinaxle.dbc.lint.rule import Hit, Severity, rule
from twinaxle.dbc.syntax import Document, Signal
from twinaxle.dbc.syntax.tree import plain

LONGEST_SIGNAL = 64
_ROUNDING = 1e-5  # of a number that is written with six digits


def _has_range(signal: Signal) -> bool:
    return (signal.line.minimum, signal.line.maximum) != (0, 0)


def _integers(document: Document) -> Iterator[Signal]:
    """The signals whose bits are an integer of a possible length."""
    return (one for one in document.signals() if not one.is_float and 1 <= one.line.length <= LONGEST_SIGNAL)


def physical_limits(signal: Signal) -> tuple[float, float]:
    """Smallest and largest physical value that the bits can hold."""
    ends = [raw * signal.line.factor + signal.line.offset for raw in signal.raw_limits]
    return min(ends), max(ends)


@rule("zero-factor", Severity.ERROR, "a factor of 0")
def zero_factor(document: Document) -> Iterator[Hit]:
    for signal in document.signals():
        if signal.line.factor == 0:
            yield Hit(signal.line.scaling_at, f"signal {signal.title}: factor 0 makes every value the same: use 1")


@rule("inverted-range", Severity.ERROR, "a minimum above the maximum")
def inverted_range(document: Document) -> Iterator[Hit]:
    for signal in document.signals():
        low, high = signal.line.minimum, signal.line.maximum
        if low > high:
            yield Hit(
                signal.line.range_at, f"signal {signal.title}: minimum {plain(low)} is above maximum {plain(high)}"
            )


@rule("no-range", Severity.STYLE, "[0|0], which says nothing")
def no_range(document: Document) -> Iterator[Hit]:
    for signal in document.signals():
        if not _has_range(signal):
            low, high = physical_limits(signal)
            text = f"signal {signal.title} has no range: the bits can hold [{_short(low)}|{_short(high)}]"
            yield Hit(signal.line.range_at, text)


@rule("single-value-range", Severity.WARNING, "a range of one value")
def single_value_range(document: Document) -> Iterator[Hit]:
    for signal in document.signals():
        if signal.line.minimum == signal.line.maximum and _has_range(signal):
            text = f"signal {signal.title}: the range is the single value {plain(signal.line.minimum)}"
            yield Hit(signal.line.range_at, f"{text}: correct minimum or maximum")


@rule("range-beyond-raw", Severity.WARNING, "a range that the bits cannot hold")
def range_beyond_raw(document: Document) -> Iterator[Hit]:
    """Half a step is allowed for, and that tools write six digits."""
    for signal in _integers(document):
        if signal.line.factor == 0 or not _has_range(signal):
            continue
        low, high = physical_limits(signal)
        slack = max(abs(signal.line.factor) / 2, _ROUNDING * max(abs(low), abs(high)))
        if signal.line.minimum < low - slack or signal.line.maximum > high + slack:
            given = f"[{plain(signal.line.minimum)}|{plain(signal.line.maximum)}]"
            text = f"signal {signal.title}: the range {given} is wider than the bits can hold"
            yield Hit(signal.line.range_at, f"{text}: [{_short(low)}|{_short(high)}]")


@rule("value-beyond-raw", Severity.ERROR, "a named value that the bits cannot hold")
def value_beyond_raw(document: Document) -> Iterator[Hit]:
    for signal in _integers(document):
        low, high = signal.raw_limits
        for entry in signal.value_list.entries if signal.value_list else ():
            if low <= entry.value <= high:
                continue
            text = f'signal {signal.title}: {plain(entry.value)} "{entry.text}" is not in {low} to {high}'
            table = signal.value_list and signal.value_list.table
            at = signal.value_list.at if signal.value_list and table else entry.at
            yield Hit(at, f"{text}, which is what {signal.line.length} bits can hold")


@rule("fractional-value", Severity.ERROR, "a named value that is no integer")
def fractional_value(document: Document) -> Iterator[Hit]:
    entries = [one.entries for one in document.tree.value_lists] + [one.entries for one in document.tree.value_tables]
    for entry in chain.from_iterable(entries):
        if entry.value != int(entry.value):
            yield Hit(entry.at, f'value {plain(entry.value)} "{entry.text}" is no integer: values are raw values')


@rule("start-beyond-raw", Severity.ERROR, "a start value that the bits cannot hold")
def start_beyond_raw(document: Document) -> Iterator[Hit]:
    for signal, start, at in _start_values(document):
        low, high = signal.raw_limits
        if not low <= start <= high:
            text = f"signal {signal.title}: {START_VALUE} {plain(start)} is not in {low} to {high}"
            yield Hit(at, f"{text}, which is what {signal.line.length} bits can hold (it is a raw value)")


@rule("start-outside-range", Severity.WARNING, "a start value outside [min|max]")
def start_outside_range(document: Document) -> Iterator[Hit]:
    for signal, start, at in _start_values(document):
        low, high = signal.raw_limits
        if not low <= start <= high:
            continue
        value = start * signal.line.factor + signal.line.offset
        slack = abs(signal.line.factor) / 2
        # A named value is meant, even outside of the range ("not available").
        inside = signal.line.minimum - slack <= value <= signal.line.maximum + slack
        if _has_range(signal) and not inside and start not in signal.choices:
            given = f"[{plain(signal.line.minimum)}|{plain(signal.line.maximum)}]"
            text = f"signal {signal.title}: {START_VALUE} {plain(start)} means {_short(value)}, outside of {given}"
            yield Hit(at, f"{text} (it is a raw value)")


def _start_values(document: Document) -> Iterator[tuple[Signal, float, int]]:
    """Integer signals with a start value of their own, the value, and where it stands."""
    for signal in _integers(document):
        assignment = signal.attributes.get(START_VALUE)
        value = assignment.value.value if assignment else None
        if assignment and isinstance(value, int | float):
            yield signal, value, assignment.value.at


def _short(value: float) -> str:
    return plain(float(f"{value:.12g}"))
