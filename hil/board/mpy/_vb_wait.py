# How board time goes on: waiting, busy polling, idle().
import micropython
from micropython import const
import _vb_interrupts as interrupts
from _vb_interrupts import drain, hardware, next_event
from _vb_wire import I, OP_WAIT, T, exchange

# As in _vb_wire
_NOW = const(0)
_HORIZON = const(1)
_BUSY = const(2)
_CHARGE = const(3)
_TIMER = const(5)
_RETURNED = const(8)
_ISR = const(3)
_IRQ_OFF = const(4)
_QUEUED = const(5)
_RX_COST = const(7)
_SENT = const(9)
_SCHED_LOCK = const(10)
_KBD = const(11)
_TIMER_ISR = const(13)


def replay(limit):
    # Events and timers up to `limit` (within the horizon), in the order of their times.
    while True:
        timer = T[_TIMER]
        if timer > limit or I[_TIMER_ISR] or I[_IRQ_OFF] or I[_ISR]:
            hardware(limit)
            break
        hardware(timer)
        if T[_TIMER] <= limit:
            interrupts.fire_timers(limit)
        if I[_QUEUED]:
            drain()
    if T[_NOW] < limit:
        T[_NOW] = limit
    if I[_QUEUED] and not I[_ISR]:
        drain()


def wait_until(target):
    # Let board time run to `target`, with interrupts, timers and soft callbacks on the way.
    while True:
        horizon = T[_HORIZON]
        if horizon >= target:
            replay(target)
            break
        replay(horizon)
        if next_event() > T[_HORIZON]:
            wake = T[_TIMER]
            if wake > target:
                wake = target
            exchange(OP_WAIT, wake)
    if I[_KBD]:
        _interrupt()


def awake():
    # What follows a sleep is computed too: it costs as much as an interrupt, and its outputs take effect after that.
    if not I[_ISR]:
        busy = T[_BUSY]
        now = T[_NOW]
        if busy < now:
            busy = now
        T[_CHARGE] = busy + I[_RX_COST]


def _interrupt():
    I[_KBD] = 0
    if not I[_ISR] and not I[_SCHED_LOCK]:
        raise KeyboardInterrupt


def sync():
    # Bring in what happened up to the present (busy polling).
    now = T[_NOW]
    if now > T[_HORIZON]:
        wait_until(now)


@micropython.viper
def poll() -> int:
    # One look at the clock or at the hardware: it takes 2 us, and now and then the bench is asked.
    t = ptr32(T)
    now = ((t[1] << 32) | t[0]) + 2
    t[0] = now
    t[1] = now >> 32
    if now > ((t[13] << 32) | t[12]):
        sync()
        now = (t[1] << 32) | t[0]
    return now


# idle(): on the board it ends with the next interrupt, at the latest with the SysTick within 1 ms. Returning to a main
# loop that does nothing visible is not worth a thousand round trips a second, so the board learns what the loop does
# after a SysTick: nothing at all (skip them), look at the clock (replay them up to the next timer), or act (ask the
# bench for each).
_LEARN = const(20)
_PROBE = const(64)
_GAP_US = const(20_000)
_untouched = 0
_silent = 0
_skipped = 0
_by_systick = False
_sent_then = 0


def idle():
    global _untouched, _silent, _by_systick, _sent_then, _skipped
    now = T[_NOW]
    if _by_systick:
        _untouched = _untouched + 1 if now == T[_RETURNED] else 0
        _silent = _silent + 1 if I[_SENT] == _sent_then else 0
    timer = T[_TIMER]
    wake = target = now // 1000 * 1000 + 1000
    near = timer - now <= _GAP_US
    if near and _untouched >= _LEARN and _skipped < _PROBE:
        wake = target = timer
        _skipped += 1
        _by_systick = False
    else:
        _skipped = 0
        _by_systick = True
        if near and _silent >= _LEARN:
            wake = timer
        if timer <= target:
            target = timer
            _by_systick = False
    if target > T[_HORIZON] and next_event() > T[_HORIZON]:
        exchange(OP_WAIT, wake)
    limit = T[_HORIZON]
    if limit > target:
        limit = target
    if _by_systick:
        event = next_event()
        if event <= limit:
            limit = event
            _by_systick = False
    replay(limit)
    now = T[_NOW]
    if _by_systick:
        busy = T[_BUSY]
        if busy < now:
            busy = now
        T[_CHARGE] = busy + I[_RX_COST]
    T[_RETURNED] = now
    _sent_then = I[_SENT]
    if I[_KBD]:
        _interrupt()


def wait_interrupt():
    # WFI inside a driver: ends with the next interrupt, the SysTick at the latest. In a hard handler only the SysTick
    # has the priority to end it; frames that come meanwhile go into the FIFOs.
    now = T[_NOW]
    target = now // 1000 * 1000 + 1000
    if T[_HORIZON] < target:
        hardware(T[_HORIZON])
        exchange(OP_WAIT, target)
    limit = T[_HORIZON]
    if limit > target:
        limit = target
    if I[_ISR]:
        while True:
            hardware(limit)
            if limit == target:
                break
            exchange(OP_WAIT, target)
            limit = min(T[_HORIZON], target)
        if T[_NOW] < target:
            T[_NOW] = target
        if T[_BUSY] < target:
            T[_BUSY] = target
    else:
        event = next_event()
        replay(event if event < limit else limit)


def pause(duration_us):
    # Busy waiting in a driver: board time goes on, interrupts are served.
    target = T[_NOW] + duration_us
    wait_until(target)
    if T[_NOW] < target:
        T[_NOW] = target


def sync_outputs():
    # Settings of the hardware are in force when the call that made them returns.
    now = T[_NOW]
    if not I[_ISR]:
        wait_until(now if now > T[_HORIZON] else T[_HORIZON] + 1)
