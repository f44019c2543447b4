"""Driving cycles: the WLTC class 3b, and others to hold against it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinaxle.errors import UserError

SAMPLES = 1801
CHECKSUM = 837586
"""round(10 * sum of the speeds in km/h): copies of the cycle with errors are about."""


def wltc_class3b() -> NDArray[np.float64]:
    """Speed in m/s, one value a second, 1801 values; 23.266 km, 131.3 km/h at most. Source: PyPI package `wltp`.

    Raises:
        UserError: the installed package has another cycle.
    """
    from wltp.cycles import class3

    speeds_kmh = np.asarray(class3.class_data_b()["cycle"], dtype=np.float64)
    checksum = round(10 * float(speeds_kmh.sum()))
    if len(speeds_kmh) != SAMPLES or checksum != CHECKSUM:
        raise UserError(
            f"the WLTC class 3b of the installed package 'wltp' has {len(speeds_kmh)} samples with checksum "
            f"{checksum}; {SAMPLES} with {CHECKSUM} are expected: install wltp 0.1.2a0"
        )
    return speeds_kmh / 3.6


def other_cycles() -> dict[str, NDArray[np.float64]]:
    """Cycles that nothing here was chosen on: speeds in m/s by name, one a second. Source: PyPI package `wltp`."""
    from wltp.cycles import class1, class2, nedc

    data = {
        "NEDC": nedc.cycle_data(),
        "WLTC class 1": class1.class_data(),
        "WLTC class 2": class2.class_data(),
    }
    return {name: np.asarray(cycle["cycle"], dtype=np.float64) / 3.6 for name, cycle in data.items()}
