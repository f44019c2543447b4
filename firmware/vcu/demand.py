"""From pedal to torque: what the driver asks for, before any limit (TQ-02 to TQ-05).

The demand lies on a straight line between lift-off and all that the motors have: the map says how far up, in 1/10000,
for pedal travel against speed. So it rises with the pedal everywhere, and full travel asks for all there is.
"""

import micropython
from micropython import const

from vcu.interp import curve, surface

_ONE_PEDAL = const(6)  # dbc: PedalsDriver.OnePedal
_MODE = const(7)  # dbc: PedalsDriver.DriveMode
_ABS = const(13)  # dbc: EscMotion.AbsActive

_TRAVEL = const(14)  # cal: map.travel_e4 [e4]
_TRAVELS = const(9)  # cal: map.travel_e4.length
_SPEED = const(23)  # cal: map.speed_ckmh [ckmh]
_SPEEDS = const(5)  # cal: map.speed_ckmh.length
_MAPS = const(28)  # cal: map.normal_e4 [e4] Eco, Sport and Snow follow
_MAP_SIZE = const(45)  # cal: map.normal_e4.length
_LIFTS = const(208)  # cal: lift_off.normal_dnm [dnm] Eco, Sport and Snow follow
_LIFT_SPORT = const(210)  # cal: lift_off.sport_dnm [dnm]
_LIFT_ONE_PEDAL = const(212)  # cal: lift_off.one_pedal_dnm [dnm]
_FADE_SPEED = const(213)  # cal: lift_off.fade_speed_ckmh [ckmh]
_FADES = const(6)  # cal: lift_off.fade_speed_ckmh.length
_FADE = const(219)  # cal: lift_off.fade_dnm [dnm]
_CREEP = const(225)  # cal: creep.torque_dnm [dnm]
_CREEP_FADE = const(226)  # cal: creep.fade_from_ckmh [ckmh]
_CREEP_END = const(227)  # cal: creep.end_ckmh [ckmh]
_TOP = const(230)  # cal: speed_limit.forward_ckmh [ckmh]
_TOP_BACK = const(231)  # cal: speed_limit.reverse_ckmh [ckmh]
_TOP_ABOVE = const(232)  # cal: speed_limit.above_ckmh [ckmh]
_TOP_FADE = const(233)  # cal: speed_limit.fade_ckmh [ckmh]
_REVERSE = const(13)  # cal: gear.reverse_share_e4 [e4]

_TRAVEL_E4 = const(32)  # sig: travel_e4
_BRAKE = const(34)  # sig: brake
_DIRECTION = const(40)  # sig: direction
_SPEED_CKMH = const(29)  # sig: speed_ckmh
_FRONT_DRIVE = const(15)  # sig: front_drive_dnm
_REAR_DRIVE = const(25)  # sig: rear_drive_dnm
_DEMAND = const(69)  # sig: demand_dnm
_SPEED_LIMITED = const(70)  # sig: speed_limited

_FULL = const(10_000)
_BLEND = const(200)  # 2 km/h


@micropython.viper
def step(s: ptr32, rx: ptr32, calibration):
    """Once a tick."""
    cal = ptr32(calibration)
    direction = (s[_DIRECTION] & 0xFFFF ^ 0x8000) - 0x8000
    s[_SPEED_LIMITED] = 0
    if not direction:
        s[_DEMAND] = 0
        return
    along = ((s[_SPEED_CKMH] & 0xFFFF ^ 0x8000) - 0x8000) * direction
    available = s[_FRONT_DRIVE] + s[_REAR_DRIVE]

    # TQ-05
    top = cal[_TOP] + cal[_TOP_ABOVE]
    if direction < 0:
        available = available * cal[_REVERSE] // _FULL
        top = cal[_TOP_BACK]

    # TQ-03: lift-off, as a magnitude
    lift = 0
    if along > 0 and not rx[_ABS]:
        lift = int(curve(calibration, _FADE_SPEED, _FADE, _FADES, along))
        # Backwards the drive is a fifth: with 0.30 g against it, two thirds of the pedal's travel would brake
        most = cal[_LIFT_ONE_PEDAL] if rx[_ONE_PEDAL] and direction > 0 else cal[_LIFTS + rx[_MODE]]
        if most < lift:
            lift = most

    # TQ-02
    map_at = _MAPS + rx[_MODE] * _MAP_SIZE
    speed = along if along > 0 else 0
    share = int(surface(calibration, _TRAVEL, _TRAVELS, _SPEED, _SPEEDS, map_at, s[_TRAVEL_E4], speed))
    torque = share * (available + lift) // _FULL - lift

    # TQ-04: creep
    room = cal[_CREEP_END] - along
    if not s[_BRAKE] and not rx[_ONE_PEDAL]:
        fade = cal[_CREEP_END] - cal[_CREEP_FADE]
        creep = cal[_CREEP]
        if room <= 0:
            creep = lift * room // _BLEND  # lift-off gives way to it without a step (TQ-02)
        elif room < fade:
            creep = creep * room // fade
        if creep > available:
            creep = available
        if torque < creep:
            torque = creep

    # TQ-07: the torque falls along a line that is zero a little above the top speed (the drag of the road holds the car
    # under it), and brakes beyond as Sport's lift-off does, whatever the mode: that holds the car downhill
    room = top - along
    fade = cal[_TOP_FADE]
    if room < fade:
        most = (available + lift) * room // fade
        if most < 0 - cal[_LIFT_SPORT]:
            most = 0 - cal[_LIFT_SPORT]
        if torque > most:
            torque = most
            s[_SPEED_LIMITED] = 1
    s[_DEMAND] = torque if direction > 0 else 0 - torque
