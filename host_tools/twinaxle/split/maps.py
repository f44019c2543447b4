"""Loss maps of a drive unit (motor, inverter, reducer): read from CSV as a dynamometer gives them.

`loss_AXLE.csv` has rows `speed_rpm,torque_nm,loss_w`: the loss at the motor's shaft torque with the gates on; every
speed needs zero torque and two more. Rows of negative torque are regeneration; without them the map is taken as
symmetric. `drag_AXLE.csv` has rows `speed_rpm,loss_w`: what the unit brakes with its gates off. `#` begins a comment.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinaxle.errors import UserError
from twinaxle.paths import shown

Array = NDArray[np.float64]
AXLES = ("front", "rear")
LOSS_COLUMNS = ("speed_rpm", "torque_nm", "loss_w")
DRAG_COLUMNS = ("speed_rpm", "loss_w")
_LEAST_TORQUES = 3
_DRAG_ABOVE = 1.05
_DRAG_ABOVE_W = 20.0
"""A drag with the gates off may be measured above the loss with them on by this share and as much in W, no more."""


@dataclass(frozen=True)
class LossMap:
    """One drive unit. Interpolates by parabolas along torque and straight lines along speed; holds its ends in speed.

    `loss` has a row for each speed (rpm) and a column for each torque (Nm); `drag` one value for each drag speed; W.
    """

    speeds_rpm: Array
    torques_nm: Array
    loss: Array
    drag_speeds_rpm: Array
    drag: Array

    @property
    def is_symmetric(self) -> bool:
        """Whether regeneration is taken to lose what driving does."""
        return bool(self.torques_nm[0] >= 0.0)

    def loss_w(self, torque_nm: ArrayLike, speed_rpm: ArrayLike) -> Array:
        """Loss with the gates on at these torques and speeds (magnitudes of the speed count), broadcast together, W."""
        torque, speed = np.broadcast_arrays(np.asarray(torque_nm, float), np.abs(np.asarray(speed_rpm, float)))
        if self.is_symmetric:
            torque = np.abs(torque)
        row, share = _bracket(self.speeds_rpm, speed)
        axis = self.torques_nm
        # The parabola through the three points around the torque
        middle = np.clip(np.searchsorted(axis, torque), 1, len(axis) - 2)
        x0, x1, x2 = axis[middle - 1], axis[middle], axis[middle + 1]
        w0 = (torque - x1) * (torque - x2) / ((x0 - x1) * (x0 - x2))
        w1 = (torque - x0) * (torque - x2) / ((x1 - x0) * (x1 - x2))
        w2 = (torque - x0) * (torque - x1) / ((x2 - x0) * (x2 - x1))

        def along(at: NDArray[np.intp]) -> Array:
            table = self.loss
            return table[at, middle - 1] * w0 + table[at, middle] * w1 + table[at, middle + 1] * w2

        low = along(row)
        result: Array = low + share * (along(row + 1) - low)
        return result

    def drag_w(self, speed_rpm: ArrayLike) -> Array:
        """Loss with the gates off, W."""
        result: Array = np.interp(np.abs(np.asarray(speed_rpm, float)), self.drag_speeds_rpm, self.drag)
        return result


def _bracket(axis: Array, values: Array) -> tuple[NDArray[np.intp], Array]:
    """Index of the point below each value and the share of the way to the next; the ends are held."""
    at = np.clip(np.searchsorted(axis, values, side="right") - 1, 0, len(axis) - 2)
    share: Array = np.clip((values - axis[at]) / (axis[at + 1] - axis[at]), 0.0, 1.0)
    return at, share


def load_maps(folder: Path) -> tuple[LossMap, LossMap]:
    """Front and rear. Raises UserError with file and line for what is not a loss map."""
    front, rear = (load_map(folder / f"loss_{axle}.csv", folder / f"drag_{axle}.csv") for axle in AXLES)
    return front, rear


def load_map(loss_path: Path, drag_path: Path) -> LossMap:
    """One unit's map. Raises UserError with file and line for what is not a loss map."""
    rows: dict[float, dict[float, float]] = {}
    first_line: dict[float, int] = {}
    for line, (speed, torque, loss) in _numbers(loss_path, LOSS_COLUMNS):
        first_line.setdefault(speed, line)
        if torque in rows.setdefault(speed, {}):
            raise UserError(f"{shown(loss_path)}:{line}: {torque:g} Nm at {speed:g} rpm stands here a second time.")
        rows[speed][torque] = loss
    if len(rows) < 2:
        raise UserError(f"{shown(loss_path)}: needs two speeds or more, and has {len(rows)}.")
    for speed, points in rows.items():
        if 0.0 not in points or len(points) < _LEAST_TORQUES:
            raise UserError(
                f"{shown(loss_path)}:{first_line[speed]}: {speed:g} rpm has the torques "
                f"{', '.join(f'{torque:g}' for torque in sorted(points))} Nm; needs zero torque and two more."
            )
    speeds = np.array(sorted(rows))
    torques = np.array(sorted({torque for points in rows.values() for torque in points}))
    loss_rows = np.array([_resampled(rows[speed], torques) for speed in speeds])
    idle_w = loss_rows[:, int(np.searchsorted(torques, 0.0))]
    drags: dict[float, float] = {}
    for line, (speed, drag) in _numbers(drag_path, DRAG_COLUMNS):
        if speed in drags:
            raise UserError(f"{shown(drag_path)}:{line}: {speed:g} rpm stands here a second time.")
        with_gates_w = float(np.interp(speed, speeds, idle_w))
        if drag > _DRAG_ABOVE * with_gates_w + _DRAG_ABOVE_W:
            raise UserError(
                f"{shown(drag_path)}:{line}: {drag:g} W with the gates off at {speed:g} rpm is more than the "
                f"{with_gates_w:g} W with them on at zero torque in {shown(loss_path)}; mixed up?"
            )
        drags[speed] = drag
    if len(drags) < 2:
        raise UserError(f"{shown(drag_path)}: needs two speeds or more, and has {len(drags)}.")
    drag_speeds = np.array(sorted(drags))
    return LossMap(speeds, torques, loss_rows, drag_speeds, np.array([drags[speed] for speed in drag_speeds]))


def _resampled(points: dict[float, float], torques: Array) -> Array:
    """A speed's losses on all torques of the map; beyond its own last one by the parabola of its last three."""
    own = np.array(sorted(points))
    values = np.array([points[torque] for torque in own])
    single = LossMap(np.array([0.0, 1.0]), own, np.vstack((values, values)), np.zeros(2), np.zeros(2))
    return single.loss_w(torques, 0.0)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of each row that is no comment, the heading first."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise UserError(f"{shown(path)}: cannot read the loss map: {reason}.") from error
    for line, fields in enumerate(csv.reader(text.splitlines()), start=1):
        if any(field.strip() for field in fields) and not fields[0].lstrip().startswith("#"):
            yield line, [field.strip() for field in fields]


def _numbers(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[float]]]:
    heading: list[str] | None = None
    for line, fields in _rows(path):
        if heading is None:
            heading = fields
            if missing := [name for name in columns if name not in heading]:
                raise UserError(f"{shown(path)}:{line}: no column {missing[0]!r}; needs {', '.join(columns)}.")
            continue
        try:
            by_name = dict(zip(heading, fields, strict=True))
            values = [float(by_name[name]) for name in columns]
        except ValueError:
            raise UserError(f"{shown(path)}:{line}: not {len(heading)} numbers: {','.join(fields)!r}.") from None
        if not all(np.isfinite(values)) or values[0] < 0.0 or values[-1] < 0.0:
            raise UserError(f"{shown(path)}:{line}: speed and loss must be finite and 0 or more.")
        yield line, values


def write_map(folder: Path, axle: str, loss_w: Callable[[float, float, bool], float], source: str,
              speeds_rpm: Sequence[int], torques_nm: Sequence[int]) -> list[Path]:  # fmt: skip
    """Write both files of one unit from a formula.

    Args:
        loss_w: of torque in Nm, speed in rad/s, and whether the gates are on; W.
        source: where the numbers come from, for the first line.
    """
    radps = 2.0 * np.pi / 60.0
    loss = [f"{rpm},{torque},{loss_w(torque, rpm * radps, True):.2f}" for rpm in speeds_rpm for torque in torques_nm]
    drag = [f"{rpm},{loss_w(0.0, rpm * radps, False):.2f}" for rpm in speeds_rpm]
    paths = []
    for kind, columns, rows in (("loss", LOSS_COLUMNS, loss), ("drag", DRAG_COLUMNS, drag)):
        path = folder / f"{kind}_{axle}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "\n".join([f"# {source}", ",".join(columns), *rows]) + "\n"
        path.write_text(text, encoding="utf-8", newline="\n")
        paths.append(path)
    return paths
