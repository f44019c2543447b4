"""The pacer: bench time never runs ahead of the wall clock, and lost time is not made up for."""

import pytest

from hil.live import pacer
from hil.live.pacer import Pacer

MS = 1_000_000


class Wall:
    """A wall clock in the test's hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def perf_counter(self) -> float:
        return self.now_s


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    clock = Wall()
    monkeypatch.setattr(pacer, "time", clock)
    return clock


def near(milliseconds: float) -> object:
    return pytest.approx(milliseconds * MS, abs=10)


def test_what_is_due_follows_the_wall_clock(wall: Wall) -> None:
    pace = Pacer()
    assert pace.due_ns(7 * MS) == near(7)  # wherever the bench stands, the clock starts with the first question
    for milliseconds in range(1000):
        assert pace.due_ns((7 + milliseconds) * MS) == near(7 + milliseconds)
        wall.now_s += 0.001
    assert pace.lost_s == 0.0


def test_a_short_delay_is_made_up_for(wall: Wall) -> None:
    pace = Pacer(slip_s=0.1)
    pace.due_ns(0)
    wall.now_s += 0.09
    assert pace.due_ns(0) == near(90)
    assert pace.due_ns(90 * MS) == near(90)
    assert pace.lost_s == 0.0


def test_a_pause_is_not_followed_by_a_burst(wall: Wall) -> None:
    pace = Pacer(slip_s=0.1)
    pace.due_ns(0)
    wall.now_s += 5.0
    assert pace.due_ns(1 * MS) == near(1)
    wall.now_s += 0.010
    assert pace.due_ns(1 * MS) == near(11)


def test_what_was_lost_is_counted(wall: Wall) -> None:
    pace = Pacer(slip_s=0.1)
    pace.due_ns(0)
    for _ in range(100):  # a host at two thirds of the speed that it needs
        wall.now_s += 0.015
        pace.due_ns(round((wall.now_s - 100.0) / 1.5 * 1e9))
    assert pace.lost_s == pytest.approx(0.5, abs=0.11)  # what is behind by less than the slip is not lost yet


def test_slow_motion(wall: Wall) -> None:
    pace = Pacer(speed=0.1)
    pace.due_ns(0)
    wall.now_s += 0.5
    assert pace.due_ns(0) == near(50)
    with pytest.raises(ValueError, match="not above zero"):
        Pacer(speed=0)
