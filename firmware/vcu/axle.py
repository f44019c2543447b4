"""One axle's drive unit as the control sees it: can it give torque, how much, how fast does it turn."""

from micropython import const

_STATE = const(20)  # dbc: InvFrontStatus.State
_TORQUE = const(21)  # dbc: InvFrontStatus.TorqueActual [0.1 Nm]
_SPEED = const(22)  # dbc: InvFrontStatus.Speed [1 rpm]
_DRIVE = const(36)  # dbc: InvFrontLimits.TorqueAvailableDrive [0.1 Nm]
_REGEN = const(37)  # dbc: InvFrontLimits.TorqueAvailableRegen [0.1 Nm]
_REAR_STATE = const(28)  # dbc: InvRearStatus.State
_REAR_DRIVE = const(40)  # dbc: InvRearLimits.TorqueAvailableDrive [0.1 Nm]
_LOCKOUT = const(1)  # dbc: InvFrontStatus.State.Lockout
_STANDBY = const(2)  # dbc: InvFrontStatus.State.Standby
_TORQUE_STATE = const(3)  # dbc: InvFrontStatus.State.Torque
_FRONT_STATUS = const(3)  # dbc: InvFrontStatus
_FRONT_LIMITS = const(5)  # dbc: InvFrontLimits
_REAR_STATUS = const(4)  # dbc: InvRearStatus
_REAR_LIMITS = const(6)  # dbc: InvRearLimits

_TORQUE_MAX = const(238)  # cal: motor.torque_max_dnm [dnm]

_LOST_TICKS = const(10)  # SF-01: 100 ms
_GOOD_TICKS = const(10)  # SF-07


class Axle:
    """`able`: fresh news and ready for torque. `lost`: not able for 100 ms, until it is able again outside of Drive."""

    def __init__(self, rx, ages, cal, rear):
        self._rx = rx
        self._ages = ages
        self._cal = cal
        self._status = _REAR_STATUS if rear else _FRONT_STATUS
        self._status_bit = 1 << self._status
        self._needed_bits = self._status_bit | 1 << (_REAR_LIMITS if rear else _FRONT_LIMITS)
        # Front and rear messages have their slots in the same order
        self._status_shift = _REAR_STATE - _STATE if rear else 0
        self._limits_shift = _REAR_DRIVE - _DRIVE if rear else 0
        self.alive = False
        self.able = False
        self.lost = False
        self.locked = False
        self.disobeys = False
        self.rpm = 0
        self.torque_dnm = 0
        self.drive_dnm = 0  # what it can give, as magnitudes
        self.regen_dnm = 0
        self.good = 0  # frames in a row
        self._bad = 0

    def step(self, late, wanted, driving, rearming):
        """Once a tick. `late`: messages past their timeout. `wanted`: Ready, Drive or Limp; `driving`: the last two.

        `rearming`: the silence was our own bus-off (SF-07).
        """
        rx = self._rx
        at = self._status_shift
        state = rx[at + _STATE]
        self.rpm = rx[at + _SPEED]
        self.torque_dnm = rx[at + _TORQUE]
        self.locked = state <= _LOCKOUT
        self.alive = alive = not late & self._status_bit
        # SF-01: either message bad or missing for 30 ms is as good as no unit
        self.able = able = not late & self._needed_bits and _STANDBY <= state <= _TORQUE_STATE and not self.disobeys
        good = self.good
        if not alive:
            self.good = 0
        elif good < _GOOD_TICKS and not self._ages[self._status]:
            self.good = good + 1
        if able or not wanted:
            self._bad = 0
            if not driving:
                self.lost = False
        elif not rearming:
            bad = self._bad + 1
            if bad >= _LOST_TICKS:
                self.lost = True
            else:
                self._bad = bad
        if able and not self.lost:
            at = self._limits_shift
            most = self._cal[_TORQUE_MAX]
            drive = rx[at + _DRIVE]
            regen = rx[at + _REGEN]
            self.drive_dnm = drive if drive < most else most
            self.regen_dnm = regen if regen < most else most
        else:
            self.drive_dnm = self.regen_dnm = 0
