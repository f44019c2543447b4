"""Exact length on the wire of all frames of a log: CRC-15 and stuff bits on arrays.

Bit order on the wire (ISO 11898-1): SOF, arbitration and control field, data and CRC-15 are stuffed: after five equal
bits comes one of the other value, which counts as the first of the next run. CRC delimiter, ACK and EOF are not.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from twinaxle.logs.frames import ERROR, EXTENDED, REMOTE, FrameTable

INTERMISSION_BITS = 3
ERROR_FRAME_BITS = 20
"""Two error flags of 6 bits that do not overlap, and the delimiter of 8: the longest that an error frame gets."""

_POLYNOMIAL = 0x4599  # CRC-15 of classic CAN
_TAIL_BITS = 10  # CRC delimiter, ACK slot and delimiter, EOF
_PIECE = 200_000  # frames at a time: what the processor's cache holds

Bits = npt.NDArray[np.int32]


def frame_bits(table: FrameTable) -> Bits:
    """Bit times from SOF to the end of EOF of each frame, [n], without intermission; ERROR_FRAME_BITS for error frames.

    Raises ValueError for identifiers out of range.
    """
    result = np.empty(len(table), dtype=np.int32)
    for start in range(0, len(table), _PIECE):
        piece = table.take(slice(start, start + _PIECE))
        result[start : start + _PIECE] = _piece_bits(piece)
    return result


def data_frame_bits(can_id: int, data: bytes | bytearray, is_extended: bool, is_remote: bool) -> int:
    """Bit times from SOF to the end of EOF of one frame, without intermission; `data` of a remote frame is its length.

    Raises ValueError for an identifier out of range.
    """
    flags = EXTENDED * is_extended | REMOTE * is_remote
    state, crc, bits = _start(can_id << 6 | flags << 4 | len(data))
    step, crc_of, last = _lists()
    if not is_remote:
        for byte in data:
            packed = step[state << 8 | byte]
            bits += packed & 31
            state = packed >> 5
            crc = (crc << 8 & 0x7FFF) ^ crc_of[crc >> 7 ^ byte]
    packed = step[state << 8 | crc >> 7]
    return bits + (packed & 31) + last[(packed >> 5) << 7 | crc & 0x7F]


def _piece_bits(table: FrameTable) -> Bits:
    is_error = (table.flags & ERROR) != 0
    # Whatever has the same header is stuffed in the same way up to the data.
    heads = table.can_id.astype(np.int64) << 6 | (table.flags & (EXTENDED | REMOTE)).astype(np.int64) << 4
    heads |= table.length
    heads[is_error] = 0
    found, inverse = np.unique(heads, return_inverse=True)
    starts = np.array([_start(int(head)) for head in found], dtype=np.int32).reshape(-1, 3)
    state, crc, bits = (column[inverse] for column in starts.T)

    length = np.where(table.flags & (REMOTE | ERROR), 0, table.length)
    step, crc_of = _tables()
    shortest, longest = (int(length.min()), int(length.max())) if len(length) else (0, 0)
    for place in range(longest):
        rows = slice(None) if place < shortest else np.flatnonzero(length > place)
        byte = table.data[rows, place]
        packed = step[state[rows] << 8 | byte]
        bits[rows] += packed & 31
        state[rows] = packed >> 5
        register = crc[rows]
        crc[rows] = (register << 8 & 0x7FFF) ^ crc_of[register >> 7 ^ byte]
    packed = step[state << 8 | crc >> 7]
    bits += packed & 31
    bits += _last_bits()[(packed >> 5) << 7 | crc & 0x7F]
    bits[is_error] = ERROR_FRAME_BITS
    return bits


def _crc15(crc: int, value: int, bits: int) -> int:
    for shift in range(bits - 1, -1, -1):
        feedback = (value >> shift & 1) ^ crc >> 14
        crc = (crc << 1 & 0x7FFF) ^ (_POLYNOMIAL if feedback else 0)
    return crc


def _stuff(state: int, value: int, bits: int) -> tuple[int, int]:
    """State and number of stuff bits after the low `bits` bits of `value`. A state is last bit * 4 + run - 1."""
    last, run, count = state >> 2, (state & 3) + 1, 0
    for shift in range(bits - 1, -1, -1):
        bit = value >> shift & 1
        run = run + 1 if bit == last else 1
        last = bit
        if run == 5:
            count += 1
            last, run = last ^ 1, 1
    return last << 2 | run - 1, count


@cache
def _start(head: int) -> tuple[int, int, int]:
    """What a header fixes: stuffing state, CRC, length of the frame without the stuff bits of data and CRC."""
    can_id, flags, length = head >> 6, head >> 4 & 3, head & 15
    is_extended, is_remote = bool(flags & EXTENDED), bool(flags & REMOTE)
    if can_id >= 1 << (29 if is_extended else 11):
        raise ValueError(f"identifier {can_id:#x} is out of range")
    if is_extended:
        value, bits = (can_id >> 18) << 2 | 0b11, 14  # SOF, 11 bits, SRR and IDE recessive
        value, bits = value << 19 | (can_id & 0x3FFFF) << 1 | is_remote, bits + 19
        value, bits = value << 6 | length, bits + 6  # r1, r0, DLC
    else:
        value, bits = (can_id << 1 | is_remote) << 6 | length, 19  # SOF, identifier, RTR, IDE, r0, DLC
    state, stuffed = _stuff(0, value, bits - 1)  # SOF begins a run of dominant bits
    return state, _crc15(0, value, bits), bits + stuffed + (0 if is_remote else 8 * length) + 15 + _TAIL_BITS


@cache
def _tables() -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """For a byte: stuffing `[state << 8 | byte]`, as state << 5 | stuff bits, and CRC `[crc >> 7 ^ byte]`."""
    step = [_packed(state, byte, 8) for state in range(8) for byte in range(256)]
    crc = [_crc15(byte << 7, 0, 8) for byte in range(256)]
    return np.array(step, dtype=np.int32), np.array(crc, dtype=np.int32)


@cache
def _lists() -> tuple[list[int], list[int], list[int]]:
    """The tables as lists: for one frame at a time they are quicker than arrays."""
    step, crc = _tables()
    return step.tolist(), crc.tolist(), _last_bits().tolist()


@cache
def _last_bits() -> npt.NDArray[np.int32]:
    """Stuff bits in the low 7 bits of the CRC: `[state << 7 | bits]`."""
    return np.array([_packed(state, low, 7) & 31 for state in range(8) for low in range(128)], dtype=np.int32)


def _packed(state: int, value: int, bits: int) -> int:
    after, count = _stuff(state, value, bits)
    return after << 5 | count
