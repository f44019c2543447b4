"""One axle's drive unit as the control sees it: can it give torque, how much, how fast does it turn."""

import micropython
from micropython import const

_STATE = const(20)  # dbc: InvFrontStatus.State
_SPEED = const(22)  # dbc: InvFrontStatus.Speed [1 rpm]
_DRIVE = const(36)  # dbc: InvFrontLimits.TorqueAvailableDrive [0.1 Nm]
_REGEN = const(37)  # dbc: InvFrontLimits.TorqueAvailableRegen [0.1 Nm]
_REAR_STATE = const(28)  # dbc: InvRearStatus.State
_REAR_DRIVE = const(40)  # dbc: InvRearLimits.TorqueAvailableDrive [0.1 Nm]
# Reached by their distance from the front's; the codec decodes only what a tag names
_REAR_SPEED = const(30)  # dbc: InvRearStatus.Speed [1 rpm]
_REAR_REGEN = const(41)  # dbc: InvRearLimits.TorqueAvailableRegen [0.1 Nm]
_LOCKOUT = const(1)  # dbc: InvFrontStatus.State.Lockout
_STANDBY = const(2)  # dbc: InvFrontStatus.State.Standby
_TORQUE = const(3)  # dbc: InvFrontStatus.State.Torque
_FRONT_STATUS = const(3)  # dbc: InvFrontStatus
_REAR_STATUS = const(4)  # dbc: InvRearStatus
_FRONT_STATUS_LATE = const(8)  # dbc: InvFrontStatus:bit
_FRONT_LIMITS_LATE = const(32)  # dbc: InvFrontLimits:bit
_REAR_STATUS_LATE = const(16)  # dbc: InvRearStatus:bit
_REAR_LIMITS_LATE = const(64)  # dbc: InvRearLimits:bit

_TORQUE_MAX = const(309)  # cal: motor.torque_max_dnm [dnm]

_WANTED = const(2)  # sig: wanted
_DRIVING = const(1)  # sig: driving
_LATE = const(4)  # sig: late
_REARMING = const(6)  # sig: rearming
_ALIVE = const(9)  # sig: front_alive
_ABLE = const(10)  # sig: front_able
_LOST = const(11)  # sig: front_lost
_LOCKED = const(12)  # sig: front_locked
_DISOBEYS = const(13)  # sig: front_disobeys
_RPM = const(14)  # sig: front_rpm
_DRIVE_DNM = const(15)  # sig: front_drive_dnm
_REGEN_DNM = const(16)  # sig: front_regen_dnm
_GOOD = const(17)  # sig: front_good
_BAD = const(18)  # sig: front_bad
_REAR_ALIVE = const(19)  # sig: rear_alive

_LOST_TICKS = const(10)  # SF-01: 100 ms
_GOOD_FRAMES = const(10)  # SF-07


@micropython.viper
def step(s: ptr32, rx: ptr32, ages: ptr32, cal: ptr32):
    """Once a tick, for both axles."""
    late = s[_LATE]
    rear = 0
    while rear < 2:
        # Front and rear have their slots in the same order, here and in rx
        to = rear * (_REAR_ALIVE - _ALIVE)
        at = rear * (_REAR_STATE - _STATE)
        state = rx[at + _STATE]
        status = _FRONT_STATUS
        status_late = late & _FRONT_STATUS_LATE
        limits_late = late & _FRONT_LIMITS_LATE
        if rear:
            status = _REAR_STATUS
            status_late = late & _REAR_STATUS_LATE
            limits_late = late & _REAR_LIMITS_LATE
        s[to + _RPM] = rx[at + _SPEED]
        s[to + _LOCKED] = state <= _LOCKOUT
        s[to + _ALIVE] = 0 if status_late else 1

        # SF-01: either message bad or missing for 30 ms is as good as no unit
        able = 0
        if not status_late and not limits_late and not s[to + _DISOBEYS] and _STANDBY <= state <= _TORQUE:
            able = 1
        s[to + _ABLE] = able
        if status_late:
            s[to + _GOOD] = 0
        elif not ages[status] and s[to + _GOOD] < _GOOD_FRAMES:
            s[to + _GOOD] = s[to + _GOOD] + 1

        if able or not s[_WANTED]:
            s[to + _BAD] = 0
            if not s[_DRIVING]:
                s[to + _LOST] = 0
        elif not s[_REARMING]:
            bad = s[to + _BAD] + 1
            if bad >= _LOST_TICKS:
                s[to + _LOST] = 1
            else:
                s[to + _BAD] = bad

        drive = 0
        regen = 0
        if able and not s[to + _LOST]:
            at = rear * (_REAR_DRIVE - _DRIVE)
            most = cal[_TORQUE_MAX]
            drive = rx[at + _DRIVE]
            if drive > most:
                drive = most
            regen = rx[at + _REGEN]
            if regen > most:
                regen = most
        s[to + _DRIVE_DNM] = drive
        s[to + _REGEN_DNM] = regen
        rear += 1
