"""Drive units and speed as the control sees them."""

import math

import pytest
from firmware_slots import raw
from vcu.axle import step as axle_step
from vcu.motion import step as motion_step

LATE = {name: raw(f"{name}:bit") for name in ("InvFrontStatus", "InvRearStatus", "InvFrontLimits", "InvRearLimits")}


@pytest.fixture
def ready(rx):
    """Both units stand by and can give full torque."""
    for side in ("Front", "Rear"):
        rx[f"Inv{side}Status.State"] = raw(f"Inv{side}Status.State.Standby")
        rx[f"Inv{side}Limits.TorqueAvailableDrive"] = 3300
        rx[f"Inv{side}Limits.TorqueAvailableRegen"] = 3000
    return rx


@pytest.fixture(params=["Front", "Rear"])
def side(request):
    return request.param


class Axle:
    """The law with its arrays, and one axle's signals without their side."""

    def __init__(self, s, rx, ages, cal, side):
        self.arrays = s, rx, ages, cal
        self.side = side

    def __getattr__(self, name):
        return self.arrays[0][f"{self.side.lower()}_{name}"]

    def step(self, late=0):
        self.arrays[0].late = late
        axle_step(*self.arrays)


@pytest.fixture
def axle(s, ready, ages, cal, side):
    return Axle(s, ready, ages, cal, side)


def let_pass(axle, ms, late=0, wanted=True, driving=True, rearming=False):
    s = axle.arrays[0]
    s.wanted, s.driving, s.rearming = wanted, driving, rearming
    for _ in range(ms // 10):
        axle.step(late)


def test_a_unit_that_stands_by_is_able(axle):
    let_pass(axle, 10)
    assert axle.able
    assert (axle.drive_dnm, axle.regen_dnm) == (3300, 3000)


def test_each_axle_reads_its_own_unit(axle, rx, side):
    other = "Rear" if side == "Front" else "Front"
    rx[f"Inv{other}Status.State"] = raw(f"Inv{other}Status.State.Fault")
    rx[f"Inv{other}Limits.TorqueAvailableDrive"] = 0
    rx[f"Inv{side}Status.Speed"] = -1234
    let_pass(axle, 10)
    assert axle.able
    assert axle.drive_dnm == 3300
    assert axle.rpm == -1234


@pytest.mark.req("SF-01")
@pytest.mark.parametrize("message", ["Status", "Limits"])
def test_a_missing_message_takes_the_torque_at_once_and_latches_after_100_ms(axle, side, message):
    let_pass(axle, 10)
    late = LATE[f"Inv{side}{message}"]
    let_pass(axle, 10, late)
    assert not axle.able
    assert axle.drive_dnm == axle.regen_dnm == 0
    let_pass(axle, 80, late)
    assert not axle.lost
    let_pass(axle, 10, late)
    assert axle.lost
    let_pass(axle, 1000)
    assert axle.lost
    assert axle.drive_dnm == 0


@pytest.mark.req("SF-01")
@pytest.mark.parametrize("state", ["Init", "Lockout", "Discharge", "Fault"])
def test_a_unit_in_another_state_is_lost_until_the_drive_is_over(axle, rx, side, state):
    rx[f"Inv{side}Status.State"] = raw(f"Inv{side}Status.State.{state}")
    let_pass(axle, 100)
    assert axle.lost
    rx[f"Inv{side}Status.State"] = raw(f"Inv{side}Status.State.Torque")
    let_pass(axle, 100)
    assert axle.lost
    let_pass(axle, 10, driving=False)
    assert not axle.lost


@pytest.mark.req("SF-07")
def test_silence_by_our_own_bus_off_loses_no_unit(axle, side):
    let_pass(axle, 1000, LATE[f"Inv{side}Status"], rearming=True)
    assert not axle.able
    assert not axle.lost
    assert axle.good == 0
    let_pass(axle, 90, rearming=True)
    assert axle.good == 9


def test_a_unit_gives_no_more_than_its_rating(axle, rx, side):
    rx[f"Inv{side}Limits.TorqueAvailableDrive"] = 4095
    let_pass(axle, 10)
    assert axle.drive_dnm == 3300


def both(s, rx, ages, cal, late=0, ticks=40):
    """As long as the speed takes to settle."""
    for _ in range(ticks):
        Axle(s, rx, ages, cal, "Front").step(late)
        motion_step(s, rx, cal)


@pytest.mark.parametrize("rpm", [-2000, 0, 6667, 14_500])
def test_speed_comes_from_the_motors(s, ready, ages, cal, rpm):
    ready["InvFrontStatus.Speed"] = ready["InvRearStatus.Speed"] = rpm
    both(s, ready, ages, cal)
    assert s.speed_ckmh == pytest.approx(rpm / 6667 * 10_000, abs=5)
    assert s.rest == (rpm == 0)


@pytest.mark.req("TQ-02")
@pytest.mark.parametrize("period_ticks", [6, 10])
def test_motors_that_swing_against_their_wheels_hardly_move_the_speed(s, ready, ages, cal, period_ticks):
    """20 rpm at the shuffle's 10 Hz, or at 17 Hz on ice."""
    seen = []
    for tick in range(100):
        swing = round(20 * math.sin(2 * math.pi * tick / period_ticks))
        ready["InvFrontStatus.Speed"] = ready["InvRearStatus.Speed"] = 667 + swing
        both(s, ready, ages, cal, ticks=1)
        seen.append(int(s.speed_ckmh))
    assert max(seen[50:]) - min(seen[50:]) < 0.5 * 2 * 20 / 66.67 * 100


def test_the_speed_follows_an_acceleration_by_a_few_ticks(s, ready, ages, cal):
    for tick in range(100):
        ready["InvFrontStatus.Speed"] = ready["InvRearStatus.Speed"] = 16 * tick  # 0.7 g
        both(s, ready, ages, cal, ticks=1)
    assert 0 < 16 * 99 * 10_000 // 6667 - s.speed_ckmh < 100


def test_one_motor_is_enough_and_without_any_the_wheels_tell(s, ready, ages, cal):
    ready["InvFrontStatus.Speed"], ready["InvRearStatus.Speed"] = 0, 6667
    both(s, ready, ages, cal, LATE["InvFrontStatus"])
    assert s.rpm == 6667
    ready["EscWheelSpeeds.Valid"], ready["EscWheelSpeeds.FrontLeft"] = 15, 500
    both(s, ready, ages, cal, LATE["InvFrontStatus"] | LATE["InvRearStatus"])
    assert s.speed_ckmh == pytest.approx(5000, abs=5)
