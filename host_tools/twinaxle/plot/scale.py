"""Axes with sensible numbers, numbers with sensible digits, and lines with no more points than can be seen."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_STEPS = (1.0, 2.0, 5.0, 10.0)
_TIME_STEPS_S = (60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)


def nice_step(span: float, parts: int) -> float:
    """The step of 1, 2 or 5 times a power of ten that cuts `span` in at most `parts` pieces."""
    if not (math.isfinite(span) and span > 0.0):
        return 1.0
    rough = span / parts
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in _STEPS if step * power >= rough * (1.0 - 1e-9))


def time_step_s(span_s: float, parts: int) -> float:
    """As `nice_step`, but whole minutes from one minute on."""
    step = nice_step(span_s, parts)
    if step < 50.0:
        return step
    return next((minutes for minutes in _TIME_STEPS_S if minutes >= span_s / parts), step)


def ticks(low: float, high: float, step: float) -> list[float]:
    """The multiples of `step` from `low` to `high`, both included."""
    slack = 1e-9 * max(1.0, abs(low / step), abs(high / step))
    first = math.ceil(low / step - slack)
    last = math.floor(high / step + slack)
    return [round(index * step, 12) + 0.0 for index in range(first, last + 1)]


def nice_range(low: float, high: float, parts: int = 4) -> tuple[float, float, float]:
    """Ends and step of an axis that shows `low` to `high`; the ends are multiples of the step."""
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    if high - low < 1e-9 * max(1.0, abs(low), abs(high)):
        low, high = (0.0, high) if high > 0.0 else (low, 0.0)
        if low == high:
            high = 1.0
    step = nice_step(high - low, parts)
    # A line may leave the last tick by a little rather than have the axis grow by a whole step.
    slack = 0.02
    bottom = math.floor(low / step + slack) * step
    top = math.ceil(high / step - slack) * step
    return min(bottom, low), max(top, high), step


def number(value: float, digits: int = 4) -> str:
    """A number for the reader: `digits` significant ones, whole above that, no trailing zeros, a true minus sign."""
    if math.isnan(value):
        return "no value"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0.0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude < -6:
        text = f"{value:.{digits - 1}e}"
    else:
        text = f"{value:.{max(0, digits - 1 - magnitude)}f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        whole = text.split(".")[0].lstrip("-")
        if len(whole) > 4:
            text = f"{float(text):,.{len(text.partition('.')[2])}f}".replace(",", "\u202f")
    return "0" if text in ("-0", "0") else text.replace("-", "−")


def number_beside(value: float, *bounds: float | None) -> str:
    """As `number`, with as many digits as it takes to tell the value from each limit that it doesn't equal."""
    for digits in range(4, 16):
        text = number(value, digits)
        if all(bound is None or bound == value or number(bound, digits) != text for bound in bounds):
            return text
    return repr(value)


def axis_number(value: float, step: float) -> str:
    """A tick's label with just the decimals that `step` needs."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    text = f"{value:,.{decimals}f}".replace(",", "\u202f" if abs(value) >= 10000 else "")
    return text.replace("-", "−")


def decimate(values: NDArray[np.float64], buckets: int) -> NDArray[np.intp]:
    """Indices of the samples that draw the same picture at `buckets` columns.

    From each column the first and last sample, the smallest and the largest, and one gap (NaN) if there is one; a short
    series is kept whole. Indices ascend.
    """
    count = len(values)
    if buckets < 1:
        raise ValueError(f"needs at least one column, not {buckets}")
    if count <= 2 * buckets:
        return np.arange(count)
    edges = np.arange(buckets + 1) * count // buckets
    starts = edges[:-1]
    size = int(np.diff(edges).max())
    # All columns as rows of equal length; the ragged last place repeats a column's own last sample.
    picks = np.minimum(starts[:, None] + np.arange(size)[None, :], edges[1:, None] - 1)
    table = values[picks]
    gaps = np.isnan(table)
    rows = np.arange(buckets)
    lows = picks[rows, np.where(gaps, np.inf, table).argmin(axis=1)]
    highs = picks[rows, np.where(gaps, -np.inf, table).argmax(axis=1)]
    holes = picks[rows, gaps.argmax(axis=1)]
    return np.unique(np.concatenate((starts, edges[1:] - 1, lows, highs, holes)))


def decimate_places(places: NDArray[np.int64], values: NDArray[np.float64], buckets: int) -> NDArray[np.intp]:
    """As `decimate`, for samples at ascending places: the columns are equal parts of the span of the places."""
    count = len(values)
    if buckets < 1:
        raise ValueError(f"needs at least one column, not {buckets}")
    if count <= 2 * buckets:
        return np.arange(count)
    span = int(places[-1] - places[0]) + 1
    column = (places - places[0]) * buckets // span
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    ends = np.append(starts[1:], count)
    gaps = np.isnan(values)
    # Sorted by value within each column: the smallest comes first, the largest last.
    lows = np.lexsort((np.where(gaps, np.inf, values), column))[starts]
    highs = np.lexsort((np.where(gaps, -np.inf, values), column))[ends - 1]
    holes = np.flatnonzero(gaps)
    holes = holes[np.diff(column[holes], prepend=-1) != 0]  # one of each column
    return np.unique(np.concatenate((starts, ends - 1, lows, highs, holes)))
