"""Series as SVG paths in whole numbers: x is the place on the time axis, y counts down from the top of the axis.

The page's script reads value and time under the cursor back from the path, so nothing is written twice.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinaxle.plot.picture import Panel
from twinaxle.plot.scale import decimate, decimate_places, nice_range

RESOLUTION = 10000
"""Steps of a path from the bottom to the top of its axis."""


def axis_range(panel: Panel) -> tuple[float, float, float]:
    """Lower end, upper end and tick step of the panel's axis.

    Limits join in as long as they don't squeeze the other lines to less than half of the axis.
    """
    low, high = _extent([line.values for line in panel.lines if not line.is_limit])
    limit_low, limit_high = _extent([line.values for line in panel.lines if line.is_limit])
    if not np.isfinite(low):
        low, high = limit_low, limit_high
    if panel.with_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    span = high - low
    for bound in (limit_low, limit_high):
        if np.isfinite(bound) and max(high, bound) - min(low, bound) <= 2.0 * span:
            low, high = min(low, bound), max(high, bound)
    return nice_range(low, high)


def path_data(
    values: NDArray[np.float64], low: float, high: float, columns: int, places: NDArray[np.int64] | None = None
) -> str:
    """The `d` attribute of a series on an axis from `low` to `high`: absolute starts, relative whole steps.

    The values stand at `places`, which ascend, or one at each step. Gaps (NaN) interrupt the line. Empty when there is
    no value at all.
    """
    index = decimate(values, columns) if places is None else decimate_places(places, values, columns)
    picked = values[index]
    at = index if places is None else places[index]
    heights = np.rint((high - picked) / (high - low) * RESOLUTION)
    valid = np.isfinite(heights)
    parts: list[str] = []
    for first, last in _stretches(valid):
        x, y = _without_flats(at[first:last], heights[first:last].astype(np.int64))
        steps = np.column_stack((np.diff(x), np.diff(y))).ravel().tolist()
        parts.append(f"M{x[0]} {y[0]}")
        # A lone sample is a point: a line of no length, which round caps make visible.
        parts.append("l" + _joined(steps) if steps else "h0")
    return "".join(parts)


def _joined(steps: list[int]) -> str:
    """Numbers parted by blanks, a minus sign parting by itself."""
    return " ".join(map(str, steps)).replace(" -", "-")


def _stretches(valid: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """From and to (excluded) of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], valid, [False])).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _without_flats(x: NDArray[np.int64], y: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Drop the inner points of level stretches; the line stays the same."""
    if len(y) < 3:
        return x, y
    keep = np.ones(len(y), dtype=np.bool_)
    keep[1:-1] = (y[1:-1] != y[:-2]) | (y[1:-1] != y[2:])
    return x[keep], y[keep]


def _extent(all_values: list[NDArray[np.float64]]) -> tuple[float, float]:
    finite = [values[np.isfinite(values)] for values in all_values]
    filled = [values for values in finite if len(values)]
    if not filled:
        return np.inf, -np.inf
    return min(float(values.min()) for values in filled), max(float(values.max()) for values in filled)
