"""Samples for `plot.js` to draw from when it zooms in: packed numbers, unpacked in the browser.

Times are steps in whole microseconds, values the signal's raw integers: such numbers pack to a byte or two a sample.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Detail = dict[str, Any]

_UNIT_NS = 1000
_LONGEST = (1 << 32) - 1  # microseconds between two samples, 71 minutes; what is longer takes more steps


def line_detail(
    times_ns: NDArray[np.int64], raw: NDArray[Any], factor: float, offset: float, gap_ns: int, decimals: int
) -> Detail:
    """A line: value = raw * factor + offset at each time; it is interrupted where samples are more than a gap apart.

    `times_ns` count from the start of the picture. Float signals come as their values, with factor 1 and offset 0.
    """
    return {
        **_times(times_ns), **_numbers(raw), "factor": factor, "offset": offset, "gap": gap_ns / 1e9,
        "decimals": decimals,
    }  # fmt: skip


def band_detail(times_ns: NDArray[np.int64], places: NDArray[Any], end_ns: int, names: list[tuple[str, str]]) -> Detail:
    """A band: at each time the state `names[place]` (text and tone) begins; the last one ends at `end_ns`."""
    return {**_times(times_ns), **_numbers(places), "end": end_ns / 1e9, "names": names}


def _times(times_ns: NDArray[np.int64]) -> Detail:
    # From the rounded times, so that rounding does not sum up.
    steps = np.diff(times_ns // _UNIT_NS, prepend=0)
    if len(steps) and steps.max() > _LONGEST:
        return {"t": _packed(times_ns / 1e9), "times": "f64"}
    return {"t": _packed(steps.astype("<u4")), "times": "u32"}


def _numbers(values: NDArray[Any]) -> Detail:
    if values.dtype.kind == "f":
        return {"v": _packed(values.astype("<f8")), "values": "f64"}
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    for name in ("u8", "i8", "u16", "i16", "u32", "i32"):
        kind = np.dtype(f"<{name[0]}{int(name[1:]) // 8}")
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return {"v": _packed(values.astype(kind)), "values": name}
    return {"v": _packed(values.astype("<f8")), "values": "f64"}


def _packed(numbers: NDArray[Any]) -> str:
    return base64.b64encode(zlib.compress(numbers.tobytes(), 9)).decode()
