"""Folders of a run: the board's flash with the firmware in it, and where logs and measurements go."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from twinaxle.calibration import Calibration, load_calibration, module_source
from twinaxle.errors import UserError
from twinaxle.firmware.build import build_flash
from twinaxle.paths import BUILD, CALIBRATIONS

RUNS = BUILD / "run"


def run_folder(name: str, runs: Path | None = None) -> Path:
    """An empty folder for a run, `build/run/<name>` unless `runs` is given.

    Characters that a file system may not like become dashes.
    """
    folder = (RUNS if runs is None else runs) / re.sub(r"[^A-Za-z0-9_.=-]+", "-", name)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def variant_calibration(variant: str) -> Calibration:
    """The calibration of a battery variant ("78kWh", "72kWh"). Raises UserError where there is none."""
    path = CALIBRATIONS / f"{variant}.toml"
    if not path.is_file():
        known = ", ".join(sorted(path.stem for path in CALIBRATIONS.glob("*kWh.toml")))
        raise UserError(f"there is no calibration {variant!r}; there are {known}")
    return load_calibration(path)


def firmware_flash(folder: Path, calibration: Calibration | None = None) -> Path:
    """The firmware as it stands on a board's flash, in `folder`; compiled files come from a cache.

    `calibration` takes the place of the one that is compiled into the checkout's firmware.
    """
    folder.mkdir(parents=True, exist_ok=True)
    build_flash(folder, replaced={"vcu/calibration.mpy": module_source(calibration)} if calibration else None)
    return folder
