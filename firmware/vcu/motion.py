"""Speed of the car from what turns: the motors, and the wheels when no motor tells."""

import micropython
from micropython import const

_VALID = const(8)  # dbc: EscWheelSpeeds.Valid
_WHEEL = const(9)  # dbc: EscWheelSpeeds.FrontLeft [0.1 km/h]

_RPM_PER_100KMH = const(286)  # cal: vehicle.rpm_per_100kmh [100kmh]
_REST_BELOW = const(287)  # cal: vehicle.rest_below_ckmh [ckmh]

_FRONT_ALIVE = const(9)  # sig: front_alive
_FRONT_RPM = const(14)  # sig: front_rpm
_REAR_ALIVE = const(19)  # sig: rear_alive
_REAR_RPM = const(24)  # sig: rear_rpm
_SPEED = const(29)  # sig: speed_ckmh
_RPM = const(30)  # sig: rpm
_REST = const(31)  # sig: rest


@micropython.viper
def step(s: ptr32, rx: ptr32, cal: ptr32):
    """Once a tick, after both axles."""
    ratio = cal[_RPM_PER_100KMH]
    front = (s[_FRONT_RPM] & 0xFFFF ^ 0x8000) - 0x8000
    rear = (s[_REAR_RPM] & 0xFFFF ^ 0x8000) - 0x8000
    if s[_FRONT_ALIVE]:
        rpm = front
        if s[_REAR_ALIVE]:
            rpm = (front + rear) // 2
    elif s[_REAR_ALIVE]:
        rpm = rear
    elif rx[_VALID] & 1:
        # Magnitude only; nothing drives without a motor, so the sign does not matter
        rpm = rx[_WHEEL] * ratio // 1000
    else:
        rpm = (s[_RPM] & 0xFFFF ^ 0x8000) - 0x8000
    speed = rpm * 10_000 // ratio
    s[_RPM] = rpm
    s[_SPEED] = speed
    rest = cal[_REST_BELOW]
    s[_REST] = 1 if 0 - rest < speed < rest else 0
