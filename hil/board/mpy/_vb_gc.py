# Stands in for the builtin `gc`: memory in bytes of the board, whose words and blocks are half as large.
# A collection takes the board's processor for 3 to 10 ms; here it is always the longest.
import gc as _builtin
from gc import disable, enable, isenabled, threshold
from micropython import const
import _vb_wait as _wait
from _vb_wire import I as _I

_HEAP = 105_632
_COLLECT_US = const(10_000)
_ISR = const(3)


def collect():
    _builtin.collect()
    if not _I[_ISR]:
        _wait.pause(_COLLECT_US)


def mem_free():
    return _builtin.mem_free() // 2


def mem_alloc():
    return _HEAP - mem_free()
