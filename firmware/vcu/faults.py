"""All faults in one table: bit, trouble code, what it does. A fault is data: present, latched, how often it came."""

import micropython
from micropython import const

# Bits of `present` and `latched`. Reactions: warning; limp: the axle is out; stop: no torque until it is cleared.
# Stops of the second kind last until a reset.
_PEDALS_LOST = const(1 << 0)  # stop: SF-01, pedals missing for 100 ms
_PEDALS_DISAGREE = const(1 << 1)  # warning: SF-02, pedals.py holds the torque at zero
_FRONT_LOST = const(1 << 2)  # limp: SF-01, SP-07
_REAR_LOST = const(1 << 3)  # limp
_NO_UNIT = const(1 << 4)  # stop: both units lost
_MONITOR = const(1 << 5)  # stop until reset: SF-04
_BUS_OFF = const(1 << 6)  # warning: SF-07, can_port.py counts
_BUS_OFF_THREE = const(1 << 7)  # stop until reset: SF-07
_BMS_LOST = const(1 << 8)  # stop: LM-03
_HVIL = const(1 << 9)  # stop, contactors open: SM-06
_BMS_SHUTDOWN = const(1 << 10)  # stop, contactors open: SM-06
_PRECHARGE_SLOW = const(1 << 11)  # warning: SM-02
_PRECHARGE_FAST = const(1 << 12)  # stop: SM-02
_WELDED = const(1 << 13)  # stop until reset: SM-04
_STAYS_LIVE = const(1 << 14)  # warning: SM-04
_CALIBRATION = const(1 << 15)  # stop until reset: SF-11
_ESC_LOST = const(1 << 16)  # warning: no regeneration, no torque cap
_FRONT_DISOBEYS = const(1 << 17)  # limp until reset: SF-12
_REAR_DISOBEYS = const(1 << 18)  # limp until reset
_RESTARTED_LIVE = const(1 << 19)  # stop: SF-08, reset while the contactors were closed
_RX_OVERRUN = const(1 << 20)  # warning: frames were lost
_HV_LOST = const(1 << 21)  # stop: the contactors opened unasked

_COUNT = const(22)
_STORED = const(22)  # places in the memory, behind the faults
_SHOWN = const(23)
_LIMP = _FRONT_LOST | _REAR_LOST | _FRONT_DISOBEYS | _REAR_DISOBEYS
_FOR_GOOD = _MONITOR | _BUS_OFF_THREE | _WELDED | _CALIBRATION | _FRONT_DISOBEYS | _REAR_DISOBEYS
_STOP = (
    _PEDALS_LOST | _NO_UNIT | _MONITOR | _BUS_OFF_THREE | _BMS_LOST | _HVIL | _BMS_SHUTDOWN
    | _HV_LOST | _PRECHARGE_FAST | _WELDED | _CALIBRATION | _RESTARTED_LIVE
)  # fmt: skip

_CODES = const(
    b"\xc1\x31\x21\x38\xc2\x92\xc2\x93\x0a\x0f\x06\x1b\xc0\x73\xc0\x74"
    b"\xc1\x11\x0a\x0a\x0a\xfa\x0a\xdd\x0a\xde\x0a\xa1\x0a\xa7\x06\x01"
    b"\xc1\x21\x0a\x78\x0a\x79\x06\x06\xc0\x01\x0a\x0c"
)
"""Trouble code of each bit, two bytes (SAE J2012 coding), from bit 0."""

_PEDALS = const(0)  # dbc: PedalsDriver
_PACK = const(8)  # dbc: BmsPack
_LIMITS = const(7)  # dbc: BmsLimits
_STATUS = const(9)  # dbc: BmsStatus
_MOTION = const(2)  # dbc: EscMotion
_LEVEL = const(52)  # dbc: BmsStatus.FaultLevel
_SHUTDOWN = const(3)  # dbc: BmsStatus.FaultLevel.Shutdown
_HVIL_CLOSED = const(53)  # dbc: BmsStatus.HvilClosed

_INDEX = const(30)  # dbc: VcuFault.Index
_STORED_COUNT = const(31)  # dbc: VcuFault.Count
_DTC = const(32)  # dbc: VcuFault.Dtc
_DTC_STATUS = const(33)  # dbc: VcuFault.Status
_OCCURRENCES = const(34)  # dbc: VcuFault.Occurrences

_LATCH_MS = const(425)  # cal: timing.latch_ms [ms]
_BMS_LOST_MS = const(427)  # cal: timing.bms_lost_ms [ms]
_BMS_LATE_MS = const(426)  # cal: timing.bms_late_ms [ms]

_LEVEL_WARNING = const(1)  # dbc: VcuStatus.FaultLevel.Warning
_LEVEL_LIMP = const(2)  # dbc: VcuStatus.FaultLevel.Limp
_LEVEL_STOP = const(3)  # dbc: VcuStatus.FaultLevel.Stop

_LIVE = const(3)  # sig: live
_WANTED = const(2)  # sig: wanted
_REARMING_SIG = const(6)  # sig: rearming
_GAVE_UP = const(7)  # sig: gave_up
_OVERRUNS = const(8)  # sig: overruns
_FRONT_LOST_SIG = const(11)  # sig: front_lost
_REAR_LOST_SIG = const(21)  # sig: rear_lost
_FRONT_DISOBEYS_SIG = const(13)  # sig: front_disobeys
_REAR_DISOBEYS_SIG = const(23)  # sig: rear_disobeys
_PEDAL_FAULT = const(35)  # sig: pedal_fault
_HV_OPENED = const(44)  # sig: hv_opened
_PRECHARGE_SLOW_SIG = const(49)  # sig: precharge_slow
_PRECHARGE_FAST_SIG = const(50)  # sig: precharge_fast
_WELDED_SIG = const(51)  # sig: welded
_STAYS_LIVE_SIG = const(52)  # sig: stays_live
_CALIBRATION_BAD = const(66)  # sig: calibration_bad
_RESTARTED = const(67)  # sig: restarted_live
_TRIPPED = const(79)  # sig: tripped
_PRESENT = const(61)  # sig: faults_present
_LATCHED = const(62)  # sig: faults_latched
_STOP_SIG = const(63)  # sig: stop
_URGENT = const(64)  # sig: urgent
_LEVEL_SIG = const(65)  # sig: fault_level


@micropython.viper
def look(s: ptr32, rx: ptr32, ages: ptr32, cal: ptr32) -> int:
    """Once a tick: bits of the faults that are present."""
    now = 0
    if s[_PEDAL_FAULT]:
        now |= _PEDALS_DISAGREE
    if s[_TRIPPED]:
        now |= _MONITOR
    if s[_REARMING_SIG]:
        now |= _BUS_OFF
    if s[_GAVE_UP]:
        now |= _BUS_OFF_THREE
    if s[_OVERRUNS]:
        now |= _RX_OVERRUN
    if s[_FRONT_DISOBEYS_SIG]:
        now |= _FRONT_DISOBEYS
    if s[_REAR_DISOBEYS_SIG]:
        now |= _REAR_DISOBEYS
    if s[_WELDED_SIG]:
        now |= _WELDED
    if s[_STAYS_LIVE_SIG]:
        now |= _STAYS_LIVE
    if s[_CALIBRATION_BAD]:
        now |= _CALIBRATION
    if s[_LIVE]:
        if s[_FRONT_LOST_SIG]:
            now |= _FRONT_LOST
        if s[_REAR_LOST_SIG]:
            now |= _REAR_LOST
        if now & (_FRONT_LOST | _REAR_LOST) == _FRONT_LOST | _REAR_LOST:
            now |= _NO_UNIT
        if s[_PRECHARGE_FAST_SIG]:
            now |= _PRECHARGE_FAST
        if s[_PRECHARGE_SLOW_SIG]:
            now |= _PRECHARGE_SLOW
        if s[_WANTED] and s[_HV_OPENED]:
            now |= _HV_LOST
        if s[_RESTARTED]:
            now |= _RESTARTED_LIVE
        if ages[_MOTION] >= cal[_LATCH_MS]:
            now |= _ESC_LOST
        if not s[_REARMING_SIG]:
            # In our own bus-off nobody is to blame for the silence
            if ages[_PEDALS] >= cal[_LATCH_MS]:
                now |= _PEDALS_LOST
            limit = cal[_BMS_LOST_MS]
            if ages[_PACK] >= limit or ages[_LIMITS] >= limit or ages[_STATUS] >= limit:
                now |= _BMS_LOST
        if ages[_STATUS] < cal[_BMS_LATE_MS]:
            if not rx[_HVIL_CLOSED]:
                now |= _HVIL
            if rx[_LEVEL] == _SHUTDOWN:
                now |= _BMS_SHUTDOWN
    return now


@micropython.viper
def fill_fault(s: ptr32, tx: ptr32, memory: ptr8):
    """VcuFault: the next stored fault in turn.

    Its status is as in ISO 14229-1: bit 0 test failed, bit 3 confirmed, bit 5 failed since it was cleared.
    """
    tx[_STORED_COUNT] = memory[_STORED]
    if not memory[_STORED]:
        return
    i = memory[_SHOWN] + 1
    while i >= _COUNT or not memory[i]:
        i = i + 1 if i < _COUNT else 0
    memory[_SHOWN] = i
    codes = ptr8(_CODES)
    tx[_INDEX] = i
    tx[_DTC] = codes[2 * i] << 8 | codes[2 * i + 1]
    tx[_DTC_STATUS] = (s[_PRESENT] >> i & 1) | (0x28 if s[_LATCHED] >> i & 1 else 0x20)
    tx[_OCCURRENCES] = memory[i]


class Faults:
    """Counts the faults. `memory`: how often each has come, then how many have, then which was shown last."""

    def __init__(self, signals):
        self._s = signals
        self.memory = bytearray(_COUNT + 2)
        self.memory[_SHOWN] = _COUNT - 1

    def changed(self, now):
        """What `look` says is not what it said before."""
        s = self._s
        came = now & ~s[_PRESENT] & ~s[_LATCHED]
        s[_PRESENT] = now
        if came:
            s[_LATCHED] |= came
            self._count(came)
        self._judge()

    def _count(self, came):
        memory = self.memory
        i = 0
        while came:
            if came & 1:
                times = memory[i]
                if not times:
                    memory[_STORED] += 1
                if times < 255:
                    memory[i] = times + 1
            came >>= 1
            i += 1

    def _judge(self):
        s = self._s
        latched = s[_LATCHED]
        stop = latched & _STOP != 0
        s[_STOP_SIG] = stop
        s[_URGENT] = latched & (_HVIL | _BMS_SHUTDOWN) != 0
        if stop:
            s[_LEVEL_SIG] = _LEVEL_STOP
        elif latched & _LIMP:
            s[_LEVEL_SIG] = _LEVEL_LIMP
        else:
            s[_LEVEL_SIG] = _LEVEL_WARNING if s[_PRESENT] else 0

    def clear(self):
        """The driver starts anew: what is gone and may be forgotten no longer counts."""
        s = self._s
        s[_RESTARTED] = 0
        s[_LATCHED] &= s[_PRESENT] | _FOR_GOOD
        self._judge()
