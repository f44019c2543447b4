"""Rate of the torque, and cuts."""

import pytest
from firmware_slots import Signals
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vcu.slew import step

torques = st.integers(-3300, 3300)
loose = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def car(front=0, rear=0, direction=1, most_drive=6600, most_regen=6600):
    s = Signals()
    s.front_able = s.rear_able = 1
    s.front_dnm, s.rear_dnm, s.direction = front, rear, direction
    s.most_drive_dnm, s.most_regen_dnm = most_drive, most_regen
    return s


def go(s, cal, front, rear):
    s.split_front_dnm, s.split_rear_dnm = front, rear
    step(s, cal)


@pytest.mark.req("TQ-06")
def test_full_torque_takes_the_time_that_the_requirement_gives(cal):
    s = car()
    ticks = 0
    while s.front_dnm < 3300:
        go(s, cal, 3300, 3300)
        ticks += 1
    assert ticks == 7 + 32  # 10 Nm at 150 Nm/s, then 1000 Nm/s


@pytest.mark.req("TQ-06")
@loose
@given(torques, torques)
def test_no_step_is_larger_than_its_slew(cal, now, target):
    s = car(front=now)
    go(s, cal, target, 0)
    after = s.front_dnm
    assert min(now, target) <= after <= max(now, target)
    assert abs(after - now) <= 100
    if abs(now) < 100 or (abs(now) == 100 and abs(after) < 100):
        assert abs(after - now) <= 15
    if now != target:
        assert after != now


@pytest.mark.req("TQ-08")
@loose
@given(torques, torques, st.sampled_from([-1, 1]), st.integers(0, 6600), st.integers(0, 6600))
def test_the_sum_obeys_its_cap_at_once(cal, front, rear, direction, most_drive, most_regen):
    s = car(front, rear, direction, most_drive, most_regen)
    go(s, cal, front, rear)
    along = (s.front_dnm + s.rear_dnm) * direction
    assert -most_regen <= along <= most_drive
    assert s.front_dnm * front >= 0
    assert s.rear_dnm * rear >= 0


@pytest.mark.req("SF-01")
def test_an_axle_that_is_not_able_gets_zero_at_once_and_the_other_keeps_its_slew(cal):
    s = car(front=1500, rear=1500)
    s.front_able = 0
    go(s, cal, 0, 3000)
    assert s.front_dnm == 0
    assert s.rear_dnm == 1600
