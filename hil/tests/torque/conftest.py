"""What the torque tests share."""

import pytest

from hil.bench import Bench
from hil.scenarios.torque import AtSpeed, reach


@pytest.fixture
def at_speed(driving: Bench) -> AtSpeed:
    """Brings the car to a speed in km/h by full pedal, then pedal off."""
    return lambda kmh: reach(driving, kmh)
