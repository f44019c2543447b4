"""Does things at their times: sleeps most of the way and watches the clock for the rest."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_SPIN_NS = 200_000  # sleeping is late by 60 us on an idle machine
_LONGEST_SLEEP_NS = 200_000_000  # Ctrl-C is heard on Windows too


class Pacer:
    """Waits for points in time, in ns after its start, and keeps how late each was met."""

    def __init__(
        self, clock_ns: Callable[[], int] = time.perf_counter_ns, sleep_s: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock_ns = clock_ns
        self._sleep_s = sleep_s
        self._start_ns = clock_ns()
        self._errors = np.zeros(1024, dtype=np.int64)
        self._count = 0

    def start(self) -> None:
        """Time 0 is now."""
        self._start_ns = self._clock_ns()

    def wait(self, due_ns: int) -> None:
        """Return at `due_ns` after the start, or at once if that is over."""
        clock_ns, due_ns = self._clock_ns, due_ns + self._start_ns
        while (left_ns := due_ns - clock_ns()) > _SPIN_NS:
            self._sleep_s(min(left_ns - _SPIN_NS, _LONGEST_SLEEP_NS) / 1e9)
        while (now_ns := clock_ns()) < due_ns:
            pass
        if self._count == len(self._errors):
            self._errors = np.concatenate((self._errors, np.zeros_like(self._errors)))
        self._errors[self._count] = now_ns - due_ns
        self._count += 1

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return (self._clock_ns() - self._start_ns) / 1e9

    def timing(self) -> Timing:
        """How well the times were met."""
        return Timing.of(self._errors[: self._count])


@dataclass(frozen=True)
class Timing:
    """How late points in time were met, in ms."""

    count: int
    median_ms: float
    p99_ms: float
    worst_ms: float

    @classmethod
    def of(cls, errors_ns: npt.NDArray[np.int64]) -> Timing:
        """The figures of delays in ns."""
        if not len(errors_ns):
            return cls(0, 0.0, 0.0, 0.0)
        median, p99, worst = (np.percentile(errors_ns, share) / 1e6 for share in (50, 99, 100))
        return cls(len(errors_ns), float(median), float(p99), float(worst))

    def __str__(self) -> str:
        return f"timing error: median {self.median_ms:.3f} ms, p99 {self.p99_ms:.3f} ms, worst {self.worst_ms:.3f} ms"


@contextmanager
def undisturbed() -> Iterator[None]:
    """Meanwhile there is no garbage collection, which takes some 100 ms with a log in memory, and the thread has
    real-time scheduling where the system grants it (Linux: root, or a limit `rtprio`)."""
    was_on = gc.isenabled()
    gc.disable()
    before = _real_time()
    try:
        yield
    finally:
        if before is not None:
            os.sched_setscheduler(0, *before)
        if was_on:
            gc.enable()


def _real_time() -> tuple[int, os.sched_param] | None:
    """Real-time scheduling for this thread. Returns what it had before; None if it is not granted."""
    if sys.platform != "linux":
        return None
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        return None
    return before
