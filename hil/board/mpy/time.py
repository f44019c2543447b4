# The virtual board's `time`: the bench's time as the board's crystal counts it. Ticks wrap at 2**30 as on a 32-bit
# board.
import sys
import micropython
import _vb_wait as _wait
from _vb_wire import T as _T

_path = sys.path[:]
sys.path.clear()
from time import gmtime as _gmtime, mktime as _mktime  # noqa: E402 - the builtin module

sys.path.extend(_path)
del _path

_EPOCH = 946_684_800  # the board counts from 2000-01-01
_start = 473_385_600  # 2015-01-01


@micropython.viper
def ticks_us() -> int:
    t = ptr32(_T)
    now = ((t[1] << 32) | t[0]) + 2
    t[0] = now
    t[1] = now >> 32
    if now > ((t[13] << 32) | t[12]):
        _wait.sync()
        now = t[0]
    return now & 0x3FFFFFFF


@micropython.viper
def ticks_ms() -> int:
    return (int(_wait.poll()) // 1000) & 0x3FFFFFFF


@micropython.viper
def ticks_cpu() -> int:
    return (int(_wait.poll()) * 168) & 0x3FFFFFFF


@micropython.viper
def ticks_diff(end: int, start: int) -> int:
    return ((end - start + 0x20000000) & 0x3FFFFFFF) - 0x20000000


@micropython.viper
def ticks_add(ticks: int, delta: int) -> int:
    return (ticks + delta) & 0x3FFFFFFF


def sleep_us(us):
    if us > 0:
        _wait.wait_until(_T[0] + us)
        _wait.awake()


def sleep_ms(ms):
    # Counts SysTicks, of which the first may come at once; without any to count it still waits for one interrupt.
    if ms > 0:
        _wait.wait_until((_T[0] // 1000 + ms) * 1000)
        _wait.awake()
    elif ms == 0:
        _wait.wait_interrupt()


def sleep(seconds):
    sleep_ms(int(seconds * 1000))


def time():
    return _start + _wait.poll() // 1_000_000


def time_ns():
    return _start * 1_000_000_000 + _wait.poll() * 1000


def gmtime(seconds=None):
    return _gmtime((time() if seconds is None else seconds) + _EPOCH)[:8]


localtime = gmtime


def mktime(fields):
    return _mktime(tuple(fields) + (0,)) - _EPOCH


def _set(seconds):
    global _start
    _start = seconds - _wait.poll() // 1_000_000
