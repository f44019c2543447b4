# The virtual board's `machine`: what the firmware finds on a Pyboard v1.1 with MicroPython 1.29.
from micropython import const
import _vb_bxcan
import _vb_interrupts
import _vb_wait
import _vb_pin
import _vb_wire as _wire
from _vb_can import CAN
from _vb_pin import ADC, Pin, Signal
from _vb_timer import WDT, Timer
from _vb_wait import idle

_IRQ_OFF = const(4)
_KBD = const(11)
_KBD_CHAR = const(12)

SOFT_RESET = 0
PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4

_cause = PWRON_RESET
_unique_id = b"\x31\x00\x2a\x00\x0b\x51\x35\x30\x37\x31\x39\x37"
_frequencies = (168_000_000, 168_000_000, 42_000_000, 84_000_000)


def _event(at):
    kind = _wire.reply[at]
    if kind <= _wire.EV_RESTARTED:
        _vb_bxcan.event(at)
    elif kind == _wire.EV_KBD:
        if _wire.I[_KBD_CHAR] == 3:
            _wire.I[_KBD] = 1
    else:
        _vb_pin.event(at)


_vb_interrupts.on_event(_event)


def reset_cause():
    return _cause


def unique_id():
    return _unique_id


def freq(*args):
    if args:
        raise NotImplementedError("the virtual board's clock is fixed")
    return _frequencies


def reset():
    _wire.leave(_wire.OP_RESET)


def soft_reset():
    raise SystemExit(0x100)


def disable_irq():
    before = not _wire.I[_IRQ_OFF]
    _wire.I[_IRQ_OFF] = 1
    return before


def enable_irq(state=True):
    _wire.I[_IRQ_OFF] = 0 if state else 1
    if state:
        _vb_bxcan.service()


def lightsleep(time_ms=None):
    # Stop mode: CAN controller and timers stand; on the virtual board they go on.
    if time_ms is None:
        idle()
    else:
        _vb_wait.wait_until(_wire.T[0] + time_ms * 1000)


sleep = lightsleep


class RTC:
    # Starts at 2015-01-01 after power on, as the board's without a battery.
    _offset = 0

    def datetime(self, value=None):
        import time

        if value is None:
            year, month, day, hour, minute, second, weekday, _ = time.localtime()
            return year, month, day, weekday + 1, hour, minute, second, 0
        year, month, day, _, hour, minute, second, _ = value
        time._set(time.mktime((year, month, day, hour, minute, second, 0, 0)))
        return None
