"""Folders of a run: the board's flash with the firmware in it, and where logs and measurements go."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from twinaxle.firmware.build import build_flash
from twinaxle.paths import BUILD

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


def firmware_flash(folder: Path) -> Path:
    """The firmware as it stands on a board's flash, in `folder`; compiled files come from a cache."""
    folder.mkdir(parents=True, exist_ok=True)
    build_flash(folder)
    return folder
