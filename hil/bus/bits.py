"""A frame on the wire: its exact length, and its bits.

Bit order (ISO 11898-1): SOF, arbitration and control field, data, CRC-15 are stuffed: after five equal bits comes one
of the other value, which itself counts as the first of the next run. CRC delimiter, ACK slot and delimiter and the 7
bits of EOF follow unstuffed. Intermission (3 bits) is not part of the frame's length here.
"""

from collections.abc import Iterator

from hil.bus.frame import Frame, address_of, check, word_of
from hil.bus.length import frame_length

CRC15_POLYNOMIAL = 0x4599  # x15+x14+x10+x8+x7+x4+x3+1, ISO 11898-1
TAIL_BITS = 10  # CRC delimiter, ACK slot, ACK delimiter, EOF
EOF_BITS = 7
INTERMISSION_BITS = 3


def crc15(crc: int, value: int, bits: int) -> int:
    """Feed the low `bits` bits of `value`, highest first, into the CRC-15 register and return it (bit by bit)."""
    for shift in range(bits - 1, -1, -1):
        feedback = (value >> shift & 1) ^ crc >> 14
        crc = crc << 1 & 0x7FFF
        if feedback:
            crc ^= CRC15_POLYNOMIAL
    return crc


def _header(can_id: int, dlc: int, is_extended: bool, is_remote: bool) -> tuple[int, int]:
    """SOF to DLC as (value, number of bits)."""
    if is_extended:
        value = (can_id >> 18) << 2 | 0b11  # SRR and IDE, recessive
        value = value << 19 | (can_id & 0x3FFFF) << 1 | is_remote
        return value << 6 | dlc, 1 + 32 + 6  # r1, r0, DLC
    return (can_id << 1 | is_remote) << 6 | dlc, 1 + 12 + 6  # IDE, r0, DLC


def frame_bits(frame: Frame) -> int:
    """Length of a frame in bit times from SOF to the end of EOF, stuff bits included, intermission not.

    Raises ValueError for a frame that classic CAN does not know (id out of range, more than 8 bytes).
    """
    check(frame)
    return frame_length(address_of(frame), len(frame.data), word_of(frame.data))


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
