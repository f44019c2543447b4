"""All faults in one table: bit, trouble code, what it does. A fault is data: present, latched, how often it came."""

from array import array

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
_LIMP = _FRONT_LOST | _REAR_LOST | _FRONT_DISOBEYS | _REAR_DISOBEYS
_FOR_GOOD = _MONITOR | _BUS_OFF_THREE | _WELDED | _CALIBRATION | _FRONT_DISOBEYS | _REAR_DISOBEYS
_STOP = (
    _PEDALS_LOST | _NO_UNIT | _MONITOR | _BUS_OFF_THREE | _BMS_LOST | _HVIL | _BMS_SHUTDOWN
    | _HV_LOST | _PRECHARGE_FAST | _WELDED | _CALIBRATION | _RESTARTED_LIVE
)  # fmt: skip

_DTC = (
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

_LATCH_MS = const(265)  # cal: timing.latch_ms [ms]
_BMS_LOST_MS = const(267)  # cal: timing.bms_lost_ms [ms]
_BMS_LATE_MS = const(266)  # cal: timing.bms_late_ms [ms]

_LEVEL_WARNING = const(1)  # dbc: VcuStatus.FaultLevel.Warning
_LEVEL_LIMP = const(2)  # dbc: VcuStatus.FaultLevel.Limp
_LEVEL_STOP = const(3)  # dbc: VcuStatus.FaultLevel.Stop


class Faults:
    """`stop`: no torque. `urgent`: the contactors shall open at any speed. `level`: as in VcuStatus."""

    def __init__(self, rx, ages, cal, pedals, hv, front, rear, monitor, port):
        self._rx = rx
        self._ages = ages
        self._cal = cal
        self._pedals = pedals
        self._hv = hv
        self._front = front
        self._rear = rear
        self._monitor = monitor
        self._port = port
        self.calibration_bad = False
        self.restarted_live = False
        self.present = 0
        self.latched = 0
        self.stop = False
        self.urgent = False
        self.level = 0
        self.occurrences = array("B", bytes(_COUNT))
        self.stored = 0
        self._shown = _COUNT - 1

    def step(self, live, wanted):
        """Once a tick. `live`: high voltage is on or on its way, so every node has to be there.

        `wanted`: Ready, Drive or Limp, so the contactors have to be closed.
        """
        front = self._front
        rear = self._rear
        hv = self._hv
        port = self._port
        now = 0
        if self._pedals.fault:
            now |= _PEDALS_DISAGREE
        if self._monitor.tripped:
            now |= _MONITOR
        if port.rearming:
            now |= _BUS_OFF
        if port.gave_up:
            now |= _BUS_OFF_THREE
        if port.overruns:
            now |= _RX_OVERRUN
        if front.disobeys:
            now |= _FRONT_DISOBEYS
        if rear.disobeys:
            now |= _REAR_DISOBEYS
        if hv.welded:
            now |= _WELDED
        if hv.stays_live:
            now |= _STAYS_LIVE
        if self.calibration_bad:
            now |= _CALIBRATION
        if live:
            ages = self._ages
            cal = self._cal
            if front.lost:
                now |= _FRONT_LOST
            if rear.lost:
                now |= _REAR_LOST | _NO_UNIT if front.lost else _REAR_LOST
            if hv.too_fast:
                now |= _PRECHARGE_FAST
            if wanted and hv.opened:
                now |= _HV_LOST
            if hv.slow:
                now |= _PRECHARGE_SLOW
            if self.restarted_live:
                now |= _RESTARTED_LIVE
            if ages[_MOTION] >= cal[_LATCH_MS]:
                now |= _ESC_LOST
            if not port.rearming:
                # In our own bus-off nobody is to blame for the silence
                if ages[_PEDALS] >= cal[_LATCH_MS]:
                    now |= _PEDALS_LOST
                limit = cal[_BMS_LOST_MS]
                if ages[_PACK] >= limit or ages[_LIMITS] >= limit or ages[_STATUS] >= limit:
                    now |= _BMS_LOST
            if ages[_STATUS] < cal[_BMS_LATE_MS]:
                if not self._rx[_HVIL_CLOSED]:
                    now |= _HVIL
                if self._rx[_LEVEL] == _SHUTDOWN:
                    now |= _BMS_SHUTDOWN
        if now != self.present:
            self._changed(now)

    def _changed(self, now):
        came = now & ~self.present
        self.present = now
        if came & ~self.latched:
            self.latched |= came
            self._count(came)
        self._judge()

    def _count(self, came):
        occurrences = self.occurrences
        for i in range(_COUNT):
            if came >> i & 1:
                times = occurrences[i]
                if not times:
                    self.stored += 1
                if times < 255:
                    occurrences[i] = times + 1

    def _judge(self):
        latched = self.latched
        self.stop = latched & _STOP != 0
        self.urgent = latched & (_HVIL | _BMS_SHUTDOWN) != 0
        if self.stop:
            self.level = _LEVEL_STOP
        elif latched & _LIMP:
            self.level = _LEVEL_LIMP
        else:
            self.level = _LEVEL_WARNING if self.present else 0

    def clear(self):
        """The driver starts anew: what is gone and may be forgotten no longer counts."""
        self.restarted_live = False
        self.latched &= self.present | _FOR_GOOD
        self._judge()

    def show_next(self):
        """Index of the next stored fault in turn (for VcuFault), or -1 when none is stored."""
        if not self.stored:
            return -1
        shown = self._shown
        occurrences = self.occurrences
        while True:
            shown = shown + 1 if shown < _COUNT - 1 else 0
            if occurrences[shown]:
                self._shown = shown
                return shown

    def dtc(self, i):
        """Trouble code of fault `i`."""
        return _DTC[2 * i] << 8 | _DTC[2 * i + 1]

    def status(self, i):
        """Status byte of fault `i` as in ISO 14229-1: bit 0 test failed, bit 3 confirmed, bit 5 failed since clear."""
        return (self.present >> i & 1) | (0x28 if self.latched >> i & 1 else 0x20)
