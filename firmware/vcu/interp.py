"""Curves and surfaces in the calibration array, read by straight lines between points.

Integers only. Points and axes are 0 or more (a `ptr32` of a 64-bit machine reads without sign), axes rise.
"""

import micropython


@micropython.viper
def curve(table: ptr32, axis: int, values: int, count: int, x: int) -> int:
    """Value at `x` of a curve whose axis and values begin at these slots; constant outside."""
    if x <= table[axis]:
        return table[values]
    i = 1
    while i < count:
        x1 = table[axis + i]
        if x < x1:
            x0 = table[axis + i - 1]
            y0 = table[values + i - 1]
            return y0 + (table[values + i] - y0) * (x - x0) // (x1 - x0)
        i += 1
    return table[values + count - 1]


@micropython.viper
def surface(
    table: ptr32, rows: int, row_count: int, columns: int, column_count: int, values: int, r: int, c: int
) -> int:
    """Value at (`r`, `c`) of a surface, row by row from slot `values`; `rows` and `columns` are its axes' slots."""
    i = 1
    while i < row_count - 1 and r >= table[rows + i]:
        i += 1
    j = 1
    while j < column_count - 1 and c >= table[columns + j]:
        j += 1
    r0 = table[rows + i - 1]
    r1 = table[rows + i]
    c0 = table[columns + j - 1]
    c1 = table[columns + j]
    r = r0 if r < r0 else r1 if r > r1 else r
    c = c0 if c < c0 else c1 if c > c1 else c
    at = values + (i - 1) * column_count + j - 1
    low = table[at] + (table[at + 1] - table[at]) * (c - c0) // (c1 - c0)
    at += column_count
    high = table[at] + (table[at + 1] - table[at]) * (c - c0) // (c1 - c0)
    return low + (high - low) * (r - r0) // (r1 - r0)
