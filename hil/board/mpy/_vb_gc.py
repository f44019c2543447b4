# Stands in for the builtin `gc`: memory in bytes of the board, whose words and blocks are half as large.
import gc as _builtin
from gc import collect, disable, enable, isenabled, threshold

_HEAP = 105_632


def mem_free():
    return _builtin.mem_free() // 2


def mem_alloc():
    return _HEAP - mem_free()
