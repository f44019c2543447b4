# machine.Timer (soft timers on the SysTick) and machine.WDT of the virtual board.
import micropython
import _vb_interrupts as interrupts
import _vb_wait as wait
import _vb_wire as wire
from micropython import const
from _vb_wire import I, T

_NOW = const(0)
_BUSY = const(2)
_CHARGE = const(3)
_TIMER = const(5)
_SYNC = const(6)
_ISR = const(3)
_TICK_COST = const(6)
_TIMER_ISR = const(13)

_armed = []
_UNSET = object()


def _next():
    first = wire.NEVER
    for timer in _armed:
        if timer._expiry < first:
            first = timer._expiry
    T[_TIMER] = first if first == wire.NEVER else first * 1000


def _fire(limit):
    # The SysTick handler finds timers due, PendSV runs them in the order of their expiry.
    due_ms = limit // 1000
    while True:
        first = None
        for timer in _armed:
            if timer._expiry <= due_ms and (first is None or timer._expiry < first._expiry):
                first = timer
        if first is None:
            break
        at = first._expiry * 1000
        now = T[_NOW]
        if now < at:
            now = at
        busy = T[_BUSY]
        if busy < now:
            busy = now
        T[_NOW] = busy
        busy += I[_TICK_COST]
        T[_BUSY] = T[_CHARGE] = busy
        T[_SYNC] = busy + 100
        if first._mode:
            first._expiry += first._period
        else:
            _armed.remove(first)
        callback = first._callback
        if not first._hard:
            interrupts.queue(callback, first)
            continue
        I[_ISR] += 1
        I[_TIMER_ISR] = 1
        micropython.heap_lock()
        try:
            callback(first)
        except Exception as error:
            micropython.heap_unlock()
            I[_ISR] -= 1
            I[_TIMER_ISR] = 0
            if first in _armed:
                _armed.remove(first)
            interrupts.report("Uncaught exception in IRQ callback handler", error)
        else:
            micropython.heap_unlock()
            I[_ISR] -= 1
            I[_TIMER_ISR] = 0
        interrupts.settle()
    _next()


interrupts.on_timers(_fire)


class Timer:
    ONE_SHOT = 0
    PERIODIC = 1

    def __init__(self, id=-1, **kwargs):
        if id != -1:
            raise ValueError("Timer doesn't exist")
        self._period = 1000
        self._callback = None
        self._mode = 1
        self._hard = False
        if kwargs:
            self._start(**kwargs)

    def __repr__(self):
        return "Timer(mode=%s, period=%u)" % ("PERIODIC" if self._mode else "ONE_SHOT", self._period)

    def _start(self, *, mode=1, callback=_UNSET, period=None, tick_hz=1000, freq=None, hard=False):
        self._mode = mode
        period_ms = self._period
        if freq is not None:
            period_ms = int(1000.0 / freq)
        elif period is not None:
            period_ms = period * 1000 // tick_hz
        if period_ms < 1:
            period_ms = 1
        elif period_ms >= 0x4000_0000:
            raise ValueError("period too large")
        self._period = period_ms
        if callback is not _UNSET:
            self._callback = callback
        self._hard = bool(hard)
        if self._callback is not None:
            self._expiry = T[_NOW] // 1000 + period_ms
            _armed.append(self)
            _next()

    def init(self, **kwargs):
        self.deinit()
        self._start(**kwargs)

    def deinit(self):
        if self in _armed:
            _armed.remove(self)
            _next()


class WDT:
    def __init__(self, id=0, timeout=5000):
        if id != 0:
            raise ValueError("WDT(%d) doesn't exist" % id)
        ticks = timeout
        prescaler = 0
        while prescaler < 6 and ticks >= 512:
            ticks //= 2
            prescaler += 1
        ticks *= 8
        if ticks <= 0:
            raise ValueError("WDT timeout too short")
        if ticks > 0xFFF:
            raise ValueError("WDT timeout too long")
        # Counts of the independent watchdog's own oscillator, nominally 32 kHz.
        wire.emit_number(wire.OUT_WDT_START, 0, ticks << prescaler + 2)
        wait.sync_outputs()

    def feed(self):
        wire.emit(wire.OUT_WDT_FEED, 0)
