"""Reference loops for the cost of a tick: pieces of code whose cost on the board is known in ARM instructions.

Runs in MicroPython. The instructions are those measured on MicroPython 1.29 for Cortex-M4F (STM32F405). `REFERENCES`
lists (name, kind, ARM instructions of one operation, operations in one loop, function, the same loop without the
operation or None). A function takes the number of loops. `mixes.py` makes long code of the same operations.
"""

from array import array

import micropython


class Thing:
    K = 5

    def __init__(self):
        self.x = 1
        self.y = 2

    def method(self, a, b, c):
        pass

    @micropython.viper
    def viper_method(self, a, b, c):
        pass


thing = Thing()
value = 7


def function(a, b, c):
    pass


@micropython.viper
def viper_function(a, b, c):
    pass


def empty(n):
    for _ in range(n):
        pass


@micropython.viper
def empty_viper(n: int):
    for _ in range(n):
        pass


def call_method(n):
    o = thing
    for _ in range(n):
        o.method(1, 2, 3)
        o.method(1, 2, 3)
        o.method(1, 2, 3)
        o.method(1, 2, 3)
        o.method(1, 2, 3)


def call_viper_method(n):
    o = thing
    for _ in range(n):
        o.viper_method(1, 2, 3)
        o.viper_method(1, 2, 3)
        o.viper_method(1, 2, 3)
        o.viper_method(1, 2, 3)
        o.viper_method(1, 2, 3)


def call_function(n):
    f = function
    for _ in range(n):
        f(1, 2, 3)
        f(1, 2, 3)
        f(1, 2, 3)
        f(1, 2, 3)
        f(1, 2, 3)


def call_viper_function(n):
    f = viper_function
    for _ in range(n):
        f(1, 2, 3)
        f(1, 2, 3)
        f(1, 2, 3)
        f(1, 2, 3)
        f(1, 2, 3)


def load_attribute(n):
    o = thing
    for _ in range(n):
        a = o.x
        a = o.y
        a = o.x
        a = o.y
        a = o.x
        a = o.y
        a = o.x
        a = o.y
        a = o.x
        a = o.y  # noqa: F841


def store_attribute(n):
    o = thing
    for _ in range(n):
        o.x = 1
        o.y = 1
        o.x = 1
        o.y = 1
        o.x = 1
        o.y = 1
        o.x = 1
        o.y = 1
        o.x = 1
        o.y = 1


def add_to_attribute(n):
    o = thing
    o.x = 0
    for _ in range(n):
        o.x += 1
        o.x += 1
        o.x += 1
        o.x += 1
        o.x += 1


def copy_local(n):
    b = 1
    for _ in range(n):
        a = b
        a = b
        a = b
        a = b
        a = b
        a = b
        a = b
        a = b
        a = b
        a = b  # noqa: F841


def load_global(n):
    for _ in range(n):
        a = value
        a = value
        a = value
        a = value
        a = value
        a = value
        a = value
        a = value
        a = value
        a = value  # noqa: F841


def index_buffer(n):
    buf = bytearray(8)
    for _ in range(n):
        a = buf[3]
        a = buf[3]
        a = buf[3]
        a = buf[3]
        a = buf[3]
        a = buf[3]
        a = buf[3]
        a = buf[3]
        a = buf[3]
        a = buf[3]  # noqa: F841


def length_local(n):
    buf = bytearray(8)
    f = len
    for _ in range(n):
        f(buf)
        f(buf)
        f(buf)
        f(buf)
        f(buf)


def _crc_table():
    table = bytearray(256)
    for i in range(256):
        crc = i
        for _ in range(8):
            crc = (crc << 1 ^ 0x1D if crc & 0x80 else crc << 1) & 0xFF
        table[i] = crc
    return table


TABLE = _crc_table()
DATA = bytearray(b"\x12\x34\x56\x78\x9a\xbc\xde\xf0")


def crc_table(buf, table):
    crc = 0xFF
    for i in range(8):
        crc = table[crc ^ buf[i]]
    return crc ^ 0xFF


@micropython.viper
def crc_table_viper(buf: ptr8, table: ptr8) -> int:
    crc = 0xFF
    for i in range(8):
        crc = table[crc ^ buf[i]]
    return crc ^ 0xFF


def crc_bits(buf):
    crc = 0xFF
    for i in range(8):
        crc ^= buf[i]
        for _ in range(8):
            if crc & 0x80:
                crc = (crc << 1 ^ 0x1D) & 0xFF
            else:
                crc = crc << 1 & 0xFF
    return crc ^ 0xFF


@micropython.viper
def crc_bits_viper(buf: ptr8) -> int:
    crc = 0xFF
    for i in range(8):
        crc ^= buf[i]
        for _ in range(8):
            if crc & 0x80:
                crc = (crc << 1 ^ 0x1D) & 0xFF
            else:
                crc = crc << 1 & 0xFF
    return crc ^ 0xFF


OUT = array("i", (0,) * 8)
GRID = array("i", tuple((i * 37) % 1000 for i in range(256)))


def decode(buf, out):
    out[0] = buf[1] >> 4
    v = buf[2] | buf[3] << 8
    out[1] = v - 0x10000 if v & 0x8000 else v
    v = buf[4] | buf[5] << 8
    out[2] = v - 0x10000 if v & 0x8000 else v
    out[3] = buf[6] & 15
    out[4] = buf[7]


@micropython.viper
def decode_viper(buf: ptr8, out: ptr32):
    out[0] = buf[1] >> 4
    v = buf[2] | buf[3] << 8
    out[1] = v - 0x10000 if v & 0x8000 else v
    v = buf[4] | buf[5] << 8
    out[2] = v - 0x10000 if v & 0x8000 else v
    out[3] = buf[6] & 15
    out[4] = buf[7]


@micropython.viper
def encode_viper(out: ptr32, buf: ptr8):
    buf[1] = out[0] << 4
    v = out[1]
    buf[2] = v
    buf[3] = v >> 8
    v = out[2]
    buf[4] = v
    buf[5] = v >> 8
    buf[6] = out[3]
    buf[7] = out[4]


def bilinear(table, x, y):
    i = x >> 8
    j = y >> 8
    fx = x & 255
    fy = y & 255
    at = i * 16 + j
    a = table[at]
    b = table[at + 1]
    c = table[at + 16]
    d = table[at + 17]
    a = (a << 8) + (b - a) * fy
    c = (c << 8) + (d - c) * fy
    return (a << 8) + (c - a) * fx >> 16


@micropython.viper
def bilinear_viper(table: ptr32, x: int, y: int) -> int:
    i = x >> 8
    j = y >> 8
    fx = x & 255
    fy = y & 255
    at = i * 16 + j
    a = table[at]
    b = table[at + 1]
    c = table[at + 16]
    d = table[at + 17]
    a = (a << 8) + (b - a) * fy
    c = (c << 8) + (d - c) * fy
    return (a << 8) + (c - a) * fx >> 16


def _caller1(f, a):
    def run(n):
        g = f
        b = a
        for _ in range(n):
            g(b)

    return run


def _caller2(f, a, b):
    def run(n):
        g = f
        c = a
        d = b
        for _ in range(n):
            g(c, d)

    return run


def _caller3(f, a, b, c):
    def run(n):
        g = f
        d = a
        e = b
        h = c
        for _ in range(n):
            g(d, e, h)

    return run


REFERENCES = (
    ("for iteration", "bytecode", 169, 1, empty, None),
    ("method call, 3 arguments", "bytecode", 713, 5, call_method, empty),
    ("function call, 3 arguments", "bytecode", 416, 5, call_function, empty),
    ("attribute load", "bytecode", 84, 10, load_attribute, empty),
    ("attribute store", "bytecode", 122, 10, store_attribute, empty),
    ("attribute +=", "bytecode", 245, 5, add_to_attribute, empty),
    ("local copy", "bytecode", 27, 10, copy_local, empty),
    ("global load", "bytecode", 64, 10, load_global, empty),
    ("buf[3]", "bytecode", 130, 10, index_buffer, empty),
    ("len, local", "bytecode", 135, 5, length_local, empty),
    ("decode 5 signals", "bytecode", 2858, 1, _caller2(decode, DATA, OUT), empty),
    ("CRC-8 by table", "bytecode", 3092, 1, _caller2(crc_table, DATA, TABLE), empty),
    ("CRC-8 by bits", "bytecode", 34519, 1, _caller1(crc_bits, DATA), empty),
    ("bilinear map", "bytecode", 3908, 1, _caller3(bilinear, GRID, 0x5A7, 0x8C3), empty),
    ("for iteration", "viper", 19, 1, empty_viper, None),
    ("method call, 3 arguments", "viper", 536, 5, call_viper_method, empty),
    ("function call, 3 arguments", "viper", 222, 5, call_viper_function, empty),
    ("decode 5 signals", "viper", 370, 1, _caller2(decode_viper, DATA, OUT), empty),
    ("encode 5 signals", "viper", 343, 1, _caller2(encode_viper, OUT, DATA), empty),
    ("CRC-8 by table", "viper", 571, 1, _caller2(crc_table_viper, DATA, TABLE), empty),
    ("CRC-8 by bits", "viper", 1874, 1, _caller1(crc_bits_viper, DATA), empty),
    ("bilinear map", "viper", 441, 1, _caller3(bilinear_viper, GRID, 0x5A7, 0x8C3), empty),
)
