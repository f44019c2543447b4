"""Real-time figures of the tick, and what else VcuTiming tells (RT-01)."""

from array import array

import micropython
from micropython import const

_TICK_TIME = const(20)  # dbc: VcuTiming.TickTimeMax [1 us]
_JITTER = const(21)  # dbc: VcuTiming.TickJitterMax [1 us]
_HEAP = const(22)  # dbc: VcuTiming.HeapFree [64 B]
_OVERRUNS = const(23)  # dbc: VcuTiming.RxOverruns
_BUS_OFFS = const(24)  # dbc: VcuTiming.BusOffCount
_CAUSE = const(25)  # dbc: VcuTiming.ResetCause

_OVERRUNS_SIG = const(8)  # sig: overruns
_BUS_OFFS_SIG = const(111)  # sig: bus_offs

_PERIOD_US = const(10_000)
_TICKS = const(0x3FFF_FFFF)  # ticks_us() wraps at 2**30
_MOST = const(65_535)
# In `figures`
_BEGAN = const(0)
_RUNS = const(1)
_TICK_MAX = const(2)
_JITTER_MAX = const(3)
_HEAP_FREE = const(4)  # in 64 bytes
_RESET_CAUSE = const(5)
HEAP_FREE = _HEAP_FREE
RESET_CAUSE = _RESET_CAUSE

figures = array("i", bytes(4 * 6))


@micropython.viper
def note(t: ptr32, began: int, ended: int):
    """A tick has run between these readings of ticks_us()."""
    took = (ended - began) & _TICKS
    if took > t[_TICK_MAX]:
        t[_TICK_MAX] = took if took < _MOST else _MOST
    jitter = ((began - t[_BEGAN]) & _TICKS) - _PERIOD_US
    t[_BEGAN] = began & _TICKS
    if jitter < 0:
        jitter = 0 - jitter
    if not t[_RUNS]:
        t[_RUNS] = 1
    elif jitter > t[_JITTER_MAX]:
        t[_JITTER_MAX] = jitter if jitter < _MOST else _MOST


@micropython.viper
def fill_timing(s: ptr32, tx: ptr32, t: ptr32):
    """VcuTiming, with the longest tick and the largest jitter since it was last filled."""
    tx[_TICK_TIME] = t[_TICK_MAX]
    tx[_JITTER] = t[_JITTER_MAX]
    t[_TICK_MAX] = 0
    t[_JITTER_MAX] = 0
    tx[_HEAP] = t[_HEAP_FREE]
    tx[_OVERRUNS] = s[_OVERRUNS_SIG]
    tx[_BUS_OFFS] = s[_BUS_OFFS_SIG]
    tx[_CAUSE] = t[_RESET_CAUSE]
