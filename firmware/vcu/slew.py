"""How fast torque may change (TQ-06, TQ-10), and what may cut it at once. Its result is what is commanded.

Each motor's torque climbs a ramp, and goes in two parts that lie half a swing of the driveline apart. Motor and wheels
swing against each other on the shafts, at about 10 Hz where the tyres grip: what the first part of a change stirs up,
the second one stills. That one is smaller, as the swing has died away a little by then. The ramp is slow around zero,
where the gears change flanks, and wider than TQ-06 asks by what the ramp gains in half a swing: so both parts are slow
there.
"""

from array import array

import micropython
from micropython import const

_FAST = const(304)  # cal: slew.fast_dnm_per_tick [tick]
_SLOW = const(305)  # cal: slew.slow_dnm_per_tick [tick]
_ZONE = const(306)  # cal: slew.slow_within_dnm [dnm]
_HALF_SWING = const(307)  # cal: slew.half_swing_ticks [ticks]
_FIRST = const(308)  # cal: slew.first_percent [percent]

_DIRECTION = const(40)  # sig: direction
_ABLE = const(10)  # sig: front_able
_LOST = const(11)  # sig: front_lost
_REAR_ABLE = const(20)  # sig: rear_able
_TARGET = const(75)  # sig: split_front_dnm The rear one follows
_COMMAND = const(77)  # sig: front_dnm The rear one follows
_RAMP = const(103)  # sig: front_ramp_dnm The rear one follows
_GRIP = const(91)  # sig: front_grip_dnm The rear one follows
_MOST_DRIVE = const(72)  # sig: most_drive_dnm
_MOST_REGEN = const(73)  # sig: most_regen_dnm

_FREE = const(10_000)  # grip without slip control

# In `swings`, for each axle: the last command, where the oldest value of the ramp is, the values (+-)
_LAST = const(0)
_AT = const(1)
_VALUES = const(2)
_OF_REAR = const(12)
_MOST_TICKS = const(10)


@micropython.viper
def ramp(cal: ptr32, torque: int, target: int) -> int:
    """The next torque on the way to a target."""
    zone = cal[_ZONE]
    sign = 1
    if target < torque:
        sign = -1
        torque = 0 - torque
        target = 0 - target
    if torque < 0 - zone:
        torque += cal[_FAST]
        if torque > 0 - zone:
            torque = 0 - zone  # a fast step ends at the edge
    elif torque < zone:
        torque += cal[_SLOW]
    else:
        torque += cal[_FAST]
    if torque > target:
        torque = target
    return torque * sign


@micropython.viper
def step(s: ptr32, m: ptr32, calibration):
    """Once a tick; `m` is `swings`."""
    cal = ptr32(calibration)
    count = cal[_HALF_SWING]
    total = 0
    axle = 0
    while axle < 2:
        to = axle * (_REAR_ABLE - _ABLE)
        of = axle * _OF_REAR
        command = (s[axle + _COMMAND] & 0xFFFF ^ 0x8000) - 0x8000
        torque = (s[axle + _RAMP] & 0xFFFF ^ 0x8000) - 0x8000
        target = (s[axle + _TARGET] & 0xFFFF ^ 0x8000) - 0x8000
        lost = 0 if s[to + _ABLE] and not s[to + _LOST] else 1
        if lost:
            command = 0  # SF-01: a unit that is not able gets zero at once
        slips = 1 if s[axle + _GRIP] < _FREE else 0
        if lost or slips or command != (m[of + _LAST] & 0xFFFF ^ 0x8000) - 0x8000:
            # Somebody has cut it, or slip control leads: the ramp goes on from there
            torque = command
            i = 0
            while i < count:
                m[of + _VALUES + i] = command
                i += 1
        if not lost:
            if torque != target:
                torque = int(ramp(calibration, torque, target))
            command = torque
            if count and not slips:
                at = m[of + _AT]
                older = (m[of + _VALUES + at] & 0xFFFF ^ 0x8000) - 0x8000
                command = torque * cal[_FIRST] + older * (100 - cal[_FIRST])
                m[of + _VALUES + at] = torque
                m[of + _AT] = at + 1 if at + 1 < count else 0
                command = command // 100 if command > 0 else 0 - (0 - command) // 100
        s[axle + _RAMP] = torque
        s[axle + _COMMAND] = command
        m[of + _LAST] = command
        total += command
        axle += 1

    # The sum obeys both limits at once (TQ-08 and fault cuts)
    direction = (s[_DIRECTION] & 0xFFFF ^ 0x8000) - 0x8000
    most = s[_MOST_DRIVE]
    if (total < 0 and direction > 0) or (total > 0 and direction < 0):
        most = s[_MOST_REGEN]
    if total < 0:
        total = 0 - total
    if total > most:
        axle = 0
        while axle < 2:
            torque = (s[axle + _COMMAND] & 0xFFFF ^ 0x8000) - 0x8000
            if torque < 0:
                s[axle + _COMMAND] = 0 - (0 - torque) * most // total
            else:
                s[axle + _COMMAND] = torque * most // total
            axle += 1


swings = array("i", bytes(4 * 2 * _OF_REAR))
