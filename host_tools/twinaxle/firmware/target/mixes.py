"""Long straight code of operations whose cost on the board is known: the references that the estimate uses.

A processor with caches and branch prediction runs a short loop faster, per operation, than the long, never repeating
code of a control period; the board's does not. So the reference is code of a control period's length, run once between
two periods. `MIXES` lists (name, kind, ARM instructions of one pass, function without arguments).
"""

import references as r

PASS_INSTRUCTIONS = 15_000

# Statement, ARM instructions. The bit of a CRC is 1/64 of "CRC-8 by bits" without its loops.
_LOAD = ("a = o.x", 84)
_STORE = ("o.y = a", 122)
_ADD = ("o.x += b", 245)
_COPY = ("a = b", 27)
_GLOBAL = ("a = g", 64)
_INDEX = ("a = buf[3]", 130)
_LEN = ("f(buf)", 135)
_CALL = ("h(a, b, c)", 416)
_METHOD = ("o.method(a, b, c)", 713)
_BIT = ("if c & 128:\n  c = (c << 1 ^ 29) & 255\n else:\n  c = c << 1 & 255", 317)

# How many of each, roughly as in a control period's parts
_KINDS = (
    ("attributes", (_LOAD,) * 9 + (_STORE,) * 6 + (_ADD,) * 2 + (_COPY,) * 4 + (_BIT,) * 3),
    ("arrays", (_INDEX,) * 10 + (_LOAD,) * 3 + (_COPY,) * 6 + (_GLOBAL,) * 3 + (_BIT,) * 3 + (_LEN,) * 2),
    ("decisions", (_BIT,) * 8 + (_COPY,) * 5 + (_LOAD,) * 3 + (_STORE,) * 2),
    ("calls", (_METHOD,) * 2 + (_CALL,) * 2 + (_LOAD,) * 6 + (_STORE,) * 3 + (_INDEX,) * 3),
)


def _mix(pool, seed):
    """(function, instructions) of a pass: statements of the pool in a mixed order that is the same each time."""
    lines = ["def mix():", " o = thing", " buf = data", " f = length", " h = function", " a = 1", " b = 1", " c = 3"]
    instructions = 0
    while instructions < PASS_INSTRUCTIONS:
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        text, cost = pool[(seed >> 8) % len(pool)]
        lines.append(" " + text)
        instructions += cost
    lines.append(" o.x = 0")
    names = {"thing": r.Thing(), "data": r.DATA, "length": len, "function": r.function, "g": 5}
    exec("\n".join(lines), names)
    return names["mix"], instructions


def _mixes():
    result = []
    for seed, (name, pool) in enumerate(_KINDS):
        function, instructions = _mix(pool, seed + 1)
        result.append((name, "bytecode", instructions, function))
    return result


def _viper_calls():
    decode = r.decode_viper
    encode = r.encode_viper
    table = r.crc_table_viper
    bits = r.crc_bits_viper
    bilinear = r.bilinear_viper
    data = r.DATA
    crc = r.TABLE
    grid = r.GRID
    out = r.OUT
    decode(data, out)
    table(data, crc)
    bilinear(grid, 0x5A7, 0x8C3)
    encode(out, data)
    decode(data, out)
    bits(data)
    table(data, crc)
    bilinear(grid, 0x1A7, 0x2C3)
    encode(out, data)
    table(data, crc)


def _function_calls():
    decode = r.decode
    table = r.crc_table
    bilinear = r.bilinear
    data = r.DATA
    grid = r.GRID
    out = r.OUT
    decode(data, out)
    bilinear(grid, 0x5A7, 0x8C3)
    table(data, r.TABLE)
    decode(data, out)


# Whole functions: their arguments are locals, whose loading the table's figures hold.
MIXES = _mixes() + [
    ("functions", "bytecode", 2 * 2858 + 3092 + 3908, _function_calls),
    ("functions", "viper", 2 * 370 + 3 * 571 + 2 * 441 + 2 * 343 + 1874, _viper_calls),
]
