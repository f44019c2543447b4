"""The calibration layer that the loss maps give, and whether the one that is there is still theirs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from twinaxle.calibration.load import merged
from twinaxle.errors import UserError
from twinaxle.paths import shown
from twinaxle.split.maps import AXLES, load_maps
from twinaxle.split.optimum import Maps, Rules
from twinaxle.split.table import loss_model, thresholds, toml_text

DERIVED_NAME = "from_loss_maps.toml"
MAPS_NAME = "losses"


def read_rules(calibration: Path) -> Rules:
    """The split's rules in a calibration; the layer derived from the maps need not be there yet.

    Raises UserError where the file cannot be read or a rule is missing.
    """
    values = {name: value for name, (_, value) in merged(calibration, without=DERIVED_NAME).items()}
    try:
        return Rules.of(values)
    except KeyError as error:
        raise UserError(f"{shown(calibration)}: {error.args[0]} is missing.") from None


def check_reach(folder: Path, maps: Maps, rules: Rules) -> list[str]:
    """Notes on maps in `folder` that end before the motor does; beyond its ends a map is carried on.

    Raises UserError where one does not reach the speed up to which the threshold is computed.
    """
    notes = []
    for axle, unit in zip(AXLES, maps, strict=True):
        path, ends = shown(folder / f"loss_{axle}.csv"), (unit.speeds_rpm[-1], np.abs(unit.torques_nm).max())
        if ends[0] < rules.gates_off_below_rpm:
            raise UserError(
                f"{path}: ends at {ends[0]:g} rpm; the threshold is computed up to {rules.gates_off_below_rpm:g} rpm "
                "(motor.gates_off_below_rpm). Speed is that of the motor's shaft, in rpm."
            )
        if ends[0] < rules.speed_max_rpm:
            notes.append(f"{path}: ends at {ends[0]:g} rpm of {rules.speed_max_rpm:g}; its last losses count beyond.")
        if ends[1] < rules.torque_max_nm:
            notes.append(f"{path}: ends at {ends[1]:g} Nm of {rules.torque_max_nm:g}; carried on by its last parabola.")
    return notes


def derived_text(calibration: Path) -> str:
    """The layer for this calibration from the maps beside it. Raises UserError where the maps are no maps."""
    rules, maps = read_rules(calibration), load_maps(calibration.parent / MAPS_NAME)
    check_reach(calibration.parent / MAPS_NAME, maps, rules)
    return toml_text(thresholds(maps, rules), loss_model(maps))


def stale(calibration: Path) -> list[str]:
    """What does not fit the maps: `file:line: stale...` of the first other line, or nothing."""
    path = calibration.parent / DERIVED_NAME
    if not path.is_file() or not (calibration.parent / MAPS_NAME).is_dir():
        return []
    found, wanted = path.read_text(encoding="utf-8").splitlines(), derived_text(calibration).splitlines()
    if found == wanted:
        return []
    line = next((n for n, (a, b) in enumerate(zip(found, wanted, strict=False), 1) if a != b), len(found) + 1)
    return [f"{shown(path)}:{line}: stale: the loss maps give another value; run `twinaxle split write`"]
