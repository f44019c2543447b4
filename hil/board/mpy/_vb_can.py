# machine.CAN of the virtual board: the driver of MicroPython 1.29 on bxCAN, register by register where it matters.
#
# The receive FIFOs, the flags of the transmit mailboxes and the driver's own list of pending ids live here; mailboxes,
# filters and error counters live in the bench, which knows the bus (hil/board/bxcan.py).
from array import array

import micropython
import _vb_wire as wire
from micropython import const
from _vb_wire import C, F, I, T, emit, reply

_F_CLOCK = const(42_000_000)  # PCLK1 of the Pyboard v1.1
_EINVAL = const(22)
_EMPTY = const(0xFFFF_FFFF)

# Registers in C; those up to 5 are known to _vb_wire
_TRIGGER = const(0)
_HARD = const(1)
_RX_ERRORS = const(2)
_OVERRUNS = const(3)
_OPEN = const(4)
_HAS_HANDLER = const(5)
_TX_ID = const(6)  # three: id in the driver's slot, or _EMPTY
_PENDING = const(9)  # three: the mailbox waits or sends (TME clear)
_RQCP = const(12)  # three: request completed
_TXOK = const(15)  # three: completed well
_TX_NVIC = const(18)  # the transmit interrupt is enabled
_TMEIE = const(19)
_STATE_PENDING = const(20)
_ERROR_PASSIVE = const(21)
_WARNINGS = const(22)
_PASSIVES = const(23)
_BUS_OFFS = const(24)
_STATE = const(25)
_TEC = const(26)
_REC = const(27)
_RESTARTED = const(28)
_STATE_IRQ = const(29)  # its interrupt waits for a handler to end

_FIFO = const(32)
_N = const(0)
_FULL = const(2)
_OVER = const(3)
_FMPIE = const(4)
_FFIE = const(5)
_FOVIE = const(6)

_STATE_ACTIVE = const(1)
_STATE_WARNING = const(2)
_STATE_PASSIVE = const(3)
_STATE_BUS_OFF = const(4)

_ISR = const(3)
_MISSED = const(14)
_HORIZON = const(1)
_NOW = const(0)

C[_TX_ID] = C[_TX_ID + 1] = C[_TX_ID + 2] = _EMPTY


# ---------------------------------------------------------------- transmit


# Objects as the 64-bit interpreter lays them out, in 32-bit words: type at 0; bytes, bytearray and memoryview have
# their length at 4 and a pointer to the items at 6, a memoryview its offset above the typecode in 2; a list has its
# length at 4, its items at 6. Reading them directly costs a tenth of the same by method calls.
_LIST = const(0)
_MEMORYVIEW = const(2)
_TYPES = array("l", [0] * 4)


@micropython.viper
def _learn_types(types: ptr32, samples):
    i = 0
    while i < 4:
        sample = ptr32(id(samples[i]))
        types[i * 2] = sample[0]
        types[i * 2 + 1] = sample[1]
        i += 1


_learn_types(_TYPES, ([], b"x", memoryview(b"x"), bytearray(1)))


@micropython.viper
def _send(can_id: int, data, flags: int) -> int:
    # The driver's search for a slot: every one is looked at, because a later one may hold the same id. Gives the
    # index, -1 for none, -2 when the caller has to look at the arguments again.
    c = ptr32(C)
    if not c[4] or int(id(data)) & 7:
        return -2
    types = ptr32(_TYPES)
    o = ptr32(id(data))
    kind = o[0]
    start = (o[7] << 32) | o[6]
    if kind == types[4]:
        code = o[2] & 0x7F
        if code != 1 and code != 0x42:  # a bytearray's items, or "B"
            return -2
        start += (o[3] << 24) | (o[2] >> 8)
    elif kind != types[6] and kind != types[2]:
        return -2
    size = o[4]
    if size > 8 or can_id < 0 or can_id > 0x1FFFFFFF:
        return -2
    if can_id > 0x7FF and not (flags & 2):
        return -2
    free = -1
    i = 0
    while i < 3:
        held = c[6 + i]
        if held == 0xFFFFFFFF:
            if free < 0:
                free = i
        elif held == can_id and not (flags & 16):
            return -1
        i += 1
    if free < 0:
        return -1
    x = ptr32(I)
    if x[8] >= 40:
        wire.flush()
    n = x[8]
    t = ptr32(T)
    charge = (t[7] << 32) | t[6]
    now = (t[1] << 32) | t[0]
    if now < charge:
        t[0] = charge
        t[1] = charge >> 32
    else:
        charge = now
    q = ptr32(wire.request)
    at = 6 + n * 6
    q[at] = 1 | free << 8 | size << 16 | (flags & 3) << 24
    q[at + 1] = can_id
    q[at + 2] = charge
    q[at + 3] = charge >> 32
    b = ptr8(wire.request)
    d = ptr8(start)
    to = at * 4 + 16
    i = 0
    while i < size:
        b[to + i] = d[i]
        i += 1
    x[8] = n + 1
    x[9] = x[9] + 1
    c[6 + free] = can_id
    c[9 + free] = 1
    c[12 + free] = 0
    c[15 + free] = 0
    c[19] = 1
    if c[12] | c[13] | c[14]:
        _tx_interrupt()
    return free


def _tx_done(index, ok):
    C[_PENDING + index] = 0
    C[_RQCP + index] = 1
    C[_TXOK + index] = ok
    _tx_interrupt()


def _completed():
    # can_get_transmit_finished() and clear_complete_transfer(): index << 1 | success, or -1. Enables the interrupt
    # again.
    found = -1
    i = 0
    while i < 3:
        if C[_RQCP + i]:
            found = i << 1 | C[_TXOK + i]
            C[_RQCP + i] = C[_TXOK + i] = 0
            C[_TX_ID + i] = _EMPTY
            break
        i += 1
    C[_TX_NVIC] = 1
    return found


def _tx_interrupt():
    while C[_TX_NVIC] and C[_TMEIE] and (C[_RQCP] or C[_RQCP + 1] or C[_RQCP + 2]):
        if I[_ISR] or I[4]:
            I[_MISSED] = 1
            return
        C[_TX_NVIC] = 0
        if C[_TRIGGER] & 1:
            _charge()
            wire.can_interrupt()
        else:
            _completed()


def _charge():
    # A handler that is not for received frames costs as much as one that is.
    busy = T[2]
    now = T[0]
    if busy < now:
        busy = now
    busy += I[7]
    T[2] = T[3] = busy
    T[6] = busy + 100


def _cancel_all():
    C[_TMEIE] = 0
    i = 0
    while i < 3:
        if C[_PENDING + i]:
            C[_PENDING + i] = 0
            C[_RQCP + i] = 1  # stays set: the next send finds it
            C[_TXOK + i] = 0
        C[_TX_ID + i] = _EMPTY
        i += 1


# ---------------------------------------------------------------- receive


_AGAIN = object()


@micropython.viper
def _recv(result):
    # recv(list): _AGAIN when the caller has to look at the argument again, None when there is no frame.
    c = ptr32(C)
    if not c[4] or int(id(result)) & 7:
        return _AGAIN
    types = ptr32(_TYPES)
    o = ptr32(id(result))
    if o[0] != types[0] or o[4] < 4:
        return _AGAIN
    items = ptr32((o[7] << 32) | o[6])
    if items[2] & 7:
        return _AGAIN
    view = ptr32((items[3] << 32) | items[2])
    if view[0] != types[4]:
        return _AGAIN
    f = ptr32(F)
    at = 0
    if not f[0]:
        # can_receive() with no time to wait waits for one interrupt all the same, in each empty FIFO.
        wire.wait_interrupt()
        at = 32
        if not f[32]:
            wire.wait_interrupt()
            return None
    head = f[at + 1]
    slot = at + 16 + head * 4
    flags = f[slot + 1]
    size = flags & 15
    data = ptr8((view[7] << 32) | view[6])  # the items of the memoryview itself: an offset of a slice is not looked at
    i = 0
    if flags & 256:
        while i < size:
            data[i] = 0
            i += 1
    else:
        word = f[slot + 2]
        while i < size:
            if i == 4:
                word = f[slot + 3]
            elif i == 8:
                word = 0x5A5A5A5A  # what stood on the driver's stack
            data[i] = word
            word = word >> 8
            i += 1
    view[4] = size
    view[5] = 0
    items[0] = f[slot] << 1 | 1
    items[1] = 0
    items[4] = (flags >> 8) << 1 | 1
    items[5] = 0
    items[6] = c[2] << 1 | 1
    items[7] = 0
    c[2] = 0
    head += 1
    f[at + 1] = 0 if head == 3 else head
    f[at] = f[at] - 1
    f[at + 4] = (c[0] >> 1) & 1
    f[at + 5] = 1
    f[at + 6] = 1
    if not ptr32(I)[3]:
        service()
    return result


def service():
    # Interrupts that stand are taken as soon as nothing masks them.
    if not I[_ISR] and not I[4]:
        wire.rx_interrupt(0)
        wire.rx_interrupt(1)
        _tx_interrupt()
        if C[_STATE_IRQ]:
            C[_STATE_IRQ] = 0
            _charge()
            wire.can_interrupt()


wire.set_hooks(None, None, service)


# ---------------------------------------------------------------- events from the bench


def _state_changed(state, tec, rec):
    before = C[_STATE]
    C[_STATE] = state
    C[_TEC] = tec
    C[_REC] = rec
    told = False
    if state == _STATE_BUS_OFF and before != state:
        C[_BUS_OFFS] += 1
        C[_ERROR_PASSIVE] = 0
        told = True
    elif state == _STATE_PASSIVE and before < state:
        C[_PASSIVES] += 1
        C[_ERROR_PASSIVE] = 1
        told = True
    elif state == _STATE_WARNING and before != state:
        if not C[_ERROR_PASSIVE]:
            C[_WARNINGS] += 1
            told = True
        C[_ERROR_PASSIVE] = 0
    elif state == _STATE_ACTIVE:
        C[_ERROR_PASSIVE] = 0
    if told and C[_TRIGGER] & 8:
        C[_STATE_PENDING] = 1
        if I[_ISR] or I[4]:
            C[_STATE_IRQ] = 1
            I[_MISSED] = 1
        else:
            _charge()
            wire.can_interrupt()


def event(at):
    kind = reply[at]
    if kind == wire.EV_TX_DONE:
        if C[_OPEN]:
            _tx_done(reply[at + 1], reply[at + 2])
    elif kind == wire.EV_STATE:
        _state_changed(reply[at + 1], reply[at + 2] | reply[at + 3] << 8, reply[at + 8])
    elif kind == wire.EV_RESTARTED:
        C[_RESTARTED] = 1


# ---------------------------------------------------------------- bit timing


def _calculate_brp(bitrate, tseg1, tseg2, sample_point):
    # As extmod/machine_can.c searches: least bit rate error, then sample point, then the shorter quantum.
    find = tseg1 == -1
    best = 1
    best_rate = bitrate
    best_sample = 10000
    for brp in range(1024, 0, -1):
        clock = _F_CLOCK // brp
        if find:
            total = (clock + bitrate // 2) // bitrate
            if total < 3 or total > 25:
                continue
            rate = abs(bitrate - clock // total)
            if rate > best_rate:
                continue
            for ts1 in range(1, 17):
                ts2 = total - 1 - ts1
                if 1 <= ts2 <= 8:
                    sample = abs(10000 * (1 + ts1) // total - sample_point * 100)
                    if rate < best_rate or sample <= best_sample:
                        tseg1 = ts1
                        tseg2 = ts2
                        best_sample = sample
                        best = brp
                        best_rate = rate
        else:
            rate = abs(bitrate - clock // (tseg1 + tseg2 + 1))
            if rate <= best_rate:
                best = brp
                best_rate = rate
    if best_rate == bitrate:
        raise ValueError("unable to calculate BRP for baudrate")
    return best, tseg1, tseg2


_ANY = object()
_the_can = None
_MODES = ("MODE_NORMAL", "MODE_SLEEP", "MODE_LOOPBACK", "MODE_SILENT", "MODE_SILENT_LOOPBACK")


def _check_id(can_id, flags):
    if not 0 <= can_id < (1 << 29 if flags & 2 else 1 << 11):
        raise ValueError("invalid id")


def _as_bytes(data):
    try:
        return bytes(memoryview(data))
    except TypeError:
        if isinstance(data, str):
            return data.encode()
        raise TypeError("object with buffer protocol required")


class _Irq:
    @micropython.viper
    def flags(self) -> int:
        c = ptr32(C)
        if not c[4]:
            raise OSError(22)
        f = ptr32(F)
        t = ptr32(T)
        now = ((t[1] << 32) | t[0]) + 2
        t[0] = now
        t[1] = now >> 32
        if now > ((t[13] << 32) | t[12]):
            wire.sync()
        trigger = c[0]
        flags = 0
        if c[20] and trigger & 8:
            flags = 8
            c[20] = 0
        if trigger & 2 and f[0] | f[32]:
            flags |= 2
        if trigger & 1:
            done = int(_completed())
            if done >= 0:
                flags |= (done >> 1) << 16 | (1 if done & 1 else 5)
            service()
        return flags

    def trigger(self, new=None):
        before = C[_TRIGGER]
        if new is not None:
            if not C[_OPEN]:
                raise OSError(_EINVAL)
            C[_TRIGGER] = new
            _update_irqs()
        return before

    def __call__(self):
        wire.can_interrupt()


_irq = None


def _update_irqs():
    on = 1 if C[_TRIGGER] & 2 else 0
    for f in (0, _FIFO):
        F[f + _FMPIE] = F[f + _FFIE] = F[f + _FOVIE] = on
    service()


class CAN:
    MODE_NORMAL = 0
    MODE_SLEEP = 1
    MODE_LOOPBACK = 2
    MODE_SILENT = 3
    MODE_SILENT_LOOPBACK = 4

    STATE_STOPPED = 0
    STATE_ACTIVE = 1
    STATE_WARNING = 2
    STATE_PASSIVE = 3
    STATE_BUS_OFF = 4

    FLAG_RTR = 1
    FLAG_EXT_ID = 2
    FLAG_UNORDERED = 16

    RECV_ERR_FULL = 1
    RECV_ERR_OVERRUN = 2

    IRQ_TX = 1
    IRQ_RX = 2
    IRQ_TX_FAILED = 4
    IRQ_STATE = 8
    IRQ_TX_IDX_SHIFT = 16
    IRQ_TX_IDX_MASK = 0xFF

    TX_QUEUE_LEN = 3
    FILTERS_MAX = 14

    def __new__(cls, can_id, *args, **kwargs):
        global _the_can
        if isinstance(can_id, str):
            if can_id not in ("YA", "YB"):
                raise ValueError("CAN(%s) doesn't exist" % can_id)
            can_id = 1 if can_id == "YA" else 2
        if not 1 <= can_id <= 2:
            raise ValueError("CAN(%d) doesn't exist" % can_id)
        if can_id == 2:
            raise NotImplementedError("CAN(2) is not wired on the virtual board")
        if _the_can is None:
            _the_can = object.__new__(cls)
        _the_can._init(*args, **kwargs)
        return _the_can

    def __init__(self, *args, **kwargs):
        pass

    def __repr__(self):
        return "CAN(1, bitrate=%u, mode=CAN.%s, sjw=%u, tseg1=%u, tseg2=%u, f_clock=%u)" % (
            _F_CLOCK // self._brp // (1 + self._tseg1 + self._tseg2),
            _MODES[self._mode],
            self._sjw,
            self._tseg1,
            self._tseg2,
            _F_CLOCK,
        )

    def _init(self, bitrate, mode=0, sample_point=75, sjw=1, tseg1=-1, tseg2=-1):
        if not 0 <= mode < 5:
            raise ValueError("mode")
        if not 1 <= sjw <= 4:
            raise ValueError("sjw")
        if (tseg1 != -1 and not 1 <= tseg1 <= 16) or (tseg1 == -1 and tseg2 != -1):
            raise ValueError("tseg1")
        if (tseg2 != -1 and not 1 <= tseg2 <= 8) or (tseg2 == -1 and tseg1 != -1):
            raise ValueError("tseg2")
        if not 0 < sample_point < 100:
            raise ValueError("sample_point")
        self._brp, self._tseg1, self._tseg2 = _calculate_brp(bitrate, tseg1, tseg2, sample_point)
        self._sjw = sjw
        self._mode = mode
        if C[_OPEN]:
            self._stop()
        self._clear_counters()
        trigger = C[_TRIGGER]
        i = 0
        while i < 64:
            F[i] = 0
            i += 1
        i = _TX_ID
        while i < 32:
            C[i] = 0
            i += 1
        C[_TX_ID] = C[_TX_ID + 1] = C[_TX_ID + 2] = _EMPTY
        C[_TX_NVIC] = 1
        C[_RX_ERRORS] = 0
        C[_STATE] = _STATE_ACTIVE
        C[_OPEN] = 1
        C[_TRIGGER] = trigger
        actual = _F_CLOCK // self._brp // (1 + self._tseg1 + self._tseg2)
        wire.emit_number(wire.OUT_CAN_INIT | mode << 8, actual, 0)
        wire.set_can(self, wire.can_handler)
        wire.sync_outputs()

    def init(self, *args, **kwargs):
        self._init(*args, **kwargs)

    def _stop(self):
        _cancel_all()
        wire.emit(wire.OUT_CAN_DEINIT, 0)

    def deinit(self):
        global _irq
        C[_TRIGGER] = 0
        C[_HAS_HANDLER] = 0
        _irq = None
        wire.set_can(self, None)
        if C[_OPEN]:
            self._stop()
            C[_OPEN] = 0
            wire.sync_outputs()

    def _clear_counters(self):
        C[_OVERRUNS] = C[_WARNINGS] = C[_PASSIVES] = C[_BUS_OFFS] = 0

    def irq(self, handler=_ANY, trigger=_ANY, hard=_ANY):
        global _irq
        if not C[_OPEN]:
            raise OSError(_EINVAL)
        if _irq is None:
            C[_TRIGGER] = 0
            _irq = _Irq()
        if handler is not _ANY or trigger is not _ANY or hard is not _ANY:
            if handler is _ANY:
                handler = None
            trigger = 0 if trigger is _ANY else trigger
            if trigger & ~11:
                raise ValueError("trigger 0x%08x unsupported" % (trigger & ~11 & 0xFFFFFFFF))
            if handler is not None and not callable(handler):
                raise ValueError("handler must be None or callable")
            C[_HARD] = 1 if hard is not _ANY and hard else 0
            wire.set_can(self, handler)
            C[_TRIGGER] = trigger
            _update_irqs()
        return _irq

    def send(self, id, data, flags=0):
        index = _send(id, data, flags)
        if index >= 0:
            return index
        if index == -1:
            return None
        if not C[_OPEN]:
            raise OSError(_EINVAL)
        data = _as_bytes(data)
        if len(data) > 8:
            raise OverflowError("data too long")
        _check_id(id, flags)
        index = _send(id, data, flags)
        return index if index >= 0 else None

    def cancel_send(self, index):
        if not C[_OPEN]:
            raise OSError(_EINVAL)
        if not 0 <= index < 3:
            raise IndexError
        if not C[_PENDING + index]:
            return False
        emit(wire.OUT_CANCEL | index << 8, 0)
        limit = T[_NOW] + 1000
        while C[_PENDING + index] and T[_NOW] < limit:
            wire.pause(10)
        return True

    def recv(self, arg=None):
        result = _recv(arg)
        if result is not _AGAIN:
            return result
        if not C[_OPEN]:
            raise OSError(_EINVAL)
        if arg is not None:
            if type(arg) is not list:
                raise TypeError("expected list")
            if len(arg) < 4:
                raise ValueError("list too short")
            raise TypeError
        return _recv([0, memoryview(bytearray(8)), 0, 0])

    def set_filters(self, filters):
        if not C[_OPEN]:
            raise OSError(_EINVAL)
        emit(wire.OUT_CLEAR_FILTERS, 0)
        try:
            if filters is None:
                self._filter(0, 0, 0, 0)
                self._filter(1, 0, 0, 2)
            else:
                index = 0
                for item in filters:
                    if not isinstance(item, (tuple, list)):
                        raise TypeError("object '%s' isn't a tuple or list" % type(item).__name__)
                    if len(item) != 3:
                        raise ValueError("filter items must have length 3")
                    can_id, mask, flags = item
                    _check_id(can_id, flags)
                    _check_id(mask, flags)
                    self._filter(index, can_id, mask, flags)
                    index += 1
        finally:
            wire.sync_outputs()

    def _filter(self, index, can_id, mask, flags):
        if index >= 14:
            raise ValueError("too many filters")
        if flags & ~2:
            raise ValueError("flags")
        wire.emit_number(wire.OUT_FILTER | index << 8 | flags << 24, can_id, mask)

    def state(self):
        if not C[_OPEN]:
            return 0
        wire.poll()
        return C[_STATE]

    def get_counters(self, arg=None):
        if arg is None:
            arg = [None] * 8
        elif type(arg) is not list:
            raise TypeError("expected list")
        elif len(arg) < 8:
            raise ValueError("list too short")
        if not C[_OPEN]:
            raise OSError(_EINVAL)
        wire.poll()
        arg[0] = C[_TEC]
        arg[1] = C[_REC]
        arg[2] = C[_WARNINGS]
        arg[3] = C[_PASSIVES]
        arg[4] = C[_BUS_OFFS]
        arg[5] = C[_PENDING] + C[_PENDING + 1] + C[_PENDING + 2]
        arg[6] = F[_N] + F[_FIFO + _N]
        arg[7] = C[_OVERRUNS]
        return arg

    def get_timings(self, arg=None):
        if arg is None:
            arg = [None] * 6
        elif type(arg) is not list:
            raise TypeError("expected list")
        elif len(arg) < 6:
            raise ValueError("list too short")
        arg[0] = _F_CLOCK // self._brp // (1 + self._tseg1 + self._tseg2)
        arg[1] = self._sjw
        arg[2] = self._tseg1
        arg[3] = self._tseg2
        arg[4] = None
        arg[5] = None
        return arg

    def restart(self):
        if not C[_OPEN]:
            raise OSError(_EINVAL)
        _cancel_all()
        C[_RESTARTED] = 0
        emit(wire.OUT_RESTART, 0)
        while not C[_RESTARTED]:  # no timeout, as in the driver: a bus stuck dominant ends it by the watchdog only
            wire.pause(50)
        C[_STATE_PENDING] = 0
        self._clear_counters()
