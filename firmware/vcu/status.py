"""What the car tells about itself: VcuStatus, VcuTiming, VcuIdentity, VcuFault."""

from micropython import const

from vcu.calibration import CALIBRATION_HASH
from vcu.protocol import PROTOCOL_HASH_HIGH, PROTOCOL_HASH_LOW

_STATE = const(11)  # dbc: VcuStatus.State
_DEMAND = const(12)  # dbc: VcuStatus.TorqueDemand [0.1 Nm]
_GRANTED = const(13)  # dbc: VcuStatus.TorqueGranted [0.1 Nm]
_REAR_SHARE = const(14)  # dbc: VcuStatus.RearShare [0.5 %]
_REASON = const(15)  # dbc: VcuStatus.LimitReason
_LEVEL = const(16)  # dbc: VcuStatus.FaultLevel
_DRIVE_READY = const(17)  # dbc: VcuStatus.DriveReady
_STOP_LAMP = const(18)  # dbc: VcuStatus.StopLamp
_REVERSE_LAMP = const(19)  # dbc: VcuStatus.AllowReverseLamp
_TICK_TIME = const(20)  # dbc: VcuTiming.TickTimeMax [1 us]
_JITTER = const(21)  # dbc: VcuTiming.TickJitterMax [1 us]
_HEAP = const(22)  # dbc: VcuTiming.HeapFree [64 B]
_OVERRUNS = const(23)  # dbc: VcuTiming.RxOverruns
_BUS_OFFS = const(24)  # dbc: VcuTiming.BusOffCount
_CAUSE = const(25)  # dbc: VcuTiming.ResetCause
_HASH = const(26)  # dbc: VcuIdentity.ProtocolHash
_VERSION = const(28)  # dbc: VcuIdentity.FirmwareVersion
_CALIBRATION = const(29)  # dbc: VcuIdentity.CalibrationHash
_INDEX = const(30)  # dbc: VcuFault.Index
_COUNT = const(31)  # dbc: VcuFault.Count
_DTC = const(32)  # dbc: VcuFault.Dtc
_FAULT_STATUS = const(33)  # dbc: VcuFault.Status
_OCCURRENCES = const(34)  # dbc: VcuFault.Occurrences
_STATUS_BIT = const(8)  # dbc: VcuStatus:bit
_TIMING_BIT = const(16)  # dbc: VcuTiming:bit
_FAULT_BIT = const(64)  # dbc: VcuFault:bit

_LAMP_ON = const(228)  # cal: stop_lamp.on_dnm [dnm]
_LAMP_OFF = const(229)  # cal: stop_lamp.off_dnm [dnm]

_FIRMWARE_VERSION = const(10)  # 0.1.0: major * 1000 + minor * 10 + patch


class Status:
    """Fills the slots of the messages that are about to be sent."""

    def __init__(self, tx, cal, states, demand, limits, slew, gear, faults, port, timing):
        self._tx = tx
        self._cal = cal
        self._states = states
        self._demand = demand
        self._limits = limits
        self._slew = slew
        self._gear = gear
        self._faults = faults
        self._port = port
        self._timing = timing
        self._lamp = 0
        tx[_HASH] = PROTOCOL_HASH_LOW
        tx[_HASH + 1] = PROTOCOL_HASH_HIGH
        tx[_VERSION] = _FIRMWARE_VERSION
        tx[_CALIBRATION] = CALIBRATION_HASH

    def step(self, ready):
        """Once a tick; `ready` has a bit for each message that is about to be sent."""
        if ready & _STATUS_BIT:
            self._status()
        if ready & _TIMING_BIT:
            self._timing_figures()
        if ready & _FAULT_BIT:
            self._fault()

    def _status(self):
        tx = self._tx
        cal = self._cal
        states = self._states
        slew = self._slew
        front = slew.front_dnm
        rear = slew.rear_dnm
        granted = front + rear
        direction = self._gear.direction
        tx[_STATE] = states.state
        tx[_DEMAND] = self._demand.torque_dnm if states.driving else 0
        tx[_GRANTED] = granted
        tx[_REAR_SHARE] = rear * 200 // granted if granted and (front >= 0) == (rear >= 0) else 0
        tx[_REASON] = self._limits.reason
        tx[_LEVEL] = self._faults.level
        tx[_DRIVE_READY] = 1 if states.driving and direction and not self._faults.stop else 0
        tx[_REVERSE_LAMP] = 1 if direction < 0 else 0
        # TQ-03: torque stands for the deceleration that it makes
        braking = -granted * direction
        if braking > cal[_LAMP_ON]:
            self._lamp = 1
        elif braking <= cal[_LAMP_OFF]:
            self._lamp = 0
        tx[_STOP_LAMP] = self._lamp

    def _timing_figures(self):
        tx = self._tx
        timing = self._timing
        port = self._port
        port.count()
        tx[_TICK_TIME] = timing.tick_max_us
        tx[_JITTER] = timing.jitter_max_us
        tx[_HEAP] = timing.heap_free >> 6
        tx[_OVERRUNS] = port.overruns
        tx[_BUS_OFFS] = port.bus_offs
        tx[_CAUSE] = timing.reset_cause
        timing.tick_max_us = timing.jitter_max_us = 0

    def _fault(self):
        tx = self._tx
        faults = self._faults
        i = faults.show_next()
        tx[_COUNT] = faults.stored
        if i >= 0:
            tx[_INDEX] = i
            tx[_DTC] = faults.dtc(i)
            tx[_FAULT_STATUS] = faults.status(i)
            tx[_OCCURRENCES] = faults.occurrences[i]
