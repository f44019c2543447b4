"""Real-time figures of the tick, for VcuTiming (RT-01)."""

from time import ticks_diff, ticks_us

from micropython import const

_PERIOD_US = const(10_000)
_MOST = const(65_535)


class Timing:
    """Worst cases since they were last sent; heap and reset cause are set by `app`."""

    def __init__(self, reset_cause):
        self.tick_max_us = 0
        self.jitter_max_us = 0
        self.heap_free = 0
        self.reset_cause = reset_cause
        self._began = ticks_us()
        self._first = True

    def begin(self):
        """A tick begins."""
        now = ticks_us()
        jitter = ticks_diff(now, self._began) - _PERIOD_US
        self._began = now
        if self._first:
            self._first = False
            return
        if jitter < 0:
            jitter = -jitter
        if jitter > self.jitter_max_us:
            self.jitter_max_us = jitter if jitter < _MOST else _MOST

    def end(self):
        """A tick ends."""
        took = ticks_diff(ticks_us(), self._began)
        if took > self.tick_max_us:
            self.tick_max_us = took if took < _MOST else _MOST
