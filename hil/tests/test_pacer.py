"""The pacer: bench time never runs ahead of the wall clock, and lost time is not made up for."""

import pytest

from hil import pacer
from hil.pacer import Pacer


class Wall:
    """A wall clock in the test's hand: sleeping moves it."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept_s = 0.0

    def perf_counter(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.slept_s += seconds


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    clock = Wall()
    monkeypatch.setattr(pacer, "time", clock)
    return clock


def test_a_quick_bench_waits_for_the_wall_clock(wall: Wall) -> None:
    pace = Pacer()
    for milliseconds in range(1000):
        pace.wait_until(milliseconds * 1_000_000)
    assert wall.slept_s == pytest.approx(0.999)


def test_a_slow_bench_does_not_sleep(wall: Wall) -> None:
    pace = Pacer()
    for milliseconds in range(100):
        pace.wait_until(milliseconds * 1_000_000)
        wall.now_s += 0.0015
    assert wall.slept_s == 0.0


def test_a_pause_is_not_followed_by_a_burst(wall: Wall) -> None:
    pace = Pacer(slip_s=0.1)
    pace.wait_until(0)
    wall.now_s += 5.0
    pace.wait_until(1_000_000)
    pace.wait_until(11_000_000)
    assert wall.slept_s == pytest.approx(0.010)


def test_what_was_lost_is_counted(wall: Wall) -> None:
    pace = Pacer(slip_s=0.1)
    assert pace.due_ns(0) == 0
    wall.now_s += 0.05
    assert pace.due_ns(0) == pytest.approx(50_000_000, abs=10)
    assert pace.lost_s == 0.0
    wall.now_s += 0.25
    assert pace.due_ns(10_000_000) == 10_000_000
    assert pace.lost_s == pytest.approx(0.29)


def test_slow_motion(wall: Wall) -> None:
    pace = Pacer(speed=0.1)
    for milliseconds in range(101):
        pace.wait_until(milliseconds * 1_000_000)
    assert wall.slept_s == pytest.approx(1.0)
    with pytest.raises(ValueError, match="not above zero"):
        Pacer(speed=0)
