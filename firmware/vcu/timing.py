"""Real-time figures of the tick, for VcuTiming (RT-01)."""

from array import array
from time import ticks_us

import micropython
from micropython import const

_PERIOD_US = const(10_000)
_TICKS = const(0x3FFF_FFFF)  # ticks_us() wraps at 2**30
_MOST = const(65_535)
_BEGAN = const(0)
_TICK_MAX = const(1)
_JITTER_MAX = const(2)
_RUNS = const(3)

times = array("i", (0, 0, 0, 0))


@micropython.viper
def begin():
    """A tick begins."""
    t = ptr32(times)
    now = int(ticks_us()) & _TICKS
    jitter = ((now - t[_BEGAN]) & _TICKS) - _PERIOD_US
    t[_BEGAN] = now
    if jitter < 0:
        jitter = 0 - jitter
    if not t[_RUNS]:
        t[_RUNS] = 1
    elif jitter > t[_JITTER_MAX]:
        t[_JITTER_MAX] = jitter if jitter < _MOST else _MOST


@micropython.viper
def end():
    """A tick ends."""
    t = ptr32(times)
    took = (int(ticks_us()) - t[_BEGAN]) & _TICKS
    if took > t[_TICK_MAX]:
        t[_TICK_MAX] = took if took < _MOST else _MOST


class Figures:
    """What changes seldom: free heap in bytes, reset cause as in VcuTiming."""

    def __init__(self, reset_cause):
        self.heap_free = 0
        self.reset_cause = reset_cause


def worst(which):
    """Longest tick (0) or largest jitter (1) since this was last asked, us."""
    value = times[_TICK_MAX + which]
    times[_TICK_MAX + which] = 0
    return value
