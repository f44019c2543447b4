"""From pedal to torque: what the driver asks for, before any limit (TQ-02 to TQ-05).

The demand lies on a straight line between lift-off and all that the motors have: the map says how far up, in 1/10000,
for pedal travel against speed. So it rises with the pedal everywhere, and full travel asks for all there is.
"""

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
_LIFT_ONE_PEDAL = const(212)  # cal: lift_off.one_pedal_dnm [dnm]
_FADE_SPEED = const(213)  # cal: lift_off.fade_speed_ckmh [ckmh]
_FADES = const(6)  # cal: lift_off.fade_speed_ckmh.length
_FADE = const(219)  # cal: lift_off.fade_dnm [dnm]
_CREEP = const(225)  # cal: creep.torque_dnm [dnm]
_CREEP_FADE = const(226)  # cal: creep.fade_from_ckmh [ckmh]
_CREEP_END = const(227)  # cal: creep.end_ckmh [ckmh]
_TOP = const(230)  # cal: speed_limit.forward_ckmh [ckmh]
_TOP_BACK = const(231)  # cal: speed_limit.reverse_ckmh [ckmh]
_TOP_FADE = const(232)  # cal: speed_limit.fade_ckmh [ckmh]
_REVERSE = const(13)  # cal: gear.reverse_share_e4 [e4]

_FULL = const(10_000)


class Demand:
    """`torque_dnm`: sum of both motors, positive forward. `speed_limited`: the speed limit takes torque away."""

    def __init__(self, rx, cal):
        self._rx = rx
        self._cal = cal
        self.torque_dnm = 0
        self.speed_limited = False

    def step(self, travel_e4, brake, direction, speed_ckmh, available_dnm):
        """Once a tick. `available_dnm`: what the motors can give for driving, sum."""
        self.speed_limited = False
        if not direction:
            self.torque_dnm = 0
            return
        rx = self._rx
        cal = self._cal
        along = speed_ckmh * direction
        mode = rx[_MODE]
        one_pedal = rx[_ONE_PEDAL]

        # TQ-05: reverse. TQ-07: fades out in front of the limit, so the car comes to it from below
        if direction < 0:
            available_dnm = available_dnm * cal[_REVERSE] // _FULL
            room = cal[_TOP_BACK] - along
        else:
            room = cal[_TOP] - along
        fade = cal[_TOP_FADE]
        if room < fade:
            available_dnm = available_dnm * room // fade if room > 0 else 0
            self.speed_limited = True

        # TQ-03: lift-off, as a magnitude
        lift = curve(cal, _FADE_SPEED, _FADE, _FADES, along) if along > 0 else 0
        if lift:
            most = cal[_LIFT_ONE_PEDAL] if one_pedal else cal[_LIFTS + mode]
            if rx[_ABS]:
                lift = 0
            elif most < lift:
                lift = most

        # TQ-02
        share = surface(
            cal, _TRAVEL, _TRAVELS, _SPEED, _SPEEDS, _MAPS + mode * _MAP_SIZE, travel_e4, along if along > 0 else 0
        )
        torque = share * (available_dnm + lift) // _FULL - lift

        # TQ-04: creep
        if not brake and not one_pedal:
            room = cal[_CREEP_END] - along
            if room > 0:
                fade = cal[_CREEP_END] - cal[_CREEP_FADE]
                creep = cal[_CREEP] * room // fade if room < fade else cal[_CREEP]
                if creep > available_dnm:
                    creep = available_dnm
                if torque < creep:
                    torque = creep
        self.torque_dnm = torque if direction > 0 else -torque
