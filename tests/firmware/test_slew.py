"""Rate of the torque, its two parts, and cuts."""

from itertools import pairwise

import pytest
from firmware_slots import Signals, Slots
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vcu.slew import step, swings

HALF_SWING = 5  # ticks
torques = st.integers(-3300, 3300)
loose = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


class Car:
    """A car with both units able, whose torque has been the same for long."""

    def __init__(self, cal, front=0, rear=0, direction=1, most_drive=6600, most_regen=6600):
        self.cal = cal
        self.memory = Slots([0] * len(swings), int)
        self.s = s = Signals()
        s.front_able = s.rear_able = 1
        s.front_grip_dnm = s.rear_grip_dnm = 10_000
        s.front_dnm, s.rear_dnm, s.direction = front, rear, direction
        s.most_drive_dnm, s.most_regen_dnm = 6600, 6600
        self.go(front, rear, ticks=HALF_SWING + 1)
        s.most_drive_dnm, s.most_regen_dnm = most_drive, most_regen

    def go(self, front, rear=0, ticks=1):
        """The commands of the front axle."""
        seen = []
        for _ in range(ticks):
            self.s.split_front_dnm, self.s.split_rear_dnm = front, rear
            step(self.s, self.memory, self.cal)
            seen.append(int(self.s.front_dnm))
        return seen


@pytest.mark.req("TQ-06")
def test_full_torque_takes_the_time_that_the_requirement_gives(cal):
    seen = Car(cal).go(3300, 3300, ticks=60)
    # 10 Nm at 150 Nm/s, then 1000 Nm/s; half a swing for the second part
    assert 7 + 32 <= seen.index(3300) + 1 <= 7 + 32 + HALF_SWING + 3


@pytest.mark.req("TQ-06")
@loose
@given(torques, st.lists(st.tuples(torques, st.integers(1, 40)), min_size=1, max_size=5))
def test_no_step_is_larger_than_its_slew(cal, now, course):
    """Whatever is asked for, and for how long."""
    car = Car(cal, front=now)
    for target, ticks in course:
        for after in car.go(target, ticks=ticks):
            assert abs(after - now) <= 100
            # A step that begins or ends inside of +-10 Nm, but for the part of it that lies outside
            inside = max(0, min(100, max(now, after)) - max(-100, min(now, after)))
            assert inside <= 16  # half a decinewtonmetre is rounded
            now = after


@pytest.mark.req("TQ-06", "TQ-10")
@loose
@given(torques, torques)
def test_it_arrives_without_going_past(cal, now, target):
    car = Car(cal, front=now)
    seen = car.go(target, ticks=100)
    assert seen[-1] == target
    assert seen == sorted(seen, reverse=target < now)


@pytest.mark.req("TQ-10")
def test_a_change_comes_in_two_parts_half_a_swing_apart(cal):
    seen = [1000, *Car(cal, front=1000).go(1100, ticks=10)]
    steps = [b - a for a, b in pairwise(seen)]
    assert steps == [60, 0, 0, 0, 0, 40, 0, 0, 0, 0]


@pytest.mark.req("TQ-08")
@loose
@given(torques, torques, st.sampled_from([-1, 1]), st.integers(0, 6600), st.integers(0, 6600))
def test_the_sum_obeys_its_cap_at_once(cal, front, rear, direction, most_drive, most_regen):
    car = Car(cal, front, rear, direction, most_drive, most_regen)
    car.go(front, rear)
    s = car.s
    along = (s.front_dnm + s.rear_dnm) * direction
    assert -most_regen <= along <= most_drive
    assert s.front_dnm * front >= 0
    assert s.rear_dnm * rear >= 0


@pytest.mark.req("TQ-08")
def test_after_a_cut_the_torque_climbs_from_where_it_was_cut_to(cal):
    car = Car(cal, 2000, 2000, most_drive=1000)
    assert car.go(2000, 2000) == [500]
    car.s.most_drive_dnm = 6600
    assert car.go(2000, 2000, ticks=3) == [560, 620, 680]


@pytest.mark.req("SF-01")
def test_an_axle_that_is_not_able_gets_zero_at_once_and_the_other_keeps_its_slew(cal):
    car = Car(cal, 1500, 1500)
    car.s.front_able = 0
    car.go(0, 3000)
    assert car.s.front_dnm == 0
    assert car.s.rear_dnm == 1560
