"""The firmware's laws under CPython, with checked integers; see shim/."""

import sys
from pathlib import Path

import pytest

from twinaxle.calibration import Calibration, load_calibration
from twinaxle.paths import FIRMWARE

sys.path[:0] = [str(FIRMWARE), str(Path(__file__).parent / "shim")]

from firmware_slots import Received, Signals, Slots, message_count, raw  # noqa: E402


@pytest.fixture(scope="session")
def calibration() -> Calibration:
    return load_calibration(FIRMWARE / "calibration" / "78kWh.toml")


@pytest.fixture
def cal(calibration: Calibration) -> Slots:
    return Slots(calibration.values, lambda name: calibration.items[name].slot)


@pytest.fixture
def rx() -> Slots:
    """Received signals with their start values."""
    return Received()


@pytest.fixture
def s() -> Signals:
    """The tick's signals, all zero."""
    return Signals()


@pytest.fixture
def tx() -> Slots:
    return Slots([0] * 64, raw)


@pytest.fixture
def ages() -> Slots:
    """Every message has just come."""
    return Slots([0] * message_count(), raw)
