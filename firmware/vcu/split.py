"""Shares the torque out to the axles (SP-01 to SP-05).

What can be saved is the loss of a unit whose gates are off. So one axle drives alone under a threshold of summed
torque, and both share above it. A change of shares goes no faster than both axles may follow, so the sum stays.
"""

import micropython
from micropython import const

from vcu.interp import curve

_FRONT_STATE = const(20)  # dbc: InvFrontStatus.State
_REAR_STATE = const(28)  # dbc: InvRearStatus.State
_ONE_PEDAL = const(6)  # dbc: PedalsDriver.OnePedal
_TORQUE_STATE = const(3)  # dbc: InvFrontStatus.State.Torque

_SPEEDS = const(234)  # cal: split.threshold_rpm [rpm]
_SPEED_COUNT = const(12)  # cal: split.threshold_rpm.length
_DRIVE_BELOW = const(246)  # cal: split.threshold_drive_dnm [dnm] That of regeneration follows
_ENGAGE = const(270)  # cal: split.engage_e4 [e4]
_HYSTERESIS = const(271)  # cal: split.hysteresis_e4 [e4]
_DWELL = const(272)  # cal: split.dwell_ticks [ticks]
_IDLE = const(273)  # cal: split.idle_ticks [ticks]
_PER_G = const(274)  # cal: split.torque_per_g_dnm [dnm]
_SHARE_AT_REST = const(275)  # cal: split.share_at_rest_e4 [e4]
_SHARE_PER_G = const(276)  # cal: split.share_per_g_e4 [e4]
_SHARE_MAX = const(277)  # cal: split.share_max_e4 [e4]
_FOLLOW_ABOVE = const(278)  # cal: split.follow_above_dnm [dnm]
_SHARE_REGEN = const(279)  # cal: split.regen_rear_e4 [e4]
_FREE_BELOW = const(280)  # cal: split.regen_free_below_dnm [dnm]
_REAR_ONLY = const(281)  # cal: split.regen_rear_only_dnm [dnm]
_FAST = const(304)  # cal: slew.fast_dnm_per_tick [tick]
_SLOW = const(305)  # cal: slew.slow_dnm_per_tick [tick]
_ZONE = const(306)  # cal: slew.slow_within_dnm [dnm]
_GATES_OFF = const(311)  # cal: motor.gates_off_below_rpm [rpm]

_DIRECTION = const(40)  # sig: direction
_RPM = const(30)  # sig: rpm
_RELEASED = const(33)  # sig: released
_LIMITED = const(71)  # sig: limited_dnm
_FRONT_DRIVE = const(15)  # sig: front_drive_dnm front_regen_dnm follows
_REAR_DRIVE = const(25)  # sig: rear_drive_dnm rear_regen_dnm follows
_FRONT = const(75)  # sig: split_front_dnm
_REAR = const(76)  # sig: split_rear_dnm
_FRONT_RAMP = const(103)  # sig: front_ramp_dnm
_REAR_RAMP = const(104)  # sig: rear_ramp_dnm
_TOGETHER = const(86)  # sig: together
_SINCE = const(87)  # sig: together_ticks
_STILL = const(88)  # sig: idle_ticks
_FRONT_GATES = const(89)  # sig: front_gates
_REAR_GATES = const(90)  # sig: rear_gates
_FRONT_GRIP = const(91)  # sig: front_grip_dnm
_REAR_GRIP = const(92)  # sig: rear_grip_dnm

_HALF = const(5_000)
_ALL = const(10_000)


@micropython.viper
def regen_most_rear(cal: ptr32, front_dnm: int) -> int:
    """SP-05: the most that the rear axle may brake beside this braking torque in front. Magnitudes in 0.1 Nm."""
    only = cal[_REAR_ONLY]
    if front_dnm * _ALL >= cal[_FREE_BELOW] * (_ALL - cal[_SHARE_REGEN]):
        return front_dnm * cal[_SHARE_REGEN] // (_ALL - cal[_SHARE_REGEN])
    most = cal[_FREE_BELOW] - front_dnm
    return only if most > only else most


@micropython.viper
def together(s: ptr32, cal: ptr32, total: int, threshold: int, follow: int, creeps: int) -> int:
    """SP-01: whether both axles work: at once above the threshold, alone again after a time, clearly under it."""
    rpm = (s[_RPM] & 0xFFFF ^ 0x8000) - 0x8000
    limit = cal[_GATES_OFF]
    fast = 1 if rpm >= limit or rpm <= 0 - limit else 0  # SP-02: no gates may be off, so nothing is saved
    # Together for a time costs the gates' loss for as long: that must be worth it
    threshold = threshold * cal[_ENGAGE] // _ALL
    if follow and threshold > cal[_FOLLOW_ABOVE]:
        threshold = cal[_FOLLOW_ABOVE]
    now = s[_TOGETHER]
    since = s[_SINCE] + 1
    if fast or creeps or total > threshold:
        if not now:
            since = 0
        now = 1
    elif since >= cal[_DWELL] and total * _ALL < threshold * (_ALL - cal[_HYSTERESIS]):
        now = 0
    s[_SINCE] = since if since < cal[_DWELL] else cal[_DWELL]
    s[_TOGETHER] = now
    return now


@micropython.viper
def handed_over(cal: ptr32, rear: int, wanted: int, front: int) -> int:
    """The rear axle's next torque on its way to `wanted`: as far as both axles may go in a tick (TQ-06, SP-03)."""
    zone = cal[_ZONE]
    fast = cal[_FAST]
    slow = cal[_SLOW]
    falls = front
    rises = rear
    if wanted < rear:
        falls = rear
        rises = front
    most = fast if rises >= zone else slow
    down = slow
    if falls > zone:
        down = falls - zone
        if down > fast:
            down = fast
    if down < most:
        most = down
    if wanted > rear + most:
        return rear + most
    if wanted < rear - most:
        return rear - most
    return wanted


@micropython.viper
def step(signals, rx: ptr32, calibration):
    """Once a tick, after the limits. All magnitudes from here on, along the torque."""
    s = ptr32(signals)
    cal = ptr32(calibration)
    torque = (s[_LIMITED] & 0xFFFF ^ 0x8000) - 0x8000
    direction = (s[_DIRECTION] & 0xFFFF ^ 0x8000) - 0x8000
    rpm = (s[_RPM] & 0xFFFF ^ 0x8000) - 0x8000
    if rpm < 0:
        rpm = 0 - rpm
    sign = 1
    if torque < 0:
        sign = -1
    total = torque * sign
    drives = 1 if torque * direction > 0 else 0
    creeps = 1 if drives and s[_RELEASED] and not rx[_ONE_PEDAL] else 0  # TQ-04 is for each motor

    # What each axle can give, with the grip that slip control finds; regeneration's slots follow those of driving
    kind = 1 - drives
    threshold = int(curve(calibration, _SPEEDS, _DRIVE_BELOW + kind * _SPEED_COUNT, _SPEED_COUNT, rpm))
    most_front = s[_FRONT_DRIVE + kind]
    most_rear = s[_REAR_DRIVE + kind]
    if most_front > s[_FRONT_GRIP]:
        most_front = s[_FRONT_GRIP]
    if most_rear > s[_REAR_GRIP]:
        most_rear = s[_REAR_GRIP]

    # SP-01, SP-05
    rear = 0
    if int(together(signals, calibration, total, threshold, drives, creeps)):
        share = cal[_SHARE_REGEN]
        if drives:
            share = cal[_SHARE_AT_REST] + cal[_SHARE_PER_G] * total // cal[_PER_G]
            if share < _HALF:
                share = _HALF
            elif share > cal[_SHARE_MAX]:
                share = cal[_SHARE_MAX]
        rear = total * share // _ALL
    front = total - rear

    # SP-04: what one axle cannot give goes to the other, up to that one's limit
    if front > most_front:
        rear += front - most_front
        front = most_front
    if rear > most_rear:
        front += rear - most_rear
        rear = most_rear
        if front > most_front:
            front = most_front
    if not drives:
        most = int(regen_most_rear(calibration, front))
        if most_rear > most:
            most_rear = most
        if rear > most_rear:
            rear = most_rear
    if rear and not s[_TOGETHER]:
        s[_TOGETHER] = 1
        s[_SINCE] = 0
    total = front + rear

    # Shares as they are now, and a step towards those wanted
    now_front = ((s[_FRONT_RAMP] & 0xFFFF ^ 0x8000) - 0x8000) * sign
    now_rear = ((s[_REAR_RAMP] & 0xFFFF ^ 0x8000) - 0x8000) * sign
    commanded = now_front or now_rear
    if now_front < 0:
        now_front = 0
    if now_rear < 0:
        now_rear = 0
    kept = 0
    if now_front + now_rear:
        kept = total * now_rear // (now_front + now_rear)
    rear = int(handed_over(calibration, kept, rear, now_front))
    if rear > most_rear:
        rear = most_rear

    # Gates: off without torque after a time, and on before there is any
    still = 0
    if not total and not commanded:
        still = s[_STILL] + 1
        if still > cal[_IDLE]:
            still = cal[_IDLE]
    s[_STILL] = still
    on = 0 if still and still >= cal[_IDLE] else 1
    s[_FRONT_GATES] = on
    s[_REAR_GATES] = 1 if on and (s[_TOGETHER] or now_rear or rear) else 0
    if rx[_REAR_STATE] != _TORQUE_STATE and not now_rear:
        rear = 0
    front = total - rear
    if front > most_front:
        front = most_front
    if rx[_FRONT_STATE] != _TORQUE_STATE and not now_front:
        front = 0
    if not drives:
        most = int(regen_most_rear(calibration, front))
        if now_front < front:
            most = most * now_front // front  # SP-05 holds on the way, too
        if rear > most:
            rear = most
    s[_FRONT] = front * sign
    s[_REAR] = rear * sign
