"""Second path (SF-04): judges the commanded torque from its own reading of the raw frames, with its own numbers.

It shares no code and no state with the control: it decodes and checks the frames itself, so byte arithmetic stands here
and nowhere else. It never grants; what it finds is latched.
"""

from array import array

import micropython
from micropython import const

# What it has seen, in `seen`
_PEDALS_AGE = const(0)  # ticks since the last good frame
_FRONT_AGE = const(1)
_REAR_AGE = const(2)
_PEDALS_COUNTER = const(3)
_FRONT_COUNTER = const(4)
_REAR_COUNTER = const(5)
_GEAR = const(6)
_APPS1 = const(7)
_APPS2 = const(8)
_BRAKE = const(9)
_ONE_PEDAL = const(10)
_FRONT_TORQUE = const(11)  # 0.1 Nm
_REAR_TORQUE = const(12)
_FRONT_RPM = const(13)
_REAR_RPM = const(14)
_SIZE = const(15)

_MIN1 = const(268)  # cal: monitor.apps1_min_mv [mv]
_SPAN1 = const(269)  # cal: monitor.apps1_span_mv [mv]
_MIN2 = const(270)  # cal: monitor.apps2_min_mv [mv]
_SPAN2 = const(271)  # cal: monitor.apps2_span_mv [mv]
_FULL = const(272)  # cal: monitor.full_dnm [dnm]
_REVERSE = const(273)  # cal: monitor.full_reverse_dnm [dnm]
_MARGIN = const(274)  # cal: monitor.pedal_margin_e4 [e4]
_CREEP = const(275)  # cal: monitor.creep_dnm [dnm]
_CREEP_RPM = const(276)  # cal: monitor.creep_below_rpm [rpm]
_REGEN = const(277)  # cal: monitor.regen_dnm [dnm]
_REGEN_ONE = const(278)  # cal: monitor.regen_one_pedal_dnm [dnm]
_REGEN_RPM = const(279)  # cal: monitor.regen_above_rpm [rpm]
_OVERRIDE = const(280)  # cal: monitor.override_e4 [e4]
_OVERRIDE_RPM = const(281)  # cal: monitor.override_above_rpm [rpm]
_FALL = const(282)  # cal: monitor.fall_dnm_per_tick [tick]
_FALL_SLOW = const(283)  # cal: monitor.fall_slow_dnm_per_tick [tick]
_TOLERANCE = const(284)  # cal: monitor.tolerance_dnm [dnm]
_ACTUAL = const(285)  # cal: monitor.actual_tolerance_dnm [dnm]

_ALL = const(10_000)  # full travel
_RELEASED = const(500)
_SILENT_TICKS = const(4)  # older frames do not count
_TRIP_TICKS = const(2)
_ACTUAL_TICKS = const(5)
_SLOW_ZONE = const(100)  # 10 Nm
_FOLLOW = const(400)  # a unit changes its torque by 5000 Nm/s; 0.1 Nm a tick, with room for its lag,
_DELAY = const(3)  # and it begins, and tells, this many ticks later at most
_REVERSE_GEAR = const(1)
_DRIVE_GEAR = const(3)

# CRC-8 SAE J1850 (poly 0x1D), four bits at a time
NIBBLES = b"\x00\x1d\x3a\x27\x74\x69\x4e\x53\xe8\xf5\xd2\xcf\x9c\x81\xa6\xbb"


@micropython.viper
def see(s: ptr32, can_id: int, data: ptr8, length: int):
    """Take what is needed from one raw frame, if it is whole and its counter moved."""
    which = 0 if can_id == 0x0A0 else 1 if can_id == 0x100 else 2 if can_id == 0x101 else 3
    if which == 3 or length != 8:
        return
    table = ptr8(NIBBLES)
    crc = 0
    i = -1
    while i < 8:
        # E2E Profile 1: both bytes of the DataID, then the data without its first byte
        byte = can_id & 255 if i < 0 else can_id >> 8 if i == 0 else data[i]
        crc ^= byte
        crc = ((crc << 4) & 255) ^ table[crc >> 4]
        crc = ((crc << 4) & 255) ^ table[crc >> 4]
        i += 1
    counter = data[1] & 15
    if crc != data[0] or counter == 15 or counter == s[_PEDALS_COUNTER + which]:
        return
    s[_PEDALS_COUNTER + which] = counter
    s[which] = 0
    if which == 0:
        s[_GEAR] = data[1] >> 4 & 7
        s[_APPS1] = data[2] | (data[3] & 31) << 8
        s[_APPS2] = data[3] >> 5 | data[4] << 3 | (data[5] & 3) << 11
        pressure = data[5] >> 2 | (data[6] & 15) << 6
        s[_BRAKE] = 1 if data[6] & 16 or pressure >= 50 else 0
        s[_ONE_PEDAL] = data[6] >> 5 & 1
    else:
        s[_FRONT_TORQUE - 1 + which] = ((data[2] | data[3] << 8) ^ 0x8000) - 0x8000
        s[_FRONT_RPM - 1 + which] = ((data[4] | data[5] << 8) ^ 0x8000) - 0x8000


@micropython.viper
def _fall(now: int, fast: int, slow: int) -> int:
    # One tick of the slowest way to zero that TQ-06 leaves
    size = 0 - now if now < 0 else now
    if size > _SLOW_ZONE:
        size -= fast
        if size < _SLOW_ZONE:
            size = _SLOW_ZONE
    else:
        size -= slow
        if size < 0:
            size = 0
    return 0 - size if now < 0 else size


class Monitor:
    """`tripped`: no torque until a reset. `front_disobeys`, `rear_disobeys`: that unit gives what nobody asked for."""

    def __init__(self, cal):
        self._cal = cal
        self.seen = s = array("i", (0,) * _SIZE)
        s[_PEDALS_AGE] = s[_FRONT_AGE] = s[_REAR_AGE] = 1000
        s[_PEDALS_COUNTER] = s[_FRONT_COUNTER] = s[_REAR_COUNTER] = 15
        self.tripped = False
        self.front_disobeys = False
        self.rear_disobeys = False
        self.ran = False
        self._override = False
        self._front = 0  # what the command may still be on its way to zero
        self._rear = 0
        self._outside = 0
        self._high = array("i", (0, 0))  # what each unit may still give on its way to the command
        self._low = array("i", (0, 0))
        self._late = array("i", (0, 0))
        self._past = array("i", (0, 0) * _DELAY)  # commands, latest first, front and rear by turns

    def step(self, front_dnm, rear_dnm, driving):
        """Once a tick, with what is about to be commanded. `driving`: Drive or Limp is what the bus is told."""
        s = self.seen
        cal = self._cal

        # Band of the sum along the selected direction
        direction = high = low = 0
        at_once = True
        if driving and s[_PEDALS_AGE] < _SILENT_TICKS:
            gear = s[_GEAR]
            direction = 1 if gear == _DRIVE_GEAR else -1 if gear == _REVERSE_GEAR else 0
            if s[_FRONT_AGE] >= _SILENT_TICKS:
                rpm = s[_REAR_RPM]
            elif s[_REAR_AGE] >= _SILENT_TICKS:
                rpm = s[_FRONT_RPM]
            else:
                rpm = (s[_FRONT_RPM] + s[_REAR_RPM]) // 2
            # Lower of both sensors: it can never mean too much
            travel = (s[_APPS1] - cal[_MIN1]) * _ALL // cal[_SPAN1]
            other = (s[_APPS2] - cal[_MIN2]) * _ALL // cal[_SPAN2]
            if other < travel:
                travel = other
            if travel < _RELEASED:
                self._override = False
            elif s[_BRAKE] and travel > cal[_OVERRIDE]:
                most = cal[_OVERRIDE_RPM]
                if rpm > most or rpm < -most:
                    self._override = True  # SF-03
            at_once = self._override
            if direction:
                rpm *= direction
                if rpm > cal[_REGEN_RPM]:
                    low = -cal[_REGEN_ONE] if s[_ONE_PEDAL] else -cal[_REGEN]
                if not at_once:
                    if travel > 0:
                        high = (cal[_FULL] if direction > 0 else cal[_REVERSE]) * (travel + cal[_MARGIN]) // _ALL
                    if rpm < cal[_CREEP_RPM] and high < cal[_CREEP]:
                        high = cal[_CREEP]
        total = front_dnm + rear_dnm
        if direction < 0:
            total = -total

        # A command that was inside may fall to the band as slowly as TQ-06 has it
        if low <= total <= high:
            self._front = front_dnm
            self._rear = rear_dnm
        else:
            if at_once:
                self._front = self._rear = 0
            else:
                self._front = _fall(self._front, cal[_FALL], cal[_FALL_SLOW])
                self._rear = _fall(self._rear, cal[_FALL], cal[_FALL_SLOW])
            falling = self._front + self._rear
            if direction < 0:
                falling = -falling
            if falling > high:
                high = falling
            elif falling < low:
                low = falling
        tolerance = cal[_TOLERANCE]
        if total > high + tolerance or total < low - tolerance:
            self._outside += 1
            if self._outside >= _TRIP_TICKS:
                self.tripped = True
        else:
            self._outside = 0

        self._obeys(0, front_dnm)
        self._obeys(1, rear_dnm)
        s[_PEDALS_AGE] += 1
        s[_FRONT_AGE] += 1
        s[_REAR_AGE] += 1
        self.ran = True

    def _obeys(self, unit, command_dnm):
        # Actual against requested torque: too little is harmless, too much or the wrong way is not
        high = self._high[unit] - _FOLLOW
        low = self._low[unit] + _FOLLOW
        if high < 0:
            high = 0
        if low > 0:
            low = 0
        past = self._past
        i = unit
        while i < 2 * _DELAY:
            if command_dnm > high:
                high = command_dnm
            elif command_dnm < low:
                low = command_dnm
            older = past[i]
            past[i] = command_dnm
            command_dnm = older
            i += 2
        if command_dnm > high:
            high = command_dnm
        elif command_dnm < low:
            low = command_dnm
        self._high[unit] = high
        self._low[unit] = low
        s = self.seen
        margin = self._cal[_ACTUAL]
        if s[_FRONT_AGE + unit] < _SILENT_TICKS and not low - margin <= s[_FRONT_TORQUE + unit] <= high + margin:
            late = self._late[unit] + 1
            self._late[unit] = late
            if late >= _ACTUAL_TICKS:
                if unit:
                    self.rear_disobeys = True
                else:
                    self.front_disobeys = True
        else:
            self._late[unit] = 0
