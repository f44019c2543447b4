"""Sharing between the axles."""

import pytest
from firmware_slots import Signals
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vcu.split import step

caps = st.integers(0, 3300)


def share(cal, torque, direction, caps):
    s = Signals()
    s.limited_dnm, s.direction = torque, direction
    s.front_drive_dnm, s.front_regen_dnm, s.rear_drive_dnm, s.rear_regen_dnm = caps
    step(s, cal)
    return int(s.split_front_dnm), int(s.split_rear_dnm)


def test_half_and_half_in_driving(cal):
    assert share(cal, 4000, 1, [3300] * 4) == (2000, 2000)


@pytest.mark.req("SP-04")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(-6600, 6600), st.sampled_from([-1, 1]), caps, caps, caps, caps)
def test_what_one_axle_cannot_give_the_other_gives(cal, torque, direction, a, b, c, d):
    front, rear = share(cal, torque, direction, (a, b, c, d))
    most_front, most_rear = (a, c) if torque * direction > 0 else (b, d)
    assert abs(front) <= most_front
    assert abs(rear) <= most_rear
    assert abs(front + rear) == min(abs(torque), most_front + most_rear)
    assert front * torque >= 0
    assert rear * torque >= 0
