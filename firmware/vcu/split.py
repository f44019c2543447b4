"""Shares the torque out to the axles (SP)."""

from micropython import const

_SHARE_DRIVE = const(233)  # cal: split.rear_drive_permille [permille]
_SHARE_REGEN = const(234)  # cal: split.rear_regen_permille [permille]


class Split:
    """`front_dnm`, `rear_dnm`: signed as the sum, together at most the sum."""

    def __init__(self, cal, front, rear):
        self._cal = cal
        self._front = front
        self._rear = rear
        self.front_dnm = 0
        self.rear_dnm = 0

    def step(self, torque_dnm, direction):
        """Once a tick: fixed shares; what one axle cannot give goes to the other, up to that one's limit (SP-04)."""
        front = self._front
        rear = self._rear
        if torque_dnm * direction > 0:
            share = self._cal[_SHARE_DRIVE]
            most_front = front.drive_dnm
            most_rear = rear.drive_dnm
        else:
            share = self._cal[_SHARE_REGEN]
            most_front = front.regen_dnm
            most_rear = rear.regen_dnm
        total = torque_dnm if torque_dnm > 0 else -torque_dnm
        to_rear = total * share // 1000
        to_front = total - to_rear
        if to_front > most_front:
            to_rear += to_front - most_front
            to_front = most_front
        if to_rear > most_rear:
            to_front += to_rear - most_rear
            to_rear = most_rear
            if to_front > most_front:
                to_front = most_front
        self.front_dnm = to_front if torque_dnm > 0 else -to_front
        self.rear_dnm = to_rear if torque_dnm > 0 else -to_rear
