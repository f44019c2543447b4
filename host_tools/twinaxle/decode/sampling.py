"""All signals at equal steps of time: each holds its last value, as a receiver sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twinaxle.decode.blocks import LogDecoder
from twinaxle.decode.columns import Column

_BLOCK = 50_000


@dataclass(frozen=True, eq=False)
class Samples:
    """Signals at the times `time_ns` [n], by `Message.Signal`. A signal is absent until it has come once."""

    time_ns: npt.NDArray[np.int64]
    columns: dict[str, Column]


def samples(decoder: LogDecoder, start_ns: int, end_ns: int, step_ns: int) -> Iterator[Samples]:
    """The signals from `start_ns` to `end_ns` (included) every `step_ns`, in blocks of some ten thousand rows.

    A value counts from the time of its frame on.
    """
    series: dict[str, tuple[npt.NDArray[np.int64], Column]] = {}
    for selected in decoder.selection:
        decoded = decoder.in_time_order(selected).decoded
        for column in decoded.columns:
            times = decoded.frames.time_ns
            if column.present is not None:
                times, column = times[column.present], column.take(column.present)
            series[f"{selected.message.name}.{column.signal.name}"] = times, column
    count = (end_ns - start_ns) // step_ns + 1
    for first in range(0, count, _BLOCK):
        grid = start_ns + np.arange(first, min(first + _BLOCK, count), dtype=np.int64) * step_ns
        yield Samples(grid, {name: _held(times, column, grid) for name, (times, column) in series.items()})


def _held(times: npt.NDArray[np.int64], column: Column, grid: npt.NDArray[np.int64]) -> Column:
    last = np.searchsorted(times, grid, side="right") - 1
    if not len(times):
        return Column(column.signal, np.zeros(len(grid), dtype=column.raw.dtype), last >= 0)
    return Column(column.signal, column.raw[np.maximum(last, 0)], None if last[0] >= 0 else last >= 0)
