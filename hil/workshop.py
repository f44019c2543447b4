"""Folders of a run: the board's flash with the firmware in it, and where logs and measurements go."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from twinaxle.calibration import Calibration, load_calibration, module_source
from twinaxle.errors import UserError
from twinaxle.firmware.build import build_flash
from twinaxle.paths import BUILD, CALIBRATIONS, shown

RUNS = BUILD / "run"


def check_writable(path: Path) -> None:
    """Find out before a long run whether a file can be written at its end: its folder is made, what is in it stays.

    Raises:
        UserError: it cannot be.
    """
    existed = path.exists()
    make_folder(path.parent)
    try:
        with path.open("ab"):
            pass
    except OSError as error:
        raise UserError(f"{shown(path)}: cannot be written: {error.strerror}") from error
    if not existed:
        path.unlink()


def make_folder(folder: Path) -> Path:
    """Make a folder with all above it, if it is not there.

    Raises:
        UserError: it cannot be made, or nothing can be written into it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{shown(folder)}: the folder cannot be made: {error.strerror}; choose another") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"{shown(folder)}: nothing may be written into this folder; choose another")
    return folder


def run_folder(name: str, runs: Path | None = None) -> Path:
    """An empty folder for a run, `build/run/<name>` unless `runs` is given.

    Characters that a file system may not like become dashes. Raises UserError where it cannot be made.
    """
    folder = make_folder(RUNS if runs is None else runs) / re.sub(r"[^A-Za-z0-9_.=-]+", "-", name)
    if folder.exists():
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise UserError(f"{shown(folder)}: cannot be emptied for the run: {error.strerror}") from error
    return make_folder(folder)


def variant_calibration(variant: str) -> Calibration:
    """The calibration of a battery variant ("78kWh", "72kWh"). Raises UserError where there is none."""
    path = CALIBRATIONS / f"{variant}.toml"
    if not path.is_file():
        known = ", ".join(sorted(path.stem for path in CALIBRATIONS.glob("*kWh.toml")))
        raise UserError(f"there is no calibration {variant!r}; there are {known}")
    return load_calibration(path)


def firmware_flash(folder: Path, calibration: Calibration | None = None) -> Path:
    """The firmware as it stands on a board's flash, in `folder`; compiled files come from a cache.

    `calibration` takes the place of the one that is compiled into the checkout's firmware. Raises UserError where the
    folder cannot be made.
    """
    make_folder(folder)
    build_flash(folder, replaced={"vcu/calibration.mpy": module_source(calibration)} if calibration else None)
    return folder
