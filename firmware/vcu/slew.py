"""How fast torque may change (TQ-06), and what may cut it at once. Its result is what is commanded."""

from micropython import const

_FAST = const(235)  # cal: slew.fast_dnm_per_tick [tick]
_SLOW = const(236)  # cal: slew.slow_dnm_per_tick [tick]
_ZONE = const(237)  # cal: slew.slow_within_dnm [dnm]


def approach(now, target, fast, slow, zone):
    """One tick from `now` towards `target`: slowly within +-zone, where the gears change flanks."""
    if target > now:
        if now < -zone:
            limit = now + fast
            if limit > -zone:
                limit = -zone
        else:
            limit = now + (slow if now < zone else fast)
        return target if target < limit else limit
    if now > zone:
        limit = now - fast
        if limit < zone:
            limit = zone
    else:
        limit = now - (slow if now > -zone else fast)
    return target if target > limit else limit


def scale(value, part, whole):
    """value * part / whole, rounded towards zero."""
    if value < 0:
        return -(-value * part // whole)
    return value * part // whole


class Slew:
    """`front_dnm`, `rear_dnm`: the command."""

    def __init__(self, cal, front, rear):
        self._cal = cal
        self._front = front
        self._rear = rear
        self.front_dnm = 0
        self.rear_dnm = 0

    def step(self, front_dnm, rear_dnm, direction, most_drive, most_regen):
        """Once a tick. A unit that is not able gets zero at once (SF-01); the sum obeys both `most` at once."""
        cal = self._cal
        fast = cal[_FAST]
        slow = cal[_SLOW]
        zone = cal[_ZONE]
        front = self._front
        rear = self._rear
        front = approach(self.front_dnm, front_dnm, fast, slow, zone) if front.able and not front.lost else 0
        rear = approach(self.rear_dnm, rear_dnm, fast, slow, zone) if rear.able and not rear.lost else 0
        total = front + rear
        most = most_regen if (total < 0) == (direction > 0) else most_drive
        if total < 0:
            total = -total
        if total > most:
            front = scale(front, most, total)
            rear = scale(rear, most, total)
        self.front_dnm = front
        self.rear_dnm = rear
