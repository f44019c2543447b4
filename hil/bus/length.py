"""The exact length of a frame on the wire. Compiled, see `hil.native`: two tables by bytes, a step a byte.

The order of the fields and the rule of stuffing stand in `hil.bus.bits`.
"""

from __future__ import annotations

import numpy as np

from hil.bus.frame import EXTENDED, REMOTE
from hil.native import compiled

_TAIL_BITS = 10
_CRC15 = 0x4599

# State of stuffing: the last bit and the length of its run less one, `bit << 2 | run - 1`. `_stuff` gives the state
# after some bits, with the number of stuff bits above it.
_RECESSIVE = 0b100  # before SOF, which starts a run of its own


@compiled
def _stuff(state: int, value: int, bits: int) -> int:
    """Stuff the low `bits` bits of `value`, highest first."""
    last, run, count = state >> 2, (state & 3) + 1, 0
    for shift in range(bits - 1, -1, -1):
        bit = (value >> shift) & 1
        run = run + 1 if bit == last else 1
        last = bit
        if run == 5:
            count += 1
            last ^= 1
            run = 1
    return count << 3 | last << 2 | (run - 1)


@compiled
def _crc_of_byte(byte: int) -> int:
    """What a byte does to an empty CRC register."""
    crc = 0
    for shift in range(7, -1, -1):
        crc = (crc << 1 & 0x7FFF) ^ _CRC15 * (((byte >> shift) & 1) ^ crc >> 14)
    return crc


_STUFF_BYTE = np.array([[_stuff(state, byte, 8) for byte in range(256)] for state in range(8)], dtype=np.int64)
_CRC_BYTE = np.array([_crc_of_byte(byte) for byte in range(256)], dtype=np.int64)


@compiled
def frame_length(address: int, length: int, data: int) -> int:
    """Bit times from SOF to the end of EOF with stuff bits (ISO 11898-1), without intermission.

    `address` and `data` as in `hil.bus.calm`, `length` in bytes.
    """
    remote = 1 if address & REMOTE else 0
    if address & EXTENDED:
        can_id = address & 0x1FFF_FFFF
        head = ((can_id >> 18) << 2 | 0b11) << 19 | (can_id & 0x3FFFF) << 1 | remote
        head_bits = 1 + 32 + 6
    else:
        head = (address & 0x7FF) << 1 | remote
        head_bits = 1 + 12 + 6
    head = head << 6 | length
    crc, packed, bits = 0, _RECESSIVE, head_bits
    for shift in range(head_bits - 1, -1, -1):
        bit = (head >> shift) & 1
        crc = (crc << 1 & 0x7FFF) ^ _CRC15 * (bit ^ crc >> 14)
        packed = _stuff(packed & 7, bit, 1)
        bits += packed >> 3
    for index in range(0 if remote else length):
        byte = (data >> 8 * index) & 0xFF
        crc = (crc << 8 & 0x7FFF) ^ int(_CRC_BYTE[crc >> 7 ^ byte])
        packed = int(_STUFF_BYTE[packed & 7, byte])
        bits += 8 + (packed >> 3)
    packed = int(_STUFF_BYTE[packed & 7, crc >> 7])
    bits += packed >> 3
    return bits + 15 + (_stuff(packed & 7, crc & 0x7F, 7) >> 3) + _TAIL_BITS
