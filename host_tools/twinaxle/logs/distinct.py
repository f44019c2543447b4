"""The different numbers of an array, without sorting where they lie close together."""

from typing import Any

import numpy as np
import numpy.typing as npt

_CLOSE = 1 << 16


def distinct(numbers: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The different numbers, ascending, and the place of each number among them: `numpy.unique` with inverse.

    Integers that lie close together, as signals do, take no sorting.
    """
    if not len(numbers):
        return numbers, np.zeros(0, dtype=np.intp)
    low, high = int(numbers.min()), int(numbers.max())
    if high - low >= _CLOSE:
        found, index = np.unique(numbers, return_inverse=True)
        return found, index
    places = (numbers - numbers.dtype.type(low)).astype(np.uint16)
    seen = np.zeros(high - low + 1, dtype=np.bool_)
    seen[places] = True
    found = np.flatnonzero(seen)
    rank = np.zeros(high - low + 1, dtype=np.uint16)
    rank[found] = np.arange(len(found))
    return found.astype(numbers.dtype) + numbers.dtype.type(low), rank[places]
