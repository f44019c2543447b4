"""Speed of `twinaxle decode` beside a loop over python-can's reader and cantools: `python -m twinaxle.logs.benchmark`.

Both do the whole work on the same BLF, start of the interpreter and parsing of the DBC included. The log is made from
the DBC: every message that has a cycle time, at its cycle, with random values.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from twinaxle.dbc.database import POWERTRAIN, load_database
from twinaxle.dbc.model import Database

_LOOP = """
import sys, can, cantools
database = cantools.database.load_file(sys.argv[1])
count = 0
for message in can.BLFReader(sys.argv[2]):
    if not (message.is_error_frame or message.is_remote_frame):
        database.decode_message(message.arbitration_id, message.data, decode_choices=False)
        count += 1
print(count)
"""


def main() -> int:
    """Run the comparison and print a table. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the log (default %(default)s)")
    parser.add_argument("--log", type=Path, help="a BLF of one's own instead")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = args.log or make_log(load_database(POWERTRAIN), Path(folder) / "log.blf", args.minutes)
        tool = [sys.executable, "-m", "twinaxle", "decode", str(log), "-o"]
        runs = {
            "cantools' loop over python-can's reader, nothing written": [
                sys.executable, "-c", _LOOP, str(POWERTRAIN), str(log)
            ],
            "twinaxle decode, CSV, a table a message": [*tool, f"{folder}/csv"],
            "twinaxle decode, Parquet, a table a message": [*tool, f"{folder}/parquet", "--format", "parquet"],
            "twinaxle decode, Parquet, one wide table": [*tool, f"{folder}/wide.parquet"],
            "twinaxle decode, CSV, one wide table": [*tool, f"{folder}/wide.csv"],
        }  # fmt: skip
        used = {name: _run(command) for name, command in runs.items()}
    frames = int(used[next(iter(runs))][2])
    sys.stdout.write(f"{frames:,} frames; wall clock and processor time of the whole command, as a ratio to the loop\n")
    loop_wall_s, loop_cpu_s, _ = used[next(iter(runs))]
    for name, (wall_s, cpu_s, _) in used.items():
        # Windows does not tell the processor time of children.
        cpu = f"   processor {cpu_s:6.2f} s {loop_cpu_s / cpu_s:6.1f}" if cpu_s else ""
        rate = frames / wall_s / 1e6
        sys.stdout.write(f"  {name:58} {wall_s:6.2f} s {loop_wall_s / wall_s:6.1f}{cpu}   {rate:5.2f} M frames/s\n")
    return 0


def make_log(database: Database, path: Path, minutes: float, seed: int = 1) -> Path:
    """Write a BLF with python-can's writer: every cyclic message at its cycle, with random payloads."""
    import can

    rng = np.random.default_rng(seed)
    duration_ms = round(minutes * 60_000)
    times, keys, lengths = [], [], []
    for message in database.messages.values():
        if message.cycle_ms:
            stamps = np.arange(message.cycle_ms, duration_ms, message.cycle_ms) + rng.random() * message.cycle_ms
            times.append(stamps)
            keys.append(np.full(len(stamps), message.frame_id))
            lengths.append(np.full(len(stamps), message.length))
    order = np.argsort(np.concatenate(times))
    payloads = rng.integers(0, 1 << 64, len(order), dtype=np.uint64).tobytes()
    columns = [np.concatenate(column)[order].tolist() for column in (times, keys, lengths)]
    with can.BLFWriter(path) as writer:
        for row, (time_ms, key, length) in enumerate(zip(*columns, strict=True)):
            data = payloads[8 * row : 8 * row + length]
            writer(can.Message(timestamp=1.7e9 + time_ms / 1e3, arbitration_id=key, is_extended_id=False, data=data))
    return path


def _run(command: list[str]) -> tuple[float, float, str]:
    """Wall clock in s, processor time in s, last word of the output."""
    before = time.perf_counter(), _children_s()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - before[0], _children_s() - before[1], (done.stdout.split() or [""])[-1]


def _children_s() -> float:
    import os

    times = os.times()
    return times.children_user + times.children_system


if __name__ == "__main__":
    raise SystemExit(main())
