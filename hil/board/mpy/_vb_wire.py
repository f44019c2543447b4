# The virtual board's lock-step wire to the bench: the shared state, the request with the outputs, the reply with the
# events.
#
# Board time stands still while code runs. It moves where the firmware waits or polls (_vb_wait.py): there the bench is
# asked to run up to the next wake-up and answers with all that happened until then, which is replayed in order
# (_vb_interrupts.py). Nothing on the paths that run in steady state allocates, in all of these modules: the firmware
# may hold the heap lock.
import os as _os
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

_reader = None
_writer = None


def connect(reader_fd, writer_fd):
    global _reader, _writer
    _reader = open(reader_fd, "rb")
    _writer = open(writer_fd, "wb")


@micropython.viper
def _put(kind: int, ident: int, data: ptr8):
    # Append one output; kind is kind | a << 8 | length << 16 | flags << 24. It takes effect at _CHARGE.
    x = ptr32(I)
    t = ptr32(T)
    n = x[_OUTPUTS]
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
    x[_OUTPUTS] = n + 1
    x[_SENT] = x[_SENT] + 1


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
    n = x[_OUTPUTS]
    q[0] = op
    q[1] = n
    q[2] = wake
    q[3] = wake >> 32
    q[4] = x[_SENT]
    x[_OUTPUTS] = 0
    return 24 + n * 24


@micropython.viper
def _open_reply(first: int):
    x = ptr32(I)
    q = ptr32(reply)
    x[_CURSOR] = 0
    x[_COUNT] = q[0]
    x[_MORE] = q[1]
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
        _gone()
    _open_reply(1)


def _gone():
    # The bench has gone: nothing that the firmware catches may keep this process.
    while True:
        _os.system("kill -9 $PPID")


def leave(op):
    # A reset, when the outputs made so far are out. There is no way back.
    time_us = T[_NOW] if T[_NOW] > T[_CHARGE] else T[_CHARGE]
    exchange(op, time_us)
    _gone()


def refill():
    _reader.readinto(reply)
    _open_reply(0)
