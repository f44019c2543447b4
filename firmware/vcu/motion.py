"""Speed of the car from what turns, and how fast each axle turns, from sensors that check each other."""

import micropython
from micropython import const

_VALID = const(8)  # dbc: EscWheelSpeeds.Valid
_WHEEL = const(9)  # dbc: EscWheelSpeeds.FrontLeft [0.1 km/h]

_RPM_PER_100KMH = const(312)  # cal: vehicle.rpm_per_100kmh [100kmh]
_REST_BELOW = const(313)  # cal: vehicle.rest_below_ckmh [ckmh]
_APART = const(282)  # cal: slip.sensors_apart_rpm [rpm]
_EIGHTHS = const(283)  # cal: slip.motor_inertia_eighths [eighths]

_FRONT_ALIVE = const(9)  # sig: front_alive
_FRONT_RPM = const(14)  # sig: front_rpm
_REAR_ALIVE = const(19)  # sig: rear_alive
_REAR_RPM = const(24)  # sig: rear_rpm
_SPEED = const(29)  # sig: speed_ckmh
_RPM = const(30)  # sig: rpm
_REST = const(31)  # sig: rest
_TURN = const(93)  # sig: front_turn The rear one follows
_ROAD = const(95)  # sig: road
_WHEEL_TURN = const(101)  # sig: front_wheel_turn The rear one follows

_FINE = const(256)


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
    s[_RPM] = rpm
    # Motors swing against their wheels; torque that followed them would keep them swinging
    speed = (s[_SPEED] & 0xFFFF ^ 0x8000) - 0x8000
    speed += (rpm * 10_000 // ratio - speed) // 4
    s[_SPEED] = speed
    rest = cal[_REST_BELOW]
    s[_REST] = 1 if 0 - rest < speed < rest else 0


@micropython.viper
def turns(s: ptr32, rx: ptr32, cal: ptr32):
    """Once a tick: how fast each axle turns, as a magnitude, seen from the motor, for the slip control.

    The motor's sensor is fine and quick, and turns with the mean of both wheels: it is believed as far as one of them
    bears it out, so one sensor that lies changes little. Motor and wheels swing against each other on the shafts: the
    mean weighted by their inertias does not when the tyres slide, and the wheels do not when they grip.
    """
    ratio = cal[_RPM_PER_100KMH]
    apart = cal[_APART] * _FINE
    part = cal[_EIGHTHS]
    axle = 0
    while axle < 2:
        of = axle * (_REAR_ALIVE - _FRONT_ALIVE)
        valid = rx[_VALID] >> 2 * axle & 3
        wheel = rx[_WHEEL + 2 * axle] * ratio // 125 * 32
        other = rx[_WHEEL + 1 + 2 * axle] * ratio // 125 * 32
        if valid == 1:
            other = wheel
        elif valid == 2:
            wheel = other
        turn = (s[of + _FRONT_RPM] & 0xFFFF ^ 0x8000) - 0x8000
        turn = (turn if turn > 0 else 0 - turn) * _FINE
        alive = s[of + _FRONT_ALIVE]
        nearer = (turn if turn > s[_ROAD] else s[_ROAD]) * 2 - wheel - other  # a motor swings through zero
        if not alive or 0 - apart < wheel - other < apart:
            wheel = (wheel + other) // 2
        elif (nearer > 0 and wheel < other) or (nearer < 0 and wheel > other):
            wheel = other  # the one that the motor bears out
        if not alive:
            turn = wheel if valid else s[axle + _TURN]
        elif valid:
            if turn < wheel - apart:
                turn = wheel - apart
            elif turn > wheel + apart:
                turn = wheel + apart
            turn = (turn * part + wheel * (8 - part)) // 8
        s[axle + _TURN] = turn if turn > 0 else 0
        s[axle + _WHEEL_TURN] = wheel if valid else 0
        axle += 1
