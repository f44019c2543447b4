# The bxCAN controller of the virtual board as MicroPython's driver uses it: transmit slots, receive FIFOs, their
# interrupts.
#
# Mailboxes, filters and error counters live in the bench, which knows the bus (hil/board/bxcan.py).
from array import array

import micropython
from micropython import const
import _vb_interrupts as interrupts
import _vb_wait as wait
import _vb_wire as wire
from _vb_interrupts import C, F
from _vb_wire import I, T, reply

_RX_ERRORS = const(2)
_IRQ_OFF = const(4)
_RX_COST = const(7)
_OUTPUTS = const(8)
_SENT = const(9)
_HEAD = const(1)
_FMPIE = const(4)
_FFIE = const(5)
_FOVIE = const(6)
_FIFO = const(32)

_EMPTY = const(0xFFFF_FFFF)

# Registers in C; those up to 5 are known to _vb_wire
_TRIGGER = const(0)
_OPEN = const(4)
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


_STATE_ACTIVE = const(1)
_STATE_WARNING = const(2)
_STATE_PASSIVE = const(3)
_STATE_BUS_OFF = const(4)

_ISR = const(3)
_MISSED = const(14)

C[_TX_ID] = C[_TX_ID + 1] = C[_TX_ID + 2] = _EMPTY


# ---------------------------------------------------------------- transmit


# Objects as the 64-bit interpreter lays them out, in 32-bit words: type at 0; bytes, bytearray and memoryview have
# their length at 4 and a pointer to the items at 6, a memoryview its offset above the typecode in 2; a list has its
# length at 4, its items at 6. Reading them directly costs a tenth of the same by method calls.
_TYPES = array("l", [0] * 4)


@micropython.viper
def _learn_types(types: ptr32, samples):
    i = 0
    while i < 4:
        sample = ptr32(id(samples[i]))
        types[i * 2] = sample[0]
        types[i * 2 + 1] = sample[1]
        i += 1


def learn_types():
    # Called once by _vb_main: a module may not run its own viper functions while it is imported (twinaxle bytecode).
    _learn_types(_TYPES, ([], b"x", memoryview(b"x"), bytearray(1)))


@micropython.viper
def send(can_id: int, data, flags: int) -> int:
    # The driver's search for a slot: every one is looked at, because a later one may hold the same id. Gives the
    # index, -1 for none, -2 when the caller has to look at the arguments again.
    c = ptr32(C)
    if not c[_OPEN] or int(id(data)) & 7:
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
        held = c[_TX_ID + i]
        if held == 0xFFFFFFFF:
            if free < 0:
                free = i
        elif held == can_id and not (flags & 16):
            return -1
        i += 1
    if free < 0:
        return -1
    x = ptr32(I)
    if x[_OUTPUTS] >= 40:
        wire.flush()
    n = x[_OUTPUTS]
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
    x[_OUTPUTS] = n + 1
    x[_SENT] = x[_SENT] + 1
    c[_TX_ID + free] = can_id
    c[_PENDING + free] = 1
    c[_RQCP + free] = 0
    c[_TXOK + free] = 0
    c[_TMEIE] = 1
    if c[_RQCP] | c[_RQCP + 1] | c[_RQCP + 2]:
        _tx_interrupt()
    return free


def _tx_done(index, ok):
    C[_PENDING + index] = 0
    C[_RQCP + index] = 1
    C[_TXOK + index] = ok
    _tx_interrupt()


def completed():
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
        if I[_ISR] or I[_IRQ_OFF]:
            I[_MISSED] = 1
            return
        C[_TX_NVIC] = 0
        if C[_TRIGGER] & 1:
            _charge()
            interrupts.can_interrupt()
        else:
            completed()


def _charge():
    # A handler that is not for received frames costs as much as one that is.
    busy = T[2]
    now = T[0]
    if busy < now:
        busy = now
    busy += I[_RX_COST]
    T[2] = T[3] = busy
    T[6] = busy + 100


def cancel_all():
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


AGAIN = object()


@micropython.viper
def receive(result):
    # recv(list): AGAIN when the caller has to look at the argument again, None when there is no frame.
    c = ptr32(C)
    if not c[_OPEN] or int(id(result)) & 7:
        return AGAIN
    types = ptr32(_TYPES)
    o = ptr32(id(result))
    if o[0] != types[0] or o[4] < 4:
        return AGAIN
    items = ptr32((o[7] << 32) | o[6])
    if items[2] & 7:
        return AGAIN
    view = ptr32((items[3] << 32) | items[2])
    if view[0] != types[4]:
        return AGAIN
    f = ptr32(F)
    at = 0
    if not f[0]:
        # can_receive() with no time to wait waits for one interrupt all the same, in each empty FIFO.
        wait.wait_interrupt()
        at = 32
        if not f[_FIFO]:
            wait.wait_interrupt()
            return None
    head = f[at + _HEAD]
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
    items[6] = c[_RX_ERRORS] << 1 | 1
    items[7] = 0
    c[_RX_ERRORS] = 0
    head += 1
    f[at + _HEAD] = 0 if head == 3 else head
    f[at] = f[at] - 1
    f[at + _FMPIE] = (c[_TRIGGER] >> 1) & 1
    f[at + _FFIE] = 1
    f[at + _FOVIE] = 1
    if not ptr32(I)[_ISR]:
        service()
    return result


def service():
    # Interrupts that stand are taken as soon as nothing masks them.
    if not I[_ISR] and not I[_IRQ_OFF]:
        interrupts.rx_interrupt(0)
        interrupts.rx_interrupt(1)
        _tx_interrupt()
        if C[_STATE_IRQ]:
            C[_STATE_IRQ] = 0
            _charge()
            interrupts.can_interrupt()


interrupts.on_service(service)


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
        if I[_ISR] or I[_IRQ_OFF]:
            C[_STATE_IRQ] = 1
            I[_MISSED] = 1
        else:
            _charge()
            interrupts.can_interrupt()


def event(at):
    kind = reply[at]
    if kind == wire.EV_TX_DONE:
        if C[_OPEN]:
            _tx_done(reply[at + 1], reply[at + 2])
    elif kind == wire.EV_STATE:
        _state_changed(reply[at + 1], reply[at + 2] | reply[at + 3] << 8, reply[at + 8])
    elif kind == wire.EV_RESTARTED:
        C[_RESTARTED] = 1
