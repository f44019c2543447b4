"""Speed of the whole bench: `python -m hil.benchmark [SECONDS]` drives the WLTC (all of it, or its first SECONDS).

Prints how much faster than real time it ran, with the oracle and the in-memory log, and where a control period of 10 ms
goes: computing in this process, computing in the interpreter that runs the firmware, and the rest, in which neither
computes (switching between the two, and other load of the machine). The work is the same in every run; wall time and
computing times depend on the machine and what else it does.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from hil.bench import Bench
from hil.scenarios.cycle import wltc

_TICKS_PER_S = 100


def _children_s() -> float:
    """Computing time of all child processes that have ended, s."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Drive and print."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as folder:
        children_s = _children_s()
        bench = Bench(seed=1, folder=Path(folder), record_period_ms=100, write_log=False)
        bench.begin()
        bench.start_up()
        before_s, trips = time.process_time(), bench.board.round_trips
        result = wltc(bench, seconds)
        bench_s, trips = time.process_time() - before_s, bench.board.round_trips - trips
        frames = len(bench.trace)
        lived_s = bench.time_s
        bench.end()
    driven_s = bench.time_s if seconds is None else float(seconds)
    driven_s = min(driven_s, 1800.0)
    wall_s = driven_s / result.real_time_factor
    # The interpreter's time counts its start and the start-up of the car too: shared out over its whole life.
    interpreter_s = (_children_s() - children_s) * driven_s / lived_s
    to_us = 1e6 / (driven_s * _TICKS_PER_S)
    sys.stdout.write(
        f"WLTC class 3b, {driven_s:.0f} s, {frames} frames, {result.consumption_whpkm:.1f} Wh/km\n"
        f"real-time factor              {result.real_time_factor:8.1f}\n"
        f"a period of 10 ms takes       {wall_s * to_us:8.0f} us\n"
        f"  computing in the bench      {bench_s * to_us:8.0f} us\n"
        f"  computing in MicroPython    {interpreter_s * to_us:8.0f} us\n"
        f"  neither                     {(wall_s - bench_s - interpreter_s) * to_us:8.0f} us\n"
        f"pipe round trips a period     {trips / driven_s / _TICKS_PER_S:8.2f}\n"
    )


if __name__ == "__main__":
    main()
