"""The second path: its own reading of the frames, and its verdict."""

import struct

import pytest
from firmware_slots import Int, Signals, Slots
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vcu import monitor
from vcu.monitor import judge, see
from vcu.slew import step as slew
from vcu.slew import swings

from twinaxle.dbc.codec import codec
from twinaxle.e2e import Protector

PEDALS, FRONT, REAR = 0x0A0, 0x100, 0x101
loose = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
MEMORY = {"pedals_age": 0, "gear": 6, "apps1": 7, "apps2": 8, "brake": 9, "one_pedal": 10, "front_torque": 11,
          "rear_torque": 12, "front_rpm": 13, "rear_rpm": 14, "falling": 16, "verdict": 31}  # fmt: skip
TRIPPED, FRONT_DISOBEYS = 1, 2


class Watched:
    """A monitor with a bus: frames made by the host's codec, commands by hand."""

    def __init__(self, cal):
        self.cal = cal
        self.memory = Slots(list(monitor.memory), MEMORY.__getitem__)
        self.protect = {can_id: Protector(can_id) for can_id in (PEDALS, FRONT, REAR)}
        self.pedals = {"Gear": 3, "Apps1": 500, "Apps2": 250, "BrakePressure": 0, "BrakeSwitch": 0, "OnePedal": 0}
        self.rpm = 0
        self.actual = None  # follows the command

    def press(self, percent):
        self.pedals["Apps1"], self.pedals["Apps2"] = 500 + 40 * percent, 250 + 20 * percent

    def hear(self, can_id, payload):
        self.hear_raw(can_id, self.protect[can_id].protect(payload))

    def hear_raw(self, can_id, frame, length=8):
        """As the second of two records; the first is of a message that it does not know."""
        see(struct.pack("<II8sII8s", 0x123, 8, frame, can_id, length, frame), 0, 32, self.memory)

    def tick(self, front, rear, driving=True, silent=False):
        if not silent:
            self.hear(PEDALS, codec("PedalsDriver").pack(**{"StartButton": 0, "DriveMode": 0} | self.pedals))
        for can_id, name, torque in ((FRONT, "InvFrontStatus", front), (REAR, "InvRearStatus", rear)):
            actual = torque / 10 if self.actual is None else self.actual
            self.hear(can_id, codec(name).pack(State=3, TorqueActual=actual, Speed=self.rpm, EchoCounter=0, GatesOn=1,
                                               Derating=0, Warning=0, FaultCode=0))  # fmt: skip
        self.judge(front, rear, driving)
        return self.tripped

    def judge(self, front, rear, driving=True):
        return judge(self.memory, self.cal, Int(front), Int(rear), driving)

    @property
    def tripped(self):
        return bool(self.memory["verdict"] & TRIPPED)

    @property
    def front_disobeys(self):
        return bool(self.memory["verdict"] & FRONT_DISOBEYS)


@pytest.fixture
def watched(cal):
    return Watched(cal)


@loose
@given(st.sampled_from([0, 1, 2, 3, 7]), st.integers(0, 8191), st.integers(0, 8191), st.integers(0, 1023),
       st.integers(0, 1), st.integers(0, 1))  # fmt: skip
def test_it_reads_the_pedals_as_the_database_says(cal, gear, apps1, apps2, pressure, switch, one_pedal):
    watched = Watched(cal)
    watched.hear(PEDALS, codec("PedalsDriver").pack(gear, 1, apps1, apps2, pressure * 0.2, switch, one_pedal, 2))
    seen = watched.memory
    assert (seen["gear"], seen["apps1"], seen["apps2"], seen["one_pedal"]) == (gear, apps1, apps2, one_pedal)
    assert seen["brake"] == (switch or pressure >= 50)
    assert seen["pedals_age"] == 0


@loose
@given(st.integers(-32768, 32767), st.integers(-32768, 32767))
def test_it_reads_the_units_as_the_database_says(cal, torque, rpm):
    watched = Watched(cal)
    for can_id, name, side in ((FRONT, "InvFrontStatus", "front"), (REAR, "InvRearStatus", "rear")):
        watched.hear(can_id, codec(name).pack(3, torque / 10, rpm, 5, 1, 0, 1, 8))
        assert watched.memory[f"{side}_torque"] == torque
        assert watched.memory[f"{side}_rpm"] == rpm


def test_a_damaged_repeated_or_short_frame_does_not_count(watched):
    watched.tick(0, 0)
    payload = codec("PedalsDriver").pack(3, 0, 4500, 2250, 0, 0, 0, 0)
    good = watched.protect[PEDALS].protect(payload)
    for frame, length in ((good[:4] + bytes([good[4] ^ 1]) + good[5:], 8), (good, 7)):
        watched.hear_raw(PEDALS, frame, length)
        assert watched.memory["apps1"] == 500
    watched.hear_raw(PEDALS, good)
    assert watched.memory["apps1"] == 4500
    watched.memory["apps1"] = 0
    watched.hear_raw(PEDALS, good)
    assert watched.memory["apps1"] == 0


@pytest.mark.req("SF-04")
def test_more_than_the_pedal_means_trips_after_two_ticks(watched):
    watched.press(50)
    assert not watched.tick(1650, 1650)
    assert not watched.tick(1650, 1650)
    watched.press(50)
    assert not watched.tick(1800, 1720)
    assert watched.tick(1800, 1720)


@pytest.mark.req("SF-04")
def test_one_tick_outside_is_forgiven(watched):
    for _ in range(10):
        assert not watched.tick(300, 300)
        assert not watched.tick(0, 0)


@pytest.mark.req("SF-04")
@pytest.mark.parametrize(("gear", "torque"), [(3, -400), (1, 400), (2, 300), (0, 300), (7, 300)])
def test_torque_against_the_gear_or_without_one_trips(watched, gear, torque):
    watched.pedals["Gear"] = gear
    watched.press(50)
    watched.tick(torque, torque)
    assert watched.tick(torque, torque)


@pytest.mark.req("SF-04")
def test_regeneration_is_accepted_at_speed_and_not_at_rest(watched):
    watched.pedals["OnePedal"] = 1
    watched.rpm = 3000
    for _ in range(10):
        assert not watched.tick(-1300, -1290)
    watched.rpm = 100
    watched.memory[16] = watched.memory[17] = 0
    watched.tick(-200, -200)
    assert watched.tick(-200, -200)


@pytest.mark.req("SF-04")
def test_torque_outside_drive_trips(watched):
    watched.press(80)
    watched.tick(200, 200, driving=False)
    assert watched.tick(200, 200, driving=False)


@pytest.mark.req("SF-04")
def test_torque_without_pedal_frames_trips_when_they_are_old(watched):
    watched.press(80)
    assert not watched.tick(2000, 2000)
    ticks = 0
    while not watched.tick(2000, 2000, silent=True):
        ticks += 1
    assert ticks <= 5


@pytest.mark.req("SF-04")
def test_a_released_pedal_lets_the_command_fall_with_its_slew(watched):
    watched.press(100)
    watched.rpm = 1000
    front, rear = 3300, 2000
    assert not watched.tick(front, rear)
    watched.press(0)
    while front or rear:
        front, rear = (max(0, t - (100 if t > 200 else 15 if t <= 100 else t - 100)) for t in (front, rear))
        assert not watched.tick(front, rear)


@pytest.mark.req("SF-04", "TQ-06", "TQ-10")
@loose
@given(st.integers(0, 3300), st.integers(0, 3300))
def test_the_slew_of_the_control_stays_inside_the_band(cal, front, rear):
    watched = Watched(cal)
    watched.press(100)
    watched.rpm = 1000
    s, memory = Signals(), Slots([0] * len(swings), int)
    s.front_able = s.rear_able = s.direction = 1
    s.most_drive_dnm = s.most_regen_dnm = 6600
    for ticks, pedal, targets in ((20, 100, (front, rear)), (60, 0, (0, 0))):
        watched.press(pedal)
        for _ in range(ticks):
            s.split_front_dnm, s.split_rear_dnm = targets
            slew(s, memory, cal)
            assert not watched.tick(int(s.front_dnm), int(s.rear_dnm))


@pytest.mark.req("SF-04")
def test_a_command_that_stays_behind_that_trips(watched):
    watched.press(100)
    assert not watched.tick(3300, 3300)
    watched.press(0)
    front = 3300
    for _ in range(40):
        front -= 60
        if watched.tick(front, front):
            break
    assert watched.tripped


@pytest.mark.req("SF-03", "SF-04")
def test_brake_and_pedal_at_speed_must_be_zero_at_once(watched):
    watched.press(60)
    watched.rpm = 3000
    assert not watched.tick(1900, 1900)
    watched.pedals["BrakeSwitch"] = 1
    watched.tick(1900, 1900)
    assert watched.tick(1900, 1900)


@pytest.mark.req("SF-03", "SF-04")
def test_under_the_brakes_override_regeneration_may_end_as_slowly_as_ever(watched):
    """Drive is over at once; braking fades out by its slew when the car comes to rest."""
    watched.pedals |= {"BrakeSwitch": 1, "OnePedal": 1}
    watched.press(35)
    watched.rpm = 1000
    assert not watched.tick(-400, -300)
    watched.rpm = 150
    for front, rear in ((-300, -250), (-250, -200), (-210, -170), (-180, -140), (-150, -120), (-135, -105)):
        assert not watched.tick(front, rear)
    assert not watched.tick(0, 0)
    watched.tick(200, 200)
    assert watched.tick(200, 200)


@pytest.mark.req("SF-12")
@pytest.mark.parametrize("actual", [150.0, -150.0])
def test_a_unit_that_gives_what_nobody_asked_for_is_found(watched, actual):
    watched.tick(0, 0)
    watched.actual = actual
    for _ in range(4):
        watched.tick(0, 0)
        assert not watched.front_disobeys
    watched.tick(0, 0)
    assert watched.front_disobeys
    assert not watched.tripped


@loose
@given(st.lists(st.tuples(st.integers(-300, 300), st.integers(1, 40)), min_size=1, max_size=8))
def test_a_unit_that_follows_with_its_lag_is_never_accused(cal, targets):
    """Worst accepted follower: a cycle until it acts, a cycle until it tells, 5000 Nm/s, 5 ms lag."""
    watched = Watched(cal)
    held, commands = 0.0, [0, 0]
    for target, ticks in targets:
        for _ in range(ticks):
            commands.append(target * 10)
            held += max(-50.0, min(50.0, commands[-3] / 10 - held))
            watched.actual = held
            watched.hear(FRONT, codec("InvFrontStatus").pack(3, held, 0, 0, 1, 0, 0, 0))
            watched.judge(target * 10, 0)
            assert not watched.front_disobeys
