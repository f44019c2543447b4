"""Rate of the torque, and cuts."""

from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vcu.slew import Slew, approach

torques = st.integers(-3300, 3300)


def able():
    return SimpleNamespace(able=True, lost=False)


@pytest.mark.req("TQ-06")
def test_full_torque_takes_the_time_that_the_requirement_gives(cal):
    slew = Slew(cal, able(), able())
    ticks = 0
    while slew.front_dnm < 3300:
        slew.step(3300, 3300, 1, 6600, 6600)
        ticks += 1
    assert ticks == 7 + 32  # 10 Nm at 150 Nm/s, then 1000 Nm/s


@pytest.mark.req("TQ-06")
@given(torques, torques)
def test_no_step_is_larger_than_its_slew(now, target):
    after = approach(now, target, 100, 15, 100)
    assert min(now, target) <= after <= max(now, target)
    assert abs(after - now) <= 100
    if abs(now) < 100 or (abs(now) == 100 and abs(after) < 100):
        assert abs(after - now) <= 15
    if now != target:
        assert after != now


@pytest.mark.req("TQ-08")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(torques, torques, st.sampled_from([-1, 1]), st.integers(0, 6600), st.integers(0, 6600))
def test_the_sum_obeys_its_cap_at_once(cal, front, rear, direction, most_drive, most_regen):
    slew = Slew(cal, able(), able())
    slew.front_dnm, slew.rear_dnm = front, rear
    slew.step(front, rear, direction, most_drive, most_regen)
    along = (slew.front_dnm + slew.rear_dnm) * direction
    assert -most_regen - 1 <= along <= most_drive + 1


@pytest.mark.req("SF-01")
def test_an_axle_that_is_not_able_gets_zero_at_once_and_the_other_keeps_its_slew(cal):
    front, rear = able(), able()
    slew = Slew(cal, front, rear)
    slew.front_dnm = slew.rear_dnm = 1500
    front.able = False
    slew.step(0, 3000, 1, 6600, 6600)
    assert slew.front_dnm == 0
    assert slew.rear_dnm == 1600
