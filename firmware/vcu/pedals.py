"""What the driver wants: accelerator travel from two sensors, brake, button, and what forbids to believe it."""

import micropython
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
_MARGIN1 = const(4)  # cal: pedal.apps1_margin_mv [mv]
_MARGIN2 = const(5)  # cal: pedal.apps2_margin_mv [mv]
_APART = const(6)  # cal: pedal.apart_e4 [e4]
_FAULT_TICKS = const(7)  # cal: pedal.fault_ticks [ticks]
_RELEASED_E4 = const(8)  # cal: pedal.released_e4 [e4]
_PRESSED = const(9)  # cal: brake.pressed_dbar [dbar]
_OVERRIDE_E4 = const(10)  # cal: brake.override_e4 [e4]
_OVERRIDE_SPEED = const(11)  # cal: brake.override_ckmh [ckmh]

_SPEED = const(29)  # sig: speed_ckmh
_TRAVEL = const(32)  # sig: travel_e4
_RELEASED = const(33)  # sig: released
_BRAKE = const(34)  # sig: brake
_FAULT = const(35)  # sig: pedal_fault
_OVERRIDE = const(36)  # sig: override
_EDGE = const(37)  # sig: button_edge
_LAST_BUTTON = const(38)  # sig: button
_BAD = const(39)  # sig: pedal_bad

_FULL = const(10_000)


@micropython.viper
def step(s: ptr32, rx: ptr32, cal: ptr32):
    """Once a tick, after motion; a missing message reads as a released pedal and an unknown gear."""
    # TQ-01: two transfer functions
    bad = 0
    low = cal[_MIN1]
    high = cal[_MAX1]
    mv = rx[_APPS1]
    if mv < low - cal[_MARGIN1] or mv > high + cal[_MARGIN1]:
        bad = 1
    travel = (mv - low) * _FULL // (high - low)
    low = cal[_MIN2]
    high = cal[_MAX2]
    mv = rx[_APPS2]
    if mv < low - cal[_MARGIN2] or mv > high + cal[_MARGIN2]:
        bad = 1
    other = (mv - low) * _FULL // (high - low)

    # The lower one counts: no single sensor can ask for more than the other
    apart = travel - other
    if apart > 0:
        travel = other
    else:
        apart = 0 - apart
    if apart > cal[_APART]:
        bad = 1
    if travel < 0:
        travel = 0
    elif travel > _FULL:
        travel = _FULL
    released = 1 if travel < cal[_RELEASED_E4] else 0

    # SF-02: apart or out of range for 100 ms, until both agree and are released
    if bad:
        bad = s[_BAD] + 1
        if bad >= cal[_FAULT_TICKS]:
            s[_FAULT] = 1
            bad = cal[_FAULT_TICKS]
    elif released:
        s[_FAULT] = 0
    s[_BAD] = bad

    # SF-03: the brake wins
    brake = 1 if rx[_SWITCH] or rx[_PRESSURE] * 2 >= cal[_PRESSED] else 0
    if released:
        s[_OVERRIDE] = 0
    elif brake and travel > cal[_OVERRIDE_E4]:
        speed = (s[_SPEED] & 0xFFFF ^ 0x8000) - 0x8000
        limit = cal[_OVERRIDE_SPEED]
        if speed > limit or speed < 0 - limit:
            s[_OVERRIDE] = 1
    s[_TRAVEL] = 0 if s[_OVERRIDE] else travel
    s[_RELEASED] = released
    s[_BRAKE] = brake

    button = rx[_BUTTON]
    s[_EDGE] = 1 if button > s[_LAST_BUTTON] else 0
    s[_LAST_BUTTON] = button
