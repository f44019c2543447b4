"""Slip control (SP-06): it may lower an axle's torque, never raise it."""

from micropython import const

_FRONT_GRIP = const(91)  # sig: front_grip_dnm
_REAR_GRIP = const(92)  # sig: rear_grip_dnm
_FREE = const(10_000)  # more than any motor gives


def step(s):
    """Once a tick, after the slew."""
    s[_FRONT_GRIP] = s[_REAR_GRIP] = _FREE
