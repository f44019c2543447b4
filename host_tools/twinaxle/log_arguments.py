"""What the commands that work on a log have in common: their arguments, and reading it under the user's eyes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from twinaxle.arguments import number

if TYPE_CHECKING:
    from twinaxle.logs import FrameTable


def add_log_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare LOG, `--from`, `--to` and `--dbc`."""
    add = parser.add_argument
    add("log", type=Path, metavar="LOG", help=".blf, .asc, .csv, .db, .log, .mf4 or .trc, also .gz")
    add("--from", dest="start_s", type=number, metavar="S", help="begin S seconds after the first frame")
    add("--to", dest="end_s", type=number, metavar="S", help="end S seconds after the first frame")
    add("--dbc", type=Path, metavar="DBC", help="default: dbc/powertrain.dbc")


def read_with_progress(path: Path, *, with_fd: bool = False) -> FrameTable:
    """The log, its CAN FD frames only `with_fd`. Shows progress, warns of what is wrong. Raises UserError."""
    from twinaxle.logs import read_log
    from twinaxle.terminal import Progress, warn

    reading = Progress(f"reading {path}")
    try:
        frames = read_log(path, reading, with_fd=with_fd)
    finally:
        reading.end()
    warn(frames.notes)
    return frames
