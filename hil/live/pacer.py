"""Ties bench time to the wall clock for a live bench; a bench without a pacer runs as fast as it can."""

from __future__ import annotations

import time


class Pacer:
    """Says how far bench time may run, so that it never runs ahead of the wall clock.

    A bench that falls behind by more than `slip_s` takes the delay as lost (`lost_s` sums it up, in bench time) and
    goes on from there, so that a pause of the machine is not followed by a burst. `speed` is bench time over wall
    time: 1 for real time, 0.1 for slow motion. The wall clock starts with the first question.
    """

    def __init__(self, slip_s: float = 0.1, speed: float = 1.0) -> None:
        if speed <= 0.0:
            raise ValueError(f"speed {speed} is not above zero")
        self.speed = speed
        self.lost_s = 0.0
        self._slip_s = slip_s
        self._offset_s: float | None = None

    def due_ns(self, bench_time_ns: int) -> int:
        """Bench time (ns since power-on) that the wall clock has reached, for a bench that stands at a given one."""
        now_s = time.perf_counter() * self.speed
        bench_s = bench_time_ns * 1e-9
        if self._offset_s is None:
            self._offset_s = now_s - bench_s
        behind_s = now_s - self._offset_s - bench_s
        if behind_s > self._slip_s:
            self._offset_s += behind_s
            self.lost_s += behind_s
        return round((now_s - self._offset_s) * 1e9)
