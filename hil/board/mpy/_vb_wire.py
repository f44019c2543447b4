# The virtual board's lock-step wire to the bench, its clock and its event loop (runs in the MicroPython child).
#
# Board time stands still while code runs. It moves in wait_until(), idle() and in busy polling; there the bench is
# asked to run up to the next wake-up and answers with all that happened until then ("events"), which is replayed here
# in order. Nothing on the paths that run in steady state allocates: the firmware may hold the heap lock.
import micropython
from array import array
from micropython import const

NEVER = const(0x7FFF_FFFF_FFFF)

# Board times in microseconds; "l" has 64 bits here and, unlike "q", gives small ints without allocating
_NOW = const(0)  # what ticks_us() shows
_HORIZON = const(1)  # the bench has run to here
_BUSY = const(2)  # the processor has work until here
_CHARGE = const(3)  # outputs of the running wake-up take effect here
_BASE = const(4)  # times of the events in the reply count from here (in bench nanoseconds)
_TIMER = const(5)  # next expiry of a soft timer
_SYNC = const(6)  # busy polling past this asks the bench
_RATE = const(7)  # board time per bench time, in 1e-9
_RETURNED = const(8)  # time at which idle() last returned
T = array("l", [0, 0, 0, 0, 0, NEVER, 0, 1_000_000_000, 0])

# Small numbers
_CURSOR = const(0)  # next event in the reply
_COUNT = const(1)  # events in the reply block
_MORE = const(2)  # further blocks follow
_ISR = const(3)  # depth: a hard handler runs
_IRQ_OFF = const(4)  # disable_irq() is in force
_QUEUED = const(5)  # soft callbacks waiting
_TICK_COST = const(6)
_RX_COST = const(7)
_OUTPUTS = const(8)  # in the request
_SENT = const(9)  # outputs ever (wraps)
_SCHED_LOCK = const(10)
_KBD = const(11)  # Ctrl-C waits to be raised
_KBD_CHAR = const(12)  # 3, or 0xFFFFFFFF after kbd_intr(-1)
_TIMER_ISR = const(13)
_MISSED = const(14)  # an interrupt came while a hard handler ran
I = array("I", [0] * 16)

_HEADER_WORDS = const(6)
_RECORD_WORDS = const(6)
_MAX_OUTPUTS = const(40)
_MAX_EVENTS = const(20)
_POLL_US = const(2)  # what a call of ticks_us() costs
_SLICE_US = const(100)  # busy polling sees the bench at least this often

OP_WAIT = const(0)
OP_MORE = const(1)
OP_RESET = const(2)
OP_SOFT_RESET = const(3)

OUT_SEND = const(1)
OUT_CANCEL = const(2)
OUT_RESTART = const(3)
OUT_CAN_INIT = const(4)
OUT_CAN_DEINIT = const(5)
OUT_FILTER = const(6)
OUT_CLEAR_FILTERS = const(7)
OUT_PIN = const(8)
OUT_PIN_MODE = const(9)
OUT_WDT_START = const(10)
OUT_WDT_FEED = const(11)
OUT_MAIN_ENDED = const(12)
OUT_CANCEL_ALL = const(13)
OUT_READY = const(14)

EV_RX = const(1)
EV_TX_DONE = const(2)
EV_STATE = const(3)
EV_RESTARTED = const(4)
EV_PIN = const(5)
EV_ADC = const(6)
EV_KBD = const(7)

request = bytearray(4 * (_HEADER_WORDS + _MAX_OUTPUTS * _RECORD_WORDS))
reply = bytearray(4 * (_HEADER_WORDS + _MAX_EVENTS * _RECORD_WORDS))

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
_reader = None
_writer = None
_other_event = None  # called with the event's number for everything but received frames
_fire_timers = None
_service = None

_queue_function = [None] * 8
_queue_argument = [None] * 8
_queue_head = 0


def connect(reader_fd, writer_fd):
    global _reader, _writer
    _reader = open(reader_fd, "rb")
    _writer = open(writer_fd, "wb")


def set_hooks(other_event, fire_timers, service=None):
    global _other_event, _fire_timers, _service
    if service:
        _service = service
    if other_event:
        _other_event = other_event
    if fire_timers:
        _fire_timers = fire_timers


def set_can(obj, handler):
    global can, can_handler
    can = obj
    can_handler = handler
    C[_HAS_HANDLER] = handler is not None


# ---------------------------------------------------------------- request and reply


@micropython.viper
def _put(kind: int, ident: int, data: ptr8):
    # Append one output; kind is kind | a << 8 | length << 16 | flags << 24. It takes effect at _CHARGE.
    x = ptr32(I)
    t = ptr32(T)
    n = x[8]
    q = ptr32(request)
    at = 6 + n * 6
    charge = (t[7] << 32) | t[6]
    now = (t[1] << 32) | t[0]
    if now < charge:
        t[0] = charge
        t[1] = charge >> 32
    else:
        charge = now
    q[at] = kind
    q[at + 1] = ident
    q[at + 2] = charge
    q[at + 3] = charge >> 32
    b = ptr8(request)
    to = (at + 4) * 4
    size = (kind >> 16) & 15
    i = 0
    while i < size:
        b[to + i] = data[i]
        i += 1
    x[8] = n + 1
    x[9] = x[9] + 1


_NOTHING = bytearray(8)
_number = array("l", [0])


def emit(kind, ident, data=_NOTHING):
    if I[_OUTPUTS] >= _MAX_OUTPUTS:
        flush()
    _put(kind, ident, data)


def emit_number(kind, ident, number):
    # An output with one 64-bit number as its data.
    _number[0] = number
    emit(kind | 8 << 16, ident, _number)


@micropython.viper
def _head(op: int, wake: int) -> int:
    # Fill the request's header, return the length of the request in bytes.
    x = ptr32(I)
    q = ptr32(request)
    n = x[8]
    q[0] = op
    q[1] = n
    q[2] = wake
    q[3] = wake >> 32
    q[4] = x[9]
    x[8] = 0
    return 24 + n * 24


@micropython.viper
def _open_reply(first: int):
    x = ptr32(I)
    q = ptr32(reply)
    x[0] = 0
    x[1] = q[0]
    x[2] = q[1]
    if first:
        t = ptr32(T)
        t[8] = q[2]
        t[9] = q[3]
        t[2] = q[4]
        t[3] = q[5]
        sync = ((q[5] << 32) | q[4]) + 100
        t[12] = sync
        t[13] = sync >> 32


def flush():
    _writer.write(request, _head(OP_MORE, 0))


def exchange(op, wake):
    # Give the bench this wake-up's outputs, have it run to `wake` at most, take what happened. Every event of the last
    # reply must have been handled.
    _writer.write(request, _head(op, wake))
    if not _reader.readinto(reply):
        raise SystemExit(9)  # the bench has gone
    _open_reply(1)


def _refill():
    _reader.readinto(reply)
    _open_reply(0)


# ---------------------------------------------------------------- events


@micropython.viper
def _next_event() -> int:
    x = ptr32(I)
    if x[0] == x[1]:
        return 0x7FFFFFFFFFFF
    t = ptr32(T)
    q = ptr32(reply)
    rate = (t[15] << 32) | t[14]
    return ((t[9] << 32) | t[8]) + (q[7 + x[0] * 6] * rate) // 1000000000000


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
    while x[0] < x[1]:
        e = 6 + x[0] * 6
        when = base + (q[e + 1] * rate) // 1000000000000
        if when > stop:
            return 0
        kind = q[e]
        if (kind & 0xFF) != 1:
            c = ptr32(C)
            if (kind & 0xFF) == 2 and not (c[0] & 1) and c[4] and c[18] and c[19] and x[3] == 0 and x[4] == 0:
                # A mailbox is through and nobody asked to be told: the driver's interrupt frees the slot.
                index = (kind >> 8) & 3
                c[9 + index] = 0
                c[6 + index] = 0xFFFFFFFF
                x[0] = x[0] + 1
                continue
            return 1
        x[0] = x[0] + 1
        now = (t[1] << 32) | t[0]
        if now < when:
            t[0] = when
            t[1] = when >> 32
        fifo = (kind >> 8) & 1
        f = fifo * 32
        n = fifos[f]
        if n == 3:
            slot = fifos[f + 1] + 2  # the newest is overwritten
            fifos[f + 3] = 1
        else:
            slot = fifos[f + 1] + n
            n += 1
            fifos[f] = n
            if n == 3:
                fifos[f + 2] = 1
        if slot > 2:
            slot -= 3
        s = f + 16 + slot * 4
        fifos[s] = q[e + 2]
        fifos[s + 1] = kind >> 16
        fifos[s + 2] = q[e + 4]
        fifos[s + 3] = q[e + 5]
        if x[3] | x[4]:
            x[14] = 1
        else:
            rx_interrupt(fifo)
            if x[14]:
                settle()
            if x[5]:
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
        pending = f[at] != 0 and f[at + 4] != 0
        if not pending and not (f[at + 2] & f[at + 5]) and not (f[at + 3] & f[at + 6]):
            return
        over = f[at + 3]
        if f[at + 2]:
            f[at + 5] = 0
            f[at + 2] = 0
            if not over:
                c[2] = c[2] | 1
        if over:
            f[at + 6] = 0
            f[at + 3] = 0
            c[2] = c[2] | 2
            c[3] = c[3] + 1
        if pending:
            f[at + 4] = 0
            if c[0] & 2:
                now = (t[1] << 32) | t[0]
                busy = (t[5] << 32) | t[4]
                if busy < now:
                    busy = now
                busy += x[7]
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
    if not c[5]:
        return
    if c[1]:
        x = ptr32(I)
        x[3] = x[3] + 1
        micropython.heap_lock()
        can_handler(can)
        micropython.heap_unlock()
        x[3] = x[3] - 1
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
                when = _next_event()
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
            _refill()
            continue
        return


# ---------------------------------------------------------------- scheduler


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


# ---------------------------------------------------------------- waiting


def replay(limit):
    # Events and timers up to `limit` (within the horizon), in the order of their times.
    while True:
        timer = T[_TIMER]
        if timer > limit or I[_TIMER_ISR] or I[_IRQ_OFF] or I[_ISR]:
            hardware(limit)
            break
        hardware(timer)
        if T[_TIMER] <= limit:
            _fire_timers(limit)
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
        if _next_event() > T[_HORIZON]:
            wake = T[_TIMER]
            if wake > target:
                wake = target
            exchange(OP_WAIT, wake)
    if I[_KBD]:
        _interrupt()


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
    if target > T[_HORIZON] and _next_event() > T[_HORIZON]:
        exchange(OP_WAIT, wake)
    limit = T[_HORIZON]
    if limit > target:
        limit = target
    if _by_systick:
        event = _next_event()
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
        event = _next_event()
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
