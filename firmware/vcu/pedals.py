"""What the driver wants: accelerator travel from two sensors, brake, button, and what forbids to believe it."""

from micropython import const

_BUTTON = const(1)  # dbc: PedalsDriver.StartButton
_APPS1 = const(2)  # dbc: PedalsDriver.Apps1 [1 mV]
_APPS2 = const(3)  # dbc: PedalsDriver.Apps2 [1 mV]
_PRESSURE = const(4)  # dbc: PedalsDriver.BrakePressure [0.2 bar]
_SWITCH = const(5)  # dbc: PedalsDriver.BrakeSwitch

_MIN1 = const(0)  # cal: pedal.apps1_min_mv [mv]
_MAX1 = const(1)  # cal: pedal.apps1_max_mv [mv]
_MIN2 = const(2)  # cal: pedal.apps2_min_mv [mv]
_MAX2 = const(3)  # cal: pedal.apps2_max_mv [mv]
_OUT1 = const(4)  # cal: pedal.apps1_margin_mv [mv]
_OUT2 = const(5)  # cal: pedal.apps2_margin_mv [mv]
_APART = const(6)  # cal: pedal.apart_e4 [e4]
_FAULT_TICKS = const(7)  # cal: pedal.fault_ticks [ticks]
_RELEASED = const(8)  # cal: pedal.released_e4 [e4]
_BRAKING = const(9)  # cal: brake.pressed_dbar [dbar]
_OVERRIDE = const(10)  # cal: brake.override_e4 [e4]
_OVERRIDE_SPEED = const(11)  # cal: brake.override_ckmh [ckmh]

_FULL = const(10_000)


class Pedals:
    """`travel_e4`: 0..10000, the lower of both sensors, so that no single one can ask for more than the other.

    `fault`: SF-02, zero torque. `override`: SF-03, zero drive torque. `pressed_button`: in the one tick of its edge.
    """

    def __init__(self, rx, cal):
        self._rx = rx
        self._cal = cal
        self.travel_e4 = 0
        self.released = False
        self.brake = False
        self.fault = False
        self.override = False
        self.pressed_button = False
        self._button = 1  # a button that hangs since power-on is no edge
        self._bad = 0

    def step(self, speed_ckmh):
        """Once a tick; a missing message reads as a released pedal and an unknown gear."""
        rx = self._rx
        cal = self._cal

        # TQ-01: two transfer functions
        low = cal[_MIN1]
        high = cal[_MAX1]
        margin = cal[_OUT1]
        mv = rx[_APPS1]
        bad = mv < low - margin or mv > high + margin
        travel = (mv - low) * _FULL // (high - low)
        low = cal[_MIN2]
        high = cal[_MAX2]
        margin = cal[_OUT2]
        mv = rx[_APPS2]
        bad = bad or mv < low - margin or mv > high + margin
        other = (mv - low) * _FULL // (high - low)

        # SF-02: sensors apart or out of range for 100 ms
        apart = travel - other
        limit = cal[_APART]
        bad = bad or apart > limit or apart < -limit
        if other < travel:
            travel = other
        if travel < 0:
            travel = 0
        elif travel > _FULL:
            travel = _FULL
        released = travel < cal[_RELEASED]
        if bad:
            ticks = self._bad + 1
            if ticks >= cal[_FAULT_TICKS]:
                self.fault = True
            else:
                self._bad = ticks
        else:
            self._bad = 0
            if released:
                self.fault = False

        # SF-03: the brake wins
        self.brake = brake = rx[_SWITCH] != 0 or rx[_PRESSURE] * 2 >= cal[_BRAKING]
        if released:
            self.override = False
        elif brake and travel > cal[_OVERRIDE]:
            limit = cal[_OVERRIDE_SPEED]
            if speed_ckmh > limit or speed_ckmh < -limit:
                self.override = True
        self.travel_e4 = 0 if self.override else travel
        self.released = released

        button = rx[_BUTTON]
        self.pressed_button = button > self._button
        self._button = button
