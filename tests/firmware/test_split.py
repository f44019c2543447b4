"""Sharing between the axles."""

from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vcu.split import Split

caps = st.integers(0, 3300)


def axle(drive, regen):
    return SimpleNamespace(drive_dnm=drive, regen_dnm=regen)


def test_half_and_half_in_driving(cal):
    split = Split(cal, axle(3300, 3300), axle(3300, 3300))
    split.step(4000, 1)
    assert (split.front_dnm, split.rear_dnm) == (2000, 2000)


@pytest.mark.req("SP-04")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(-6600, 6600), st.sampled_from([-1, 1]), caps, caps, caps, caps)
def test_what_one_axle_cannot_give_the_other_gives(cal, torque, direction, a, b, c, d):
    front, rear = axle(a, b), axle(c, d)
    split = Split(cal, front, rear)
    split.step(torque, direction)
    driving = torque * direction > 0
    most_front = front.drive_dnm if driving else front.regen_dnm
    most_rear = rear.drive_dnm if driving else rear.regen_dnm
    assert abs(split.front_dnm) <= most_front
    assert abs(split.rear_dnm) <= most_rear
    assert abs(split.front_dnm + split.rear_dnm) == min(abs(torque), most_front + most_rear)
    assert split.front_dnm * torque >= 0
    assert split.rear_dnm * torque >= 0
