"""Ties bench time to the wall clock for a live bench; a bench without a pacer runs as fast as it can."""

from __future__ import annotations

import time


class Pacer:
    """Sleeps so that bench time never runs ahead of the wall clock.

    A bench that falls behind by more than `slip_s` takes the delay as lost and goes on from there, so that a pause of
    the machine is not followed by a burst.
    """

    def __init__(self, slip_s: float = 0.1) -> None:
        self._slip_s = slip_s
        self._offset_s: float | None = None

    def wait_until(self, bench_time_ns: int) -> None:
        """Return when the wall clock has reached this bench time (ns since power-on)."""
        bench_s = bench_time_ns * 1e-9
        now_s = time.perf_counter()
        if self._offset_s is None or now_s - self._offset_s - bench_s > self._slip_s:
            self._offset_s = now_s - bench_s
            return
        ahead_s = bench_s - (now_s - self._offset_s)
        if ahead_s > 0:
            time.sleep(ahead_s)
