"""What the split cost on a drive, beside the best that was possible on the very same drive.

The drive's own torques and speeds, as the inverters sent them each 10 ms, are taken as they are: the sum of both
torques is what the driver and the limits asked for. For the same sum and speed the loss maps say what the split that
was driven lost, what the best of all shares would have lost under the same gate limit and stability rules, and what
half and half would have lost. So driver, car and battery are the same in all three, and only the split differs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.bench import Bench
from twinaxle.paths import CALIBRATIONS
from twinaxle.split.derive import MAPS_NAME, read_rules
from twinaxle.split.maps import Array, load_maps
from twinaxle.split.optimum import best_w, energy_wh, half_w

_STRIDE = 5
"""Every fifth status frame: 50 ms."""


@dataclass(frozen=True)
class SplitEnergy:
    """Heat in both drive units above their drag, Wh, on one drive."""

    driven_wh: float
    best_wh: float
    half_wh: float
    """Half and half, with gates off only where the driven split had none on."""
    drag_wh: float
    """Of both units, whatever the split."""


def split_energy(bench: Bench, from_ns: int) -> SplitEnergy:
    """Compare on the drive from `from_ns` until the present."""
    maps = load_maps(CALIBRATIONS / MAPS_NAME)
    rules = read_rules(CALIBRATIONS / "78kWh.toml")
    (front_nm, front_rpm, front_on), (rear_nm, rear_rpm, rear_on) = (
        _unit(bench, side, from_ns) for side in ("Front", "Rear")
    )
    count = min(len(front_nm), len(rear_nm))
    front_nm, rear_nm = front_nm[:count], rear_nm[:count]
    rpm = 0.5 * (front_rpm[:count] + rear_rpm[:count])
    step_s = (bench.kernel.now_ns - from_ns) * 1e-9 / count
    driven = np.where(front_on[:count], maps[0].loss_w(front_nm, rpm) - maps[0].drag_w(rpm), 0.0)
    driven += np.where(rear_on[:count], maps[1].loss_w(rear_nm, rpm) - maps[1].drag_w(rpm), 0.0)
    total = front_nm + rear_nm
    return SplitEnergy(
        driven_wh=energy_wh(driven, step_s),
        best_wh=energy_wh(best_w(maps, total, rpm, rules), step_s),
        half_wh=energy_wh(np.where(front_on[:count] | rear_on[:count], half_w(maps, total, rpm), 0.0), step_s),
        drag_wh=energy_wh(maps[0].drag_w(rpm) + maps[1].drag_w(rpm), step_s),
    )


def _unit(bench: Bench, side: str, from_ns: int) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Torque in Nm, speed in rpm, gates on, of every fifth status from `from_ns` on."""
    times, torque = bench.series(f"Inv{side}Status", "TorqueActual")
    first = int(np.searchsorted(times, from_ns))
    speed = bench.series(f"Inv{side}Status", "Speed")[1]
    gates = bench.series(f"Inv{side}Status", "GatesOn")[1]
    return torque[first::_STRIDE], speed[first::_STRIDE], gates[first::_STRIDE] > 0


def lost_wh(bench: Bench) -> float:
    """Loss of both units so far by the plant's truth, drag and all, Wh."""
    return sum(unit.loss_j for unit in (bench.plant.front, bench.plant.rear)) / 3600.0
