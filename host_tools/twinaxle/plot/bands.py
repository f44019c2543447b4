"""States over time as coloured bands."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_TONES = {
    "wait": "standby neutral n idle",
    "busy": "precharge opening shutdown discharge",
    "ready": "ready closed",
    "go": "drive torque d on 1",
    "limp": "limp warning derate r",
    "bad": "fault welded invalid bus-off",
    "charge": "charge",
}
_TONE_OF = {name: tone for tone, names in _TONES.items() for name in names.split()}


class Stretch(NamedTuple):
    """A state that held from the place `first` on the time axis to the place `last` (excluded)."""

    first: float
    last: float
    name: str
    tone: str


def stretches(values: NDArray[np.float64], choices: Mapping[int, str]) -> list[Stretch]:
    """The states of a channel one after another; where it has no value (NaN) there is no stretch."""
    if not len(values):
        return []
    changed = (values[1:] != values[:-1]) & ~(np.isnan(values[1:]) & np.isnan(values[:-1]))
    edges = [0, *(np.flatnonzero(changed) + 1).tolist(), len(values)]
    found = []
    for first, last in pairwise(edges):
        value = values[first]
        if not np.isnan(value):
            name = choices.get(int(value), f"{value:g}")
            found.append(Stretch(first, last, name, tone(name)))
    return found


def tone(name: str) -> str:
    """The class in plot.css, which is a colour, of a state."""
    return _TONE_OF.get(name.lower(), "off")
