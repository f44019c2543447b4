"""The different numbers of an array, without sorting where they lie close together."""

from typing import Any

import numpy as np
import numpy.typing as npt

_CLOSE = 1 << 16


def distinct(numbers: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The different integers of an array, in no certain order, and the place of each number among them.

    It is `numpy.unique` with inverse for what signals and identifiers are like: integers close together.
    """
    if not len(numbers):
        return numbers, np.zeros(0, dtype=np.intp)
    kind = numbers.dtype
    if kind.itemsize <= 2:
        found, places = _by_table(numbers.view(f"u{kind.itemsize}"), 1 << 8 * kind.itemsize)
        return found.astype(f"u{kind.itemsize}").view(kind), places
    low, high = numbers.min(), numbers.max()
    if int(high) - int(low) >= _CLOSE:
        return np.unique(numbers, return_inverse=True)
    found, places = _by_table((numbers - low).astype(np.uint16), int(high) - int(low) + 1)
    return found.astype(kind) + low, places


def _by_table(numbers: npt.NDArray[Any], size: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.uint16]]:
    """For unsigned integers below `size`."""
    seen = np.zeros(size, dtype=np.bool_)
    seen[numbers] = True
    found = np.flatnonzero(seen)
    places = np.zeros(size, dtype=np.uint16)
    places[found] = np.arange(len(found))
    return found, places[numbers]
