"""Sharing between the axles: the law alone, and with the slew behind it over many ticks."""

import pytest
from firmware_slots import Signals, Slots, raw
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vcu.slew import step as slew
from vcu.slew import swings
from vcu.split import regen_most_rear, step

TORQUE = raw("InvFrontStatus.State.Torque")
STANDBY = raw("InvFrontStatus.State.Standby")
loose = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
caps = st.integers(0, 3300)
torques = st.integers(-6600, 6600)
speeds = st.integers(-14_500, 14_500)


class Axles:
    """Split and slew of a car whose units answer in the next tick."""

    def __init__(self, rx, cal, rpm=3000, direction=1):
        self.rx, self.cal = rx, cal
        self.s = s = Signals()
        s.direction, s.rpm = direction, rpm
        s.front_able = s.rear_able = 1
        s.front_drive_dnm = s.front_regen_dnm = s.rear_drive_dnm = s.rear_regen_dnm = 3300
        s.front_grip_dnm = s.rear_grip_dnm = 10_000
        s.most_drive_dnm = s.most_regen_dnm = 6600
        self.swings = Slots([0] * len(swings), int)
        self.delay = 1
        self.gates_on = [0, 0]

    def tick(self, torque):
        s = self.s
        for side, name in enumerate(("Front", "Rear")):
            self.rx[f"Inv{name}Status.State"] = TORQUE if self.gates_on[side] >= self.delay else STANDBY
        s.limited_dnm = torque
        step(s, self.rx, self.cal)
        slew(s, self.swings, self.cal)
        for side, on in enumerate((s.front_gates, s.rear_gates)):
            self.gates_on[side] = self.gates_on[side] + 1 if on else 0
        return self.torques

    def settle(self, torque, ticks=100):
        for _ in range(ticks):
            self.tick(torque)
        return self.torques

    @property
    def torques(self):
        return int(self.s.front_dnm), int(self.s.rear_dnm)


@pytest.fixture
def axles(rx, cal):
    return Axles(rx, cal)


@pytest.mark.req("SP-01")
@pytest.mark.parametrize("torque", [300, 930, -300, -950])
def test_one_axle_alone_under_the_threshold(axles, torque):
    assert axles.settle(torque) == (torque, 0)
    assert (axles.s.front_gates, axles.s.rear_gates) == (1, 0)


@pytest.mark.req("SP-01")
def test_both_above_the_threshold_at_once_and_alone_again_after_five_seconds(axles, cal):
    axles.settle(930)
    axles.tick(950)
    assert axles.s.rear_gates
    front, rear = axles.settle(950)
    assert abs(rear - front) <= 0.03 * 950
    ticks = 101
    while axles.s.together:
        axles.tick(500)
        ticks += 1
    assert ticks == cal["split.dwell_ticks"] + 1
    assert axles.settle(500, 30) == (500, 0)
    assert not axles.s.rear_gates


@pytest.mark.req("SP-01")
def test_no_release_within_the_hysteresis(axles):
    axles.settle(1000)
    axles.settle(760, 2000)
    assert axles.s.together
    axles.settle(740, 5)
    assert not axles.s.together


@pytest.mark.req("SP-02")
@pytest.mark.parametrize("rpm", [6950, 9000, -7000])
def test_at_speed_both_axles_work(axles, rpm):
    axles.s.rpm = rpm
    front, rear = axles.settle(100)
    assert front == rear == 50


@pytest.mark.req("SP-03")
@loose
@given(st.integers(30, 3000), st.sampled_from([-1, 1]), st.integers(1, 4))
def test_a_change_of_shares_keeps_the_sum(rx, cal, size, sign, delay):
    torque = size * sign
    axles = Axles(rx, cal)
    axles.delay = delay
    axles.s.together = 1
    axles.settle(torque, 300)
    axles.s.together, axles.s.together_ticks = 0, cal["split.dwell_ticks"]
    for wanted in (1, 0):  # out to both, and back to one
        axles.s.together = wanted
        axles.s.together_ticks = 0 if wanted else cal["split.dwell_ticks"]
        for _ in range(150):
            front, rear = axles.tick(torque)
            assert abs(front + rear - torque) <= 1  # both parts are rounded
            assert front * torque >= 0
            assert rear * torque >= 0


@pytest.mark.req("SP-04")
@loose
@given(torques, st.sampled_from([-1, 1]), speeds, caps, caps, caps, caps)
def test_what_one_axle_cannot_give_the_other_gives(rx, cal, torque, direction, rpm, a, b, c, d):
    axles = Axles(rx, cal, rpm, direction)
    s = axles.s
    s.front_drive_dnm, s.front_regen_dnm, s.rear_drive_dnm, s.rear_regen_dnm = a, b, c, d
    front, rear = axles.settle(torque, 150)
    most_front, most_rear = (a, c) if torque * direction > 0 else (b, d)
    assert abs(front) <= most_front
    assert abs(rear) <= most_rear
    assert front * torque >= 0
    assert rear * torque >= 0
    if torque * direction < 0:
        most_rear = min(most_rear, regen_most_rear(cal, min(most_front, abs(torque))))
    assert abs(front + rear) == min(abs(torque), most_front + most_rear)


@pytest.mark.req("SP-05")
@loose
@given(st.integers(1298, 6600))
def test_driving_hard_the_rear_share_follows_the_load(rx, cal, torque):
    front, rear = Axles(rx, cal).settle(torque, 100)
    share = min(0.49 + 0.19 * torque / 8650, 0.65)
    if share * torque < 3300:
        assert rear / torque == pytest.approx(share, abs=0.002)
    assert front + rear == torque


@pytest.mark.req("SP-05")
@loose
@given(st.lists(st.tuples(st.integers(0, 6600), caps, caps, st.integers(0, 40)), min_size=1, max_size=6), speeds)
def test_braking_never_leans_on_the_rear_axle(rx, cal, course, rpm):
    axles = Axles(rx, cal, rpm)
    for torque, most_front, most_rear, ticks in course:
        axles.s.front_regen_dnm, axles.s.rear_regen_dnm = most_front, most_rear
        for _ in range(ticks):
            axles.tick(-torque)
            front, rear = -int(axles.s.split_front_dnm), -int(axles.s.split_rear_dnm)
            if front + rear > 432:
                assert rear <= 0.4 * (front + rear) + 1
            if front == 0:
                assert rear <= 259


@pytest.mark.req("SP-01")
def test_gates_go_off_without_torque_and_come_back_before_it(axles, cal):
    axles.settle(300)
    axles.settle(0, int(cal["split.idle_ticks"]) + 40)
    assert (axles.s.front_gates, axles.s.rear_gates) == (0, 0)
    assert axles.tick(500) == (0, 0)
    assert axles.s.front_gates
    axles.settle(500, 60)
    assert axles.torques == (500, 0)


@pytest.mark.req("SP-07")
@pytest.mark.parametrize("torque", [200, 3000, -400])
def test_one_unit_gives_all_it_can_without_the_other(axles, torque):
    s = axles.s
    s.front_able = s.front_drive_dnm = s.front_regen_dnm = 0
    front, rear = axles.settle(torque, 100)
    assert front == 0
    assert rear == max(torque, -259)


@loose
@given(st.lists(st.tuples(torques, speeds, caps, caps), min_size=1, max_size=30), st.sampled_from([-1, 1]))
def test_no_course_leaves_the_small_integers_or_the_units_ratings(rx, cal, course, direction):
    axles = Axles(rx, cal, direction=direction)
    for torque, rpm, front_grip, rear_grip in course:
        s = axles.s
        s.rpm, s.front_grip_dnm, s.rear_grip_dnm = rpm, front_grip, rear_grip
        axles.tick(torque)
        assert abs(s.split_front_dnm) <= front_grip
        assert abs(s.split_rear_dnm) <= rear_grip
        assert abs(s.split_front_dnm + s.split_rear_dnm) <= abs(torque)
