"""Bench time in step with the wall clock, and what comes from outside in between, all in one thread.

A turn lets the bench's time run up to the wall clock's and then waits for the next event of the bench or the next byte
from outside, whichever comes first. What comes from outside happens at the bench time at which it arrived.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from selectors import BaseSelector, SelectSelector

from hil.kernel import Kernel
from hil.live.lateness import Lateness
from hil.live.pacer import Pacer

_SLICE_NS = 5_000_000
"""A bench that is late looks outside in between."""
_WAIT_MAX_S = 0.05
_SLIP_S = 0.1
_SLIP_ON_REAL_BUS_S = 0.02
"""How far a bench that is late makes up for it. Its frames come in a burst then, and a real unit has room for those of
a few milliseconds only, where a virtual one and the programs that look on take any number.
"""


class Loop:
    """`turn` again and again.

    `selector`: register a file object with a function of the event mask as its data; it is called when the object is
    ready. `pacer`: how bench time follows the wall clock. `recent`: how late the events of the bench were done.
    `on_real_bus`: the bench plays units on a bus with real ones.
    """

    def __init__(self, kernel: Kernel, speed: float = 1.0, on_real_bus: bool = False) -> None:
        self.kernel = kernel
        self.selector: BaseSelector = SelectSelector()  # epoll waits in whole milliseconds
        self.pacer = Pacer(_SLIP_ON_REAL_BUS_S if on_real_bus else _SLIP_S, speed)
        self.recent = Lateness()

    def turn(self, end_ns: int | None = None, flush: Callable[[], None] | None = None) -> None:
        """Catch up with the wall clock, at most to a bench time; call `flush`; wait; take what has come."""
        kernel, pacer = self.kernel, self.pacer
        first_ns = kernel.next_ns()
        lost_before_s = pacer.lost_s
        due_ns = self._catch_up(end_ns)
        if flush is not None:
            flush()
        if first_ns is not None and first_ns <= kernel.now_ns:
            late_ns = pacer.due_ns(kernel.now_ns) - first_ns
            self.recent.add((late_ns * 1e-6 + (pacer.lost_s - lost_before_s) * 1e3) / pacer.speed)
        wait_s = 0.0
        if kernel.now_ns >= due_ns:
            next_ns = kernel.next_ns()
            ahead_s = _WAIT_MAX_S if next_ns is None else (next_ns - due_ns) * 1e-9 / pacer.speed
            wait_s = min(max(ahead_s, 0.0), _WAIT_MAX_S)
        if not self.selector.get_map():  # nothing to wait for; Windows cannot select on that
            time.sleep(wait_s)
        elif ready := self.selector.select(wait_s):
            self._catch_up(end_ns)
            for key, mask in ready:
                key.data(mask)

    def _catch_up(self, end_ns: int | None) -> int:
        """Let bench time run to the wall clock's, by one slice at most; returns the wall clock's."""
        kernel = self.kernel
        due_ns = self.pacer.due_ns(kernel.now_ns)
        target_ns = min(due_ns, kernel.now_ns + _SLICE_NS)
        if end_ns is not None:
            target_ns = min(target_ns, end_ns)
        if target_ns > kernel.now_ns:
            kernel.run_until(target_ns)
        return due_ns

    def close(self) -> None:
        self.selector.close()
