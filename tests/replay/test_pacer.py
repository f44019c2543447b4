"""Waiting for points in time, on a clock of the test."""

import gc
import os

import numpy as np
import pytest

from tests.replay.conftest import Clock
from twinaxle.replay.pacer import Pacer, Timing, undisturbed


def test_sleeps_most_of_the_way_and_meets_the_time() -> None:
    clock = Clock(late_ns=100_000)
    pacer = Pacer(clock.read, clock.sleep)
    for due_ms in (0, 10, 10.5, 300, 1000):
        pacer.wait(round(due_ms * 1e6))
    assert sum(clock.slept) == pytest.approx(1.0, abs=0.01)
    assert max(clock.slept) <= 0.2  # so that Ctrl-C is heard
    timing = pacer.timing()
    assert timing.count == 5 and timing.worst_ms <= 0.002


def test_a_time_that_is_over_is_met_at_once_and_its_delay_told() -> None:
    clock = Clock(late_ns=5_000_000)
    pacer = Pacer(clock.read, clock.sleep)
    for due_ms in (10, 11, 12):
        pacer.wait(due_ms * 1_000_000)
    assert len(clock.slept) == 1
    assert pacer.timing().worst_ms == pytest.approx(4.8, abs=0.01)
    assert pacer.timing().median_ms == pytest.approx(3.8, abs=0.01)


def test_thousands_of_times() -> None:
    clock = Clock()
    pacer = Pacer(clock.read, clock.sleep)
    for at in range(5000):
        pacer.wait(at * 1_000_000)
    assert pacer.timing().count == 5000 and pacer.timing().worst_ms <= 0.002


def test_figures() -> None:
    assert Timing.of(np.empty(0, dtype=np.int64)) == Timing(0, 0.0, 0.0, 0.0)
    timing = Timing.of(np.arange(101) * 10_000)
    assert str(timing) == "timing error: median 0.500 ms, p99 0.990 ms, worst 1.000 ms"


def test_the_collector_and_the_scheduling_are_as_they_were() -> None:
    policy = getattr(os, "sched_getscheduler", lambda _: 0)
    before = policy(0)
    assert gc.isenabled()
    with undisturbed():
        assert not gc.isenabled()
    assert gc.isenabled() and policy(0) == before


@pytest.mark.skipif(not hasattr(os, "sched_setscheduler"), reason="the system has no such scheduling")
def test_real_time_scheduling_that_is_refused_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    with undisturbed():
        assert not gc.isenabled()
