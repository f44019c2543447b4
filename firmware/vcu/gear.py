"""Which way torque may push: the selected direction, once the car does not roll fast against it (TQ-05)."""

import micropython
from micropython import const

_GEAR = const(0)  # dbc: PedalsDriver.Gear
_P = const(0)  # dbc: PedalsDriver.Gear.P
_R = const(1)  # dbc: PedalsDriver.Gear.R
_D = const(3)  # dbc: PedalsDriver.Gear.D

_CHANGE_BELOW = const(12)  # cal: gear.change_below_ckmh [ckmh]

_SPEED = const(29)  # sig: speed_ckmh
_DIRECTION = const(40)  # sig: direction
_WANTED = const(41)  # sig: gear_wanted
_PARK = const(42)  # sig: park


@micropython.viper
def step(s: ptr32, rx: ptr32, cal: ptr32):
    """Once a tick. N, P, an unknown gear, or a gear against the motion: no direction, so no torque."""
    gear = rx[_GEAR]
    wanted = 1 if gear == _D else -1 if gear == _R else 0
    direction = (s[_DIRECTION] & 0xFFFF ^ 0x8000) - 0x8000
    if wanted != direction:
        speed = (s[_SPEED] & 0xFFFF ^ 0x8000) - 0x8000
        direction = wanted if speed * wanted > 0 - cal[_CHANGE_BELOW] else 0
    s[_DIRECTION] = direction
    s[_WANTED] = wanted
    s[_PARK] = 1 if gear == _P else 0
