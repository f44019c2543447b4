# machine.Pin, Signal and ADC of the virtual board, with the pin names of the Pyboard v1.1.
from micropython import const
import micropython
import _vb_interrupts as interrupts
import _vb_wait as wait
import _vb_wire as wire
from _vb_wire import I, emit, reply

_ISR = const(3)
_IRQ_OFF = const(4)

_BOARD = (
    "X1=A0 X2=A1 X3=A2 X4=A3 X5=A4 X6=A5 X7=A6 X8=A7 X9=B6 X10=B7 X11=C4 X12=C5 X17=B3 X18=C13 X19=C0 X20=C1 "
    "X21=C2 X22=C3 Y1=C6 Y2=C7 Y3=B8 Y4=B9 Y5=B12 Y6=B13 Y7=B14 Y8=B15 Y9=B10 Y10=B11 Y11=B0 Y12=B1 SW=B3 "
    "LED_RED=A13 LED_GREEN=A14 LED_YELLOW=A15 LED_BLUE=B4 MMA_INT=B2 MMA_AVDD=B5 SD_D0=C8 SD_D1=C9 SD_D2=C10 "
    "SD_D3=C11 SD_CMD=D2 SD_CK=C12 SD=A8 SD_SW=A8 USB_VBUS=A9 USB_ID=A10 USB_DM=A11 USB_DP=A12"
)
_ADC_PINS = "A0 A1 A2 A3 A4 A5 A6 A7 B0 B1 C0 C1 C2 C3 C4 C5"

# By pin number (port * 16 + pin): level driven from outside, or that nobody drives it, and level put out
_OPEN = const(2)
_input = bytearray(_OPEN for _ in range(64))
_output = bytearray(64)
_adc_mv = {}
_pins = {}
_irqs = {}
_READ = object()
_OUT_MODES = (1, 5)


def _cpu(name):
    # Number of a cpu pin name like "A13", or -1.
    if len(name) in (2, 3) and name[0] in "ABCD" and name[1:].isdigit() and int(name[1:]) < 16:
        number = "ABCD".index(name[0]) * 16 + int(name[1:])
        return number if number <= 50 else -1
    return -1


def _find(name):
    if name[:1] == "P" and _cpu(name[1:]) >= 0:
        name = name[1:]
    for pair in _BOARD.split(" "):
        board, cpu = pair.split("=")
        if board == name:
            return _cpu(cpu)
    number = _cpu(name)
    if number < 0:
        raise ValueError("Pin(%s) doesn't exist" % name)
    return number


def event(at):
    number = reply[at + 1]
    if reply[at] == wire.EV_ADC:
        _adc_mv[number] = reply[at + 8] | reply[at + 9] << 8
        return
    before = _input[number]
    level = reply[at + 2]
    _input[number] = level
    entry = _irqs.get(number) if _irqs else None
    if entry and before == _OPEN:
        before = _pulled(entry[3])
    if entry and level != before:
        trigger, handler, hard, pin = entry
        if trigger & (0x0010_0000 if level else 0x0020_0000):
            if not hard:
                interrupts.queue(handler, pin)
            elif not I[_ISR] and not I[_IRQ_OFF]:
                I[_ISR] += 1
                micropython.heap_lock()
                handler(pin)
                micropython.heap_unlock()
                I[_ISR] -= 1


def _pulled(pin):
    # What a pin reads that nobody drives; without a pull it floats, here low.
    return 1 if pin._pull == 1 else 0


class Pin:
    IN = 0
    OUT = 1
    OPEN_DRAIN = 5
    ALT = 2
    ALT_OPEN_DRAIN = 6
    ANALOG = 3
    OUT_PP = 1
    OUT_OD = 5
    AF_PP = 2
    AF_OD = 6
    PULL_NONE = 0
    PULL_UP = 1
    PULL_DOWN = 2
    IRQ_RISING = 0x10110000
    IRQ_FALLING = 0x10210000

    def __new__(cls, id, *args, **kwargs):
        if isinstance(id, Pin):
            pin = id
        else:
            number = _find(id)
            pin = _pins.get(number)
            if pin is None:
                pin = object.__new__(cls)
                pin._number = number
                pin._mode = 0
                pin._pull = 0
                _pins[number] = pin
        if args or kwargs:
            pin.init(*args, **kwargs)
        return pin

    def __init__(self, *args, **kwargs):
        pass

    def __repr__(self):
        return "Pin(Pin.cpu.%s)" % self.name()

    def init(self, mode, pull=0, *, value=None, alt=-1, af=-1):
        if mode not in (0, 1, 2, 3, 5, 6):
            raise ValueError("invalid pin mode: %d" % mode)
        pull = pull or 0
        if pull not in (0, 1, 2):
            raise ValueError("invalid pin pull: %d" % pull)
        self._mode = mode
        self._pull = pull
        if value is not None:
            _output[self._number] = 1 if value else 0
        emit(wire.OUT_PIN_MODE | mode << 8 | pull << 24, self._number | _output[self._number] << 8)

    def value(self, level=_READ):
        number = self._number
        if level is not _READ:
            self._put(1 if level else 0)
            return None
        wait.poll()
        if self._mode in _OUT_MODES:
            level = _output[number]
            if self._mode == 1 or not level:
                return level
        level = _input[number]
        return _pulled(self) if level == _OPEN else level

    __call__ = value

    def _put(self, level):
        number = self._number
        if _output[number] != level:
            _output[number] = level  # of an input it is the register alone, until the pin becomes an output
            if self._mode in _OUT_MODES:
                emit(8 | level << 8, number)

    def on(self):
        self._put(1)

    def off(self):
        self._put(0)

    high = on
    low = off

    def toggle(self):
        self._put(1 - _output[self._number])

    def name(self):
        return "ABCD"[self._number >> 4] + str(self._number & 15)

    def port(self):
        return self._number >> 4

    def pin(self):
        return self._number & 15

    def mode(self):
        return self._mode

    def pull(self):
        return self._pull

    def irq(self, handler=None, trigger=IRQ_RISING | IRQ_FALLING, hard=False):
        if handler is None:
            _irqs.pop(self._number, None)
        else:
            _irqs[self._number] = (trigger, handler, bool(hard), self)


class _Names:
    pass


Pin.board = _Names()
Pin.cpu = _Names()


def _fill():
    for pair in _BOARD.split(" "):
        board, cpu = pair.split("=")
        pin = Pin(cpu)
        setattr(Pin.board, board, pin)
        setattr(Pin.cpu, cpu, pin)


_fill()


class Signal:
    def __init__(self, pin, *args, invert=False, **kwargs):
        self._pin = pin if isinstance(pin, Pin) else Pin(pin, *args, **kwargs)
        self._invert = 1 if invert else 0

    def value(self, level=_READ):
        if level is not _READ:
            return self._pin.value((1 if level else 0) ^ self._invert)
        return self._pin.value() ^ self._invert

    __call__ = value

    def on(self):
        self._pin._put(1 ^ self._invert)

    def off(self):
        self._pin._put(self._invert)


class ADC:
    # 12 bits against 3.3 V, as the Pyboard's reference.
    def __init__(self, pin):
        pin = pin if isinstance(pin, Pin) else Pin(pin)
        if pin.name() not in _ADC_PINS.split(" "):
            raise ValueError("Pin(%s) doesn't have ADC capabilities" % pin.name())
        self._number = pin._number

    def read_u16(self):
        wait.poll()
        raw = _adc_mv.get(self._number, 0) * 4095 // 3300
        raw = 0 if raw < 0 else 4095 if raw > 4095 else raw
        return raw << 4 | raw >> 8
