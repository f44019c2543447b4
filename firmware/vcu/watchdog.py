"""The watchdog (SF-08). Armed at import, so from boot.py on.

While the firmware is loaded, and while the workshop is at the REPL, a timer feeds it; `take_over` hands it to the tick,
`hand_back` to the timer. Torque is impossible meanwhile: nothing commands, and the enable lines are low.
"""

from boards.pybv11 import WATCHDOG_MS
from machine import WDT, Timer

_wdt = WDT(timeout=WATCHDOG_MS)
_timer = Timer(-1)


def _feed(_):
    _wdt.feed()


def hand_back():
    """Let the timer feed."""
    _timer.init(period=WATCHDOG_MS // 4, callback=_feed, hard=True)


def take_over():
    """End the timer's feeding; returns the function that feeds."""
    _timer.deinit()
    _wdt.feed()
    return _wdt.feed


hand_back()
