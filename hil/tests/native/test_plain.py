"""Compiled code and the same code run as Python give the same run, bit for bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba

_DRIVE = """
import hashlib, sys
from pathlib import Path
from hil import Bench

bench = Bench(seed=3, folder=Path(sys.argv[1]), write_log=False)
bench.begin()
bench.start_up()
bench.driver.pedal(80)
bench.run(0.6)
bench.faults.sensor("INV_F", "speed_radps", offset=3.0, duration_ms=50)
bench.faults.destroy("PedalsDriver", count=2)
bench.driver.brake(60)
bench.run(0.4)
print(hashlib.sha256(bench.trace.records().tobytes()).hexdigest(), len(bench.trace))
print(hashlib.sha256(bytes(bench.plant)).hexdigest(), bench.plant.speed_mps, bench.board.round_trips)
bench.end(judge=False)
"""


def _run(folder: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _DRIVE, str(folder)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_drive_without_the_compiler_is_the_same(tmp_path: Path) -> None:
    compiled = _run(tmp_path / "compiled", NUMBA_DISABLE_JIT="0")
    plain = _run(tmp_path / "plain", NUMBA_DISABLE_JIT="1")
    assert compiled == plain
    assert len(compiled.splitlines()) == 2


def test_compiled_code_comes_from_the_cache_the_second_time(tmp_path: Path) -> None:
    script = (
        "from hil.bus import calm\n"
        "from hil.native import memory\n"
        "line = calm.Calm(bit_ns=2000, end_ns=calm.NEVER_NS)\n"
        "calm.run(memory(line), 1)\n"
        "print(sum(calm.run.stats.cache_hits.values()))\n"
    )
    first, second = (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
        for _ in range(2)
    )
    assert int(second.stdout) == 1, (first.stdout, numba.__version__)
