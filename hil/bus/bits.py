"""Exact length of a frame on the wire: CRC-15 and stuff bits by table, a few steps a frame.

Bit order on the wire (ISO 11898-1): SOF, arbitration and control field, data, CRC-15 are stuffed: after five equal
bits comes one of the other value, which itself counts as the first of the next run. CRC delimiter, ACK slot and
delimiter and the 7 bits of EOF follow unstuffed. Intermission (3 bits) is not part of the frame's length here.

Tables work on words: `_STUFF[state][word]` gives the stuff bits put into the word and the state after it, packed as
`state << 5 | count`. A state is (last bit, length of its run - 1): 8 of them.
"""

from array import array
from collections.abc import Callable, Iterator
from functools import cache
from struct import Struct

import numpy as np
import numpy.typing as npt

from hil.bus.frame import Frame, check

CRC15_POLYNOMIAL = 0x4599  # x15+x14+x10+x8+x7+x4+x3+1, ISO 11898-1
TAIL_BITS = 10  # CRC delimiter, ACK slot, ACK delimiter, EOF
EOF_BITS = 7
INTERMISSION_BITS = 3

_words_of: Callable[[bytes], tuple[int, int, int, int]] = Struct(">4H").unpack


def crc15(crc: int, value: int, bits: int) -> int:
    """Feed the low `bits` bits of `value`, highest first, into the CRC-15 register and return it (bit by bit)."""
    for shift in range(bits - 1, -1, -1):
        feedback = (value >> shift & 1) ^ crc >> 14
        crc = crc << 1 & 0x7FFF
        if feedback:
            crc ^= CRC15_POLYNOMIAL
    return crc


def _step(state: int, value: int, bits: int) -> int:
    """Stuffing bit by bit: `state << 5 | count` after the low `bits` bits of `value`, highest first."""
    last, run, count = state >> 2, (state & 3) + 1, 0
    for shift in range(bits - 1, -1, -1):
        bit = value >> shift & 1
        run = run + 1 if bit == last else 1
        last = bit
        if run == 5:
            count += 1
            last ^= 1
            run = 1
    return last << 7 | (run - 1) << 5 | count


def _table(bits: int) -> npt.NDArray[np.uint8]:
    return np.array([[_step(state, word, bits) for word in range(1 << bits)] for state in range(8)], dtype=np.uint8)


def _joined(high: npt.NDArray[np.uint8], low: npt.NDArray[np.uint8], low_bits: int) -> tuple[bytes, ...]:
    """The table for words made of a high and a low part, from the tables of the parts."""
    word = np.arange(high.shape[1] << low_bits)
    rows = []
    for state in range(8):
        first = high[state][word >> low_bits]
        second = low[first >> 5, word & (1 << low_bits) - 1]
        rows.append(((second & 0xE0) + (first & 31) + (second & 31)).astype(np.uint8).tobytes())
    return tuple(rows)


def _by_packed_state(rows: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The rows, to be indexed by a packed `state << 5 | count` as it comes out of the step before."""
    return tuple(rows[packed >> 5] for packed in range(256))


_BYTE = _table(8)
_STUFF_BYTE = tuple(row.tobytes() for row in _BYTE)
_STUFF_WORD = _joined(_BYTE, _BYTE, 8)
_STUFF_CRC = tuple(bytes(packed & 31 for packed in row) for row in _joined(_BYTE, _table(7), 7))
_NEXT_WORD = _by_packed_state(_STUFF_WORD)
_NEXT_CRC = _by_packed_state(_STUFF_CRC)

_CRC_BYTE = tuple(crc15(byte << 7, 0, 8) for byte in range(256))


def _crc_of_word(following: int) -> "array[int]":
    """What a 16-bit word adds to the CRC when `following` more bytes come after it (the CRC is linear)."""
    parts = []
    for position in (following + 1, following):
        part = np.array(_CRC_BYTE, dtype=np.uint16)
        for _ in range(position):
            part = (part << 8 & 0x7FFF) ^ np.array(_CRC_BYTE, dtype=np.uint16)[part >> 7]
        parts.append(part)
    word = np.arange(65536)
    return array("H", (parts[0][word >> 8] ^ parts[1][word & 255]).astype(np.uint16).tobytes())


_CRC_0, _CRC_1, _CRC_2, _CRC_3 = (_crc_of_word(following) for following in (6, 4, 2, 0))


def _header(can_id: int, dlc: int, is_extended: bool, is_remote: bool) -> tuple[int, int]:
    """SOF to DLC as (value, number of bits)."""
    if is_extended:
        value = (can_id >> 18) << 2 | 0b11  # SRR and IDE, recessive
        value = value << 19 | (can_id & 0x3FFFF) << 1 | is_remote
        return value << 6 | dlc, 1 + 32 + 6  # r1, r0, DLC
    return (can_id << 1 | is_remote) << 6 | dlc, 1 + 12 + 6  # IDE, r0, DLC


@cache
def _start(can_id: int, dlc: int, is_extended: bool, is_remote: bool) -> tuple[int, int, int]:
    """What a header fixes: (stuffing state, CRC, length of the frame without the stuff bits of data and CRC)."""
    check(Frame(can_id, bytes(dlc), is_extended, is_remote))
    value, bits = _header(can_id, dlc, is_extended, is_remote)
    # Before SOF the bus is recessive; SOF starts a run of its own.
    packed = _step(0, value, bits - 1)
    data_bits = 0 if is_remote else 8 * dlc
    return packed >> 5, crc15(0, value, bits), bits + (packed & 31) + data_bits + 15 + TAIL_BITS


class _Full(dict[int, tuple[bytes, int, int]]):
    """Standard data frames of 8 bytes by id: (first stuffing table, CRC as the header alone leaves it, bits)."""

    def __missing__(self, can_id: int) -> tuple[bytes, int, int]:
        state, crc, bits = _start(can_id, 8, False, False)
        self[can_id] = entry = _STUFF_WORD[state], crc15(crc, 0, 64), bits
        return entry


_full = _Full()


def frame_bits(frame: Frame) -> int:
    """Length of a frame in bit times from SOF to the end of EOF, stuff bits included, intermission not.

    Raises ValueError for a frame that classic CAN does not know (id out of range, more than 8 bytes).
    """
    can_id, data, is_extended, is_remote = frame
    if len(data) == 8 and not (is_extended or is_remote):
        table, crc, bits = _full[can_id]
        a, b, c, d = _words_of(data)
        p = table[a]
        q = _NEXT_WORD[p][b]
        r = _NEXT_WORD[q][c]
        s = _NEXT_WORD[r][d]
        # The counts stand in the low five bits and add up to 16 at most, so that one sum carries them.
        return bits + (p + q + r + s & 31) + _NEXT_CRC[s][crc ^ _CRC_0[a] ^ _CRC_1[b] ^ _CRC_2[c] ^ _CRC_3[d]]
    state, crc, bits = _start(can_id, len(data), is_extended, is_remote)
    if not is_remote:
        for byte in data:
            packed = _STUFF_BYTE[state][byte]
            bits += packed & 31
            state = packed >> 5
            crc = (crc << 8 & 0x7FFF) ^ _CRC_BYTE[crc >> 7 ^ byte]
    return bits + _STUFF_CRC[state][crc]


def wire_bits(frame: Frame) -> Iterator[int]:
    """The bits of a frame as they stand on the wire, 0 dominant, from SOF to the last bit of the CRC with its stuff
    bit.

    Slow; for faults, which need to know the wire at one bit.
    """
    can_id, data, is_extended, is_remote = frame
    check(frame)
    value, bits = _header(can_id, len(data), is_extended, is_remote)
    if not is_remote:
        value = value << 8 * len(data) | int.from_bytes(data, "big")
        bits += 8 * len(data)
    value, bits = value << 15 | crc15(0, value, bits), bits + 15
    last, run = 1, 0
    for shift in range(bits - 1, -1, -1):
        bit = value >> shift & 1
        yield bit
        run = run + 1 if bit == last else 1
        last = bit
        if run == 5:
            last ^= 1
            run = 1
            yield last
