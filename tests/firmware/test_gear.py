"""Direction from the selector and the motion."""

import pytest
from firmware_slots import raw
from vcu.gear import step


@pytest.mark.req("TQ-05")
@pytest.mark.parametrize(
    ("gear", "speed_ckmh", "direction"),
    [
        ("D", 0, 1),
        ("D", 9000, 1),
        ("D", -490, 1),
        ("D", -500, 0),
        ("R", 0, -1),
        ("R", 490, -1),
        ("R", 500, 0),
        ("R", 9000, 0),
        ("N", 0, 0),
        ("P", 0, 0),
        ("Invalid", 0, 0),
    ],
)
def test_a_gear_engages_only_when_the_car_does_not_roll_against_it(s, rx, cal, gear, speed_ckmh, direction):
    rx["PedalsDriver.Gear"] = raw(f"PedalsDriver.Gear.{gear}")
    s.speed_ckmh = speed_ckmh
    step(s, rx, cal)
    assert s.direction == direction


@pytest.mark.req("TQ-05")
def test_a_refused_gear_engages_once_the_car_is_slow(s, rx, cal):
    rx["PedalsDriver.Gear"] = raw("PedalsDriver.Gear.D")
    s.speed_ckmh = 3000
    step(s, rx, cal)
    rx["PedalsDriver.Gear"] = raw("PedalsDriver.Gear.R")
    for speed in (3000, 1000, 501):
        s.speed_ckmh = speed
        step(s, rx, cal)
        assert s.direction == 0
    s.speed_ckmh = 490
    step(s, rx, cal)
    assert s.direction == -1
