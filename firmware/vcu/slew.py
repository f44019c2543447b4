"""How fast torque may change (TQ-06), and what may cut it at once. Its result is what is commanded."""

import micropython
from micropython import const

_FAST = const(293)  # cal: slew.fast_dnm_per_tick [tick]
_SLOW = const(294)  # cal: slew.slow_dnm_per_tick [tick]
_ZONE = const(295)  # cal: slew.slow_within_dnm [dnm]

_DIRECTION = const(40)  # sig: direction
_ABLE = const(10)  # sig: front_able
_LOST = const(11)  # sig: front_lost
_REAR_ABLE = const(20)  # sig: rear_able
_TARGET = const(75)  # sig: split_front_dnm The rear one follows
_COMMAND = const(77)  # sig: front_dnm The rear one follows
_MOST_DRIVE = const(72)  # sig: most_drive_dnm
_MOST_REGEN = const(73)  # sig: most_regen_dnm


@micropython.viper
def step(s: ptr32, cal: ptr32):
    """Once a tick."""
    zone = cal[_ZONE]
    total = 0
    axle = 0
    while axle < 2:
        to = axle * (_REAR_ABLE - _ABLE)
        torque = 0  # SF-01: a unit that is not able gets zero at once
        if s[to + _ABLE] and not s[to + _LOST]:
            torque = (s[axle + _COMMAND] & 0xFFFF ^ 0x8000) - 0x8000
            target = (s[axle + _TARGET] & 0xFFFF ^ 0x8000) - 0x8000
            # Slowly within +-zone, where the gears change flanks; a fast step ends at its edge
            sign = 1
            if target < torque:
                sign = -1
                torque = 0 - torque
                target = 0 - target
            if torque < 0 - zone:
                torque += cal[_FAST]
                if torque > 0 - zone:
                    torque = 0 - zone
            elif torque < zone:
                torque += cal[_SLOW]
            else:
                torque += cal[_FAST]
            if torque > target:
                torque = target
            torque *= sign
        s[axle + _COMMAND] = torque
        total += torque
        axle += 1

    # The sum obeys both limits at once (TQ-08 and fault cuts)
    direction = (s[_DIRECTION] & 0xFFFF ^ 0x8000) - 0x8000
    most = s[_MOST_DRIVE]
    if (total < 0 and direction > 0) or (total > 0 and direction < 0):
        most = s[_MOST_REGEN]
    if total < 0:
        total = 0 - total
    if total > most:
        axle = 0
        while axle < 2:
            torque = (s[axle + _COMMAND] & 0xFFFF ^ 0x8000) - 0x8000
            if torque < 0:
                s[axle + _COMMAND] = 0 - (0 - torque) * most // total
            else:
                s[axle + _COMMAND] = torque * most // total
            axle += 1
