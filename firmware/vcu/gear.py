"""Which way torque may push: the selected direction, once the car does not roll fast against it (TQ-05)."""

from micropython import const

_GEAR = const(0)  # dbc: PedalsDriver.Gear
_P = const(0)  # dbc: PedalsDriver.Gear.P
_R = const(1)  # dbc: PedalsDriver.Gear.R
_D = const(3)  # dbc: PedalsDriver.Gear.D

_CHANGE = const(12)  # cal: gear.change_below_ckmh [ckmh]


class Gear:
    """`direction`: 1 forward, -1 back, 0 none. `wanted`: what the selector says."""

    def __init__(self, rx, cal):
        self._rx = rx
        self._cal = cal
        self.direction = 0
        self.wanted = 0
        self.park = False

    def step(self, speed_ckmh):
        """Once a tick. N, P, an unknown gear, or a gear against the motion: no direction, so no torque."""
        gear = self._rx[_GEAR]
        wanted = 1 if gear == _D else -1 if gear == _R else 0
        self.park = gear == _P
        self.wanted = wanted
        if wanted != self.direction:
            self.direction = wanted if speed_ckmh * wanted > -self._cal[_CHANGE] else 0
