"""What the car tells about itself: VcuStatus, VcuIdentity."""

import micropython
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
_HASH = const(26)  # dbc: VcuIdentity.ProtocolHash
_VERSION = const(28)  # dbc: VcuIdentity.FirmwareVersion
_CALIBRATION = const(29)  # dbc: VcuIdentity.CalibrationHash

_LAMP_ON = const(228)  # cal: stop_lamp.on_dnm [dnm]
_LAMP_OFF = const(229)  # cal: stop_lamp.off_dnm [dnm]

_STATE_SIG = const(0)  # sig: state
_DRIVING = const(1)  # sig: driving
_DIRECTION = const(40)  # sig: direction
_STOP = const(63)  # sig: stop
_LEVEL_SIG = const(65)  # sig: fault_level
_DEMAND_SIG = const(69)  # sig: demand_dnm
_REASON_SIG = const(74)  # sig: reason
_FRONT_DNM = const(77)  # sig: front_dnm
_REAR_DNM = const(78)  # sig: rear_dnm
_LAMP = const(84)  # sig: stop_lamp

_FIRMWARE_VERSION = const(10)  # 0.1.0: major * 1000 + minor * 10 + patch


@micropython.viper
def fill_status(s: ptr32, tx: ptr32, cal: ptr32):
    """VcuStatus."""
    front = (s[_FRONT_DNM] & 0xFFFF ^ 0x8000) - 0x8000
    rear = (s[_REAR_DNM] & 0xFFFF ^ 0x8000) - 0x8000
    direction = (s[_DIRECTION] & 0xFFFF ^ 0x8000) - 0x8000
    granted = front + rear
    tx[_STATE] = s[_STATE_SIG]
    tx[_DEMAND] = s[_DEMAND_SIG] if s[_DRIVING] else 0
    tx[_GRANTED] = granted
    share = 0
    if granted and front * rear >= 0:
        share = rear * 200 // granted
    tx[_REAR_SHARE] = share
    tx[_REASON] = s[_REASON_SIG]
    tx[_LEVEL] = s[_LEVEL_SIG]
    tx[_DRIVE_READY] = 1 if s[_DRIVING] and direction and not s[_STOP] else 0
    tx[_REVERSE_LAMP] = 1 if direction < 0 else 0
    # TQ-03: torque stands for the deceleration that it makes
    braking = (0 - granted) * direction
    if braking > cal[_LAMP_ON]:
        s[_LAMP] = 1
    elif braking <= cal[_LAMP_OFF]:
        s[_LAMP] = 0
    tx[_STOP_LAMP] = s[_LAMP]


def fill_identity(tx):
    """VcuIdentity, once and for all."""
    tx[_HASH] = PROTOCOL_HASH_LOW
    tx[_HASH + 1] = PROTOCOL_HASH_HIGH
    tx[_VERSION] = _FIRMWARE_VERSION
    tx[_CALIBRATION] = CALIBRATION_HASH
