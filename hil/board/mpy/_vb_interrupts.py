# Interrupts and the scheduler of the virtual board: events of a reply go into the controller's registers in the order
# of their times, each runs the handler that the board would run, hard ones at once with the heap locked, soft ones
# from the queue.
from array import array

import micropython
from micropython import const
from _vb_wire import I, T, refill, reply

_TX_ID = const(6)
_PENDING = const(9)
_TX_NVIC = const(18)
_TMEIE = const(19)
_RX_COST = const(7)

# As in _vb_wire
_NOW = const(0)
_CURSOR = const(0)
_COUNT = const(1)
_MORE = const(2)
_ISR = const(3)
_IRQ_OFF = const(4)
_QUEUED = const(5)
_SCHED_LOCK = const(10)
_MISSED = const(14)

# Receive FIFOs of the controller: 16 words each (registers), then 3 frames of 4 words each (id, flags, data)
_FIFO = const(32)
_N = const(0)  # frames waiting
_HEAD = const(1)
_FULL = const(2)  # flag FF
_OVER = const(3)  # flag FOV
_FMPIE = const(4)  # interrupt enables
_FFIE = const(5)
_FOVIE = const(6)
_SLOTS = const(16)
F = array("I", [0] * 64)

# Controller: transmit side, errors, interrupt wiring
_TRIGGER = const(0)
_HARD = const(1)
_RX_ERRORS = const(2)
_OVERRUNS = const(3)
_OPEN = const(4)
_HAS_HANDLER = const(5)
C = array("I", [0] * 32)

can = None
can_handler = None
_other_event = None  # handles every event but a received frame; gets where it stands in the reply
_service = None  # takes the interrupts that stand
fire_timers = None  # runs the timers due up to a time

_queue_function = [None] * 8
_queue_argument = [None] * 8
_queue_head = 0


def on_event(action):
    global _other_event
    _other_event = action


def on_service(action):
    global _service
    _service = action


def on_timers(action):
    global fire_timers
    fire_timers = action


def set_can(obj, handler):
    global can, can_handler
    can = obj
    can_handler = handler
    C[_HAS_HANDLER] = handler is not None


@micropython.viper
def next_event() -> int:
    x = ptr32(I)
    if x[_CURSOR] == x[_COUNT]:
        return 0x7FFFFFFFFFFF
    t = ptr32(T)
    q = ptr32(reply)
    rate = (t[15] << 32) | t[14]
    return ((t[9] << 32) | t[8]) + (q[7 + x[_CURSOR] * 6] * rate) // 1000000000000


@micropython.viper
def _take_frames(stop: int) -> int:
    # Move received frames up to `stop` into the FIFOs and run the interrupt for each. Returns 0 when no event up to
    # `stop` is left, 1 when one of another kind comes next, 2 when soft callbacks wait.
    x = ptr32(I)
    q = ptr32(reply)
    t = ptr32(T)
    fifos = ptr32(F)
    base = (t[9] << 32) | t[8]
    rate = (t[15] << 32) | t[14]
    while x[_CURSOR] < x[_COUNT]:
        e = 6 + x[_CURSOR] * 6
        when = base + (q[e + 1] * rate) // 1000000000000
        if when > stop:
            return 0
        kind = q[e]
        if (kind & 0xFF) != 1:
            c = ptr32(C)
            if (
                (kind & 0xFF) == 2
                and not (c[_TRIGGER] & 1)
                and c[_OPEN]
                and c[_TX_NVIC]
                and c[_TMEIE]
                and x[_ISR] == 0
                and x[_IRQ_OFF] == 0
            ):
                # A mailbox is through and nobody asked to be told: the driver's interrupt frees the slot.
                index = (kind >> 8) & 3
                c[_PENDING + index] = 0
                c[_TX_ID + index] = 0xFFFFFFFF
                x[_CURSOR] = x[_CURSOR] + 1
                continue
            return 1
        x[_CURSOR] = x[_CURSOR] + 1
        now = (t[1] << 32) | t[0]
        if now < when:
            t[0] = when
            t[1] = when >> 32
        fifo = (kind >> 8) & 1
        f = fifo * 32
        n = fifos[f]
        if n == 3:
            slot = fifos[f + _HEAD] + 2  # the newest is overwritten
            fifos[f + _OVER] = 1
        else:
            slot = fifos[f + _HEAD] + n
            n += 1
            fifos[f] = n
            if n == 3:
                fifos[f + _FULL] = 1
        if slot > 2:
            slot -= 3
        s = f + 16 + slot * 4
        fifos[s] = q[e + 2]
        fifos[s + 1] = kind >> 16
        fifos[s + 2] = q[e + 4]
        fifos[s + 3] = q[e + 5]
        if x[_ISR] | x[_IRQ_OFF]:
            x[_MISSED] = 1
        else:
            rx_interrupt(fifo)
            if x[_MISSED]:
                settle()
            if x[_QUEUED]:
                return 2
    return 0


def settle():
    # Interrupts that came while a handler ran are taken when it has ended.
    while I[_MISSED] and not I[_ISR] and not I[_IRQ_OFF]:
        I[_MISSED] = 0
        _service()


@micropython.viper
def rx_interrupt(fifo: int):
    # The interrupt of a FIFO, as long as one of its enabled flags stands.
    f = ptr32(F)
    x = ptr32(I)
    c = ptr32(C)
    t = ptr32(T)
    at = fifo * 32
    while True:
        pending = f[at] != 0 and f[at + _FMPIE] != 0
        if not pending and not (f[at + _FULL] & f[at + _FFIE]) and not (f[at + _OVER] & f[at + _FOVIE]):
            return
        over = f[at + _OVER]
        if f[at + _FULL]:
            f[at + _FFIE] = 0
            f[at + _FULL] = 0
            if not over:
                c[_RX_ERRORS] = c[_RX_ERRORS] | 1
        if over:
            f[at + _FOVIE] = 0
            f[at + _OVER] = 0
            c[_RX_ERRORS] = c[_RX_ERRORS] | 2
            c[_OVERRUNS] = c[_OVERRUNS] + 1
        if pending:
            f[at + _FMPIE] = 0
            if c[_TRIGGER] & 2:
                now = (t[1] << 32) | t[0]
                busy = (t[5] << 32) | t[4]
                if busy < now:
                    busy = now
                busy += x[_RX_COST]
                t[4] = busy
                t[5] = busy >> 32
                t[6] = busy
                t[7] = busy >> 32
                busy += 100
                t[12] = busy
                t[13] = busy >> 32
                can_interrupt()


@micropython.viper
def can_interrupt():
    # Call or queue the handler that the firmware gave to CAN.irq().
    c = ptr32(C)
    if not c[_HAS_HANDLER]:
        return
    if c[_HARD]:
        x = ptr32(I)
        x[_ISR] = x[_ISR] + 1
        micropython.heap_lock()
        can_handler(can)
        micropython.heap_unlock()
        x[_ISR] = x[_ISR] - 1
    else:
        queue(can_handler, can)


def handler_failed(error):
    # An exception left a hard handler: as on the board it is reported and the handler is not called again.
    global can_handler
    if not I[_ISR]:
        raise error
    I[_ISR] -= 1
    micropython.heap_unlock()
    F[_FMPIE] = F[_FIFO + _FMPIE] = 0
    C[_TRIGGER] = 0
    C[_HAS_HANDLER] = 0
    can_handler = None
    report("Uncaught exception in IRQ callback handler", error)


def report(title, error):
    import sys

    print(title)
    sys.print_exception(error)


def hardware(stop):
    # Handle the events up to `stop` (within the horizon): interrupts included, unless they are off or one runs.
    while True:
        try:
            left = _take_frames(stop)
            while left == 1:
                at = 6 + I[_CURSOR] * 6
                when = next_event()
                if T[_NOW] < when:
                    T[_NOW] = when
                I[_CURSOR] += 1
                _other_event(at * 4)
                settle()
                if I[_QUEUED] and not I[_ISR]:
                    left = 2
                    break
                left = _take_frames(stop)
        except Exception as error:
            handler_failed(error)
            continue
        if left == 2:
            if I[_SCHED_LOCK] or I[_ISR]:
                continue
            drain()
            continue
        if I[_MORE] and I[_CURSOR] == I[_COUNT]:
            refill()
            continue
        return


def queue(function, argument):
    # mp_sched_schedule(): eight places, then the call is dropped.
    n = I[_QUEUED]
    if n == 8:
        return False
    at = (_queue_head + n) & 7
    _queue_function[at] = function
    _queue_argument[at] = argument
    I[_QUEUED] = n + 1
    return True


def drain():
    # Run waiting soft callbacks, one after the other; an exception in one is printed and goes no further.
    global _queue_head
    if I[_SCHED_LOCK]:
        return
    I[_SCHED_LOCK] = 1
    while I[_QUEUED]:
        at = _queue_head
        _queue_head = (at + 1) & 7
        I[_QUEUED] -= 1
        try:
            _queue_function[at](_queue_argument[at])
        except SystemExit:
            I[_SCHED_LOCK] = 0
            raise
        except Exception as error:
            import sys

            sys.print_exception(error)
    I[_SCHED_LOCK] = 0
