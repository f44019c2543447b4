"""Shares the torque out to the axles (SP)."""

import micropython
from micropython import const

_SHARE_DRIVE = const(233)  # cal: split.rear_drive_permille [permille]
_SHARE_REGEN = const(234)  # cal: split.rear_regen_permille [permille]

_DIRECTION = const(40)  # sig: direction
_LIMITED = const(71)  # sig: limited_dnm
_FRONT_DRIVE = const(15)  # sig: front_drive_dnm
_FRONT_REGEN = const(16)  # sig: front_regen_dnm
_REAR_DRIVE = const(25)  # sig: rear_drive_dnm
_REAR_REGEN = const(26)  # sig: rear_regen_dnm
_FRONT = const(75)  # sig: split_front_dnm
_REAR = const(76)  # sig: split_rear_dnm


@micropython.viper
def step(s: ptr32, cal: ptr32):
    """Once a tick: fixed shares; what one axle cannot give goes to the other, up to that one's limit (SP-04)."""
    torque = (s[_LIMITED] & 0xFFFF ^ 0x8000) - 0x8000
    direction = (s[_DIRECTION] & 0xFFFF ^ 0x8000) - 0x8000
    if torque * direction > 0:
        share = cal[_SHARE_DRIVE]
        most_front = s[_FRONT_DRIVE]
        most_rear = s[_REAR_DRIVE]
    else:
        share = cal[_SHARE_REGEN]
        most_front = s[_FRONT_REGEN]
        most_rear = s[_REAR_REGEN]
    total = torque if torque > 0 else 0 - torque
    rear = total * share // 1000
    front = total - rear
    if front > most_front:
        rear += front - most_front
        front = most_front
    if rear > most_rear:
        front += rear - most_rear
        rear = most_rear
        if front > most_front:
            front = most_front
    s[_FRONT] = front if torque > 0 else 0 - front
    s[_REAR] = rear if torque > 0 else 0 - rear
