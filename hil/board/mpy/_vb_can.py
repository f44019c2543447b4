# machine.CAN of the virtual board: the arguments, errors and results of MicroPython 1.29 on bxCAN.
import micropython
from micropython import const
import _vb_interrupts as interrupts
import _vb_wait as wait
import _vb_wire as wire
from _vb_bittiming import bitrate_of, calculate_brp
from _vb_bxcan import AGAIN, cancel_all, completed, receive, send, service
from _vb_interrupts import C, F
from _vb_wire import T, emit

_EINVAL = const(22)
_EMPTY = const(0xFFFF_FFFF)
_F_CLOCK = const(42_000_000)  # PCLK1 of the Pyboard v1.1

# As in _vb_bxcan
_TRIGGER = const(0)
_HARD = const(1)
_RX_ERRORS = const(2)
_OVERRUNS = const(3)
_OPEN = const(4)
_HAS_HANDLER = const(5)
_TX_ID = const(6)  # three: id in the driver's slot, or _EMPTY
_PENDING = const(9)  # three: the mailbox waits or sends (TME clear)
_TX_NVIC = const(18)  # the transmit interrupt is enabled
_STATE_PENDING = const(20)
_WARNINGS = const(22)
_PASSIVES = const(23)
_BUS_OFFS = const(24)
_STATE = const(25)
_TEC = const(26)
_REC = const(27)
_RESTARTED = const(28)

_FIFO = const(32)
_N = const(0)
_FMPIE = const(4)
_FFIE = const(5)
_FOVIE = const(6)

_STATE_ACTIVE = const(1)

_NOW = const(0)

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
        if not c[_OPEN]:
            raise OSError(22)
        f = ptr32(F)
        t = ptr32(T)
        now = ((t[1] << 32) | t[0]) + 2
        t[0] = now
        t[1] = now >> 32
        if now > ((t[13] << 32) | t[12]):
            wait.sync()
        trigger = c[_TRIGGER]
        flags = 0
        if c[_STATE_PENDING] and trigger & 8:
            flags = 8
            c[_STATE_PENDING] = 0
        if trigger & 2 and f[0] | f[_FIFO]:
            flags |= 2
        if trigger & 1:
            done = int(completed())
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
        interrupts.can_interrupt()


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
            bitrate_of(self._brp, self._tseg1, self._tseg2),
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
        self._brp, self._tseg1, self._tseg2 = calculate_brp(bitrate, tseg1, tseg2, sample_point)
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
        actual = bitrate_of(self._brp, self._tseg1, self._tseg2)
        wire.emit_number(wire.OUT_CAN_INIT | mode << 8, actual, 0)
        interrupts.set_can(self, interrupts.can_handler)
        wait.sync_outputs()

    def init(self, *args, **kwargs):
        self._init(*args, **kwargs)

    def _stop(self):
        cancel_all()
        wire.emit(wire.OUT_CAN_DEINIT, 0)

    def deinit(self):
        global _irq
        C[_TRIGGER] = 0
        C[_HAS_HANDLER] = 0
        _irq = None
        interrupts.set_can(self, None)
        if C[_OPEN]:
            self._stop()
            C[_OPEN] = 0
            wait.sync_outputs()

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
            interrupts.set_can(self, handler)
            C[_TRIGGER] = trigger
            _update_irqs()
        return _irq

    def send(self, id, data, flags=0):
        index = send(id, data, flags)
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
        index = send(id, data, flags)
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
            wait.pause(10)
        return True

    def recv(self, arg=None):
        result = receive(arg)
        if result is not AGAIN:
            return result
        if not C[_OPEN]:
            raise OSError(_EINVAL)
        if arg is not None:
            if type(arg) is not list:
                raise TypeError("expected list")
            if len(arg) < 4:
                raise ValueError("list too short")
            raise TypeError
        return receive([0, memoryview(bytearray(8)), 0, 0])

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
            wait.sync_outputs()

    def _filter(self, index, can_id, mask, flags):
        if index >= 14:
            raise ValueError("too many filters")
        if flags & ~2:
            raise ValueError("flags")
        wire.emit_number(wire.OUT_FILTER | index << 8 | flags << 24, can_id, mask)

    def state(self):
        if not C[_OPEN]:
            return 0
        wait.poll()
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
        wait.poll()
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
        arg[0] = bitrate_of(self._brp, self._tseg1, self._tseg2)
        arg[1] = self._sjw
        arg[2] = self._tseg1
        arg[3] = self._tseg2
        arg[4] = None
        arg[5] = None
        return arg

    def restart(self):
        if not C[_OPEN]:
            raise OSError(_EINVAL)
        cancel_all()
        C[_RESTARTED] = 0
        emit(wire.OUT_RESTART, 0)
        while not C[_RESTARTED]:  # no timeout, as in the driver: a bus stuck dominant ends it by the watchdog only
            wait.pause(50)
        C[_STATE_PENDING] = 0
        self._clear_counters()
