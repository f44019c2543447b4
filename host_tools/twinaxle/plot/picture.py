"""What a plot shows, as plain data. Places on the time axis are counted in intervals, which may be fractions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinaxle.plot.bands import Stretch


@dataclass(frozen=True, eq=False)
class Line:
    """One line of a panel. NaN interrupts it."""

    label: str
    style: str
    """Class in plot.css: its colour."""
    values: NDArray[np.float64]
    unit: str = ""
    places: NDArray[np.int64] | None = None
    """Where the values stand, ascending; None for one at each interval."""
    dashed: bool = False
    is_limit: bool = False
    """A limit doesn't widen the axis beyond what the others need."""
    ident: str = ""
    """Key of the line's details for `plot.js`; empty if there are none."""


@dataclass(frozen=True, eq=False)
class Panel:
    """Lines on one axis. `with_zero` keeps zero on the axis; `tall` gives it half as much height again."""

    title: str
    unit: str
    lines: Sequence[Line]
    with_zero: bool = True
    tall: bool = False


@dataclass(frozen=True, eq=False)
class Band:
    """A state over time."""

    label: str
    stretches: Sequence[Stretch]
    ident: str = ""


@dataclass(frozen=True)
class PictureMark:
    """An event. `kind` is a class in plot.css: fault, cleared, state, info."""

    place: float
    text: str
    kind: str
    title: str


@dataclass(frozen=True, eq=False)
class Picture:
    """A whole plot from `start_s` on, over `intervals` of `period_s` seconds."""

    start_s: float
    period_s: float
    intervals: int
    bands: Sequence[Band] = ()
    panels: Sequence[Panel] = ()
    marks: Sequence[PictureMark] = ()
    title: str = ""
    is_continuous: bool = False
    """True if there is something to see between the intervals, in details."""
