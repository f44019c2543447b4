"""The classic CAN frame as the bench passes it around, and its rank in arbitration."""

from typing import NamedTuple

FROZEN = True
EXTENDED = 1 << 31
REMOTE = 1 << 30
"""Flags in an address, at the places where SocketCAN has them."""

MAX_STANDARD_ID = 0x7FF
MAX_EXTENDED_ID = 0x1FFF_FFFF


class Frame(NamedTuple):
    """One classic CAN frame (ISO 11898-1, 2.0A or 2.0B).

    `can_id` is 11 bits, or 29 bits with `is_extended`. `data` has 0 to 8 bytes. A remote frame sends no data: its
    `data` only tells the length asked for (DLC).
    """

    can_id: int
    data: bytes
    is_extended: bool = False
    is_remote: bool = False


def arbitration_key(frame: Frame) -> int:
    """Rank of a frame in arbitration: the 32 bits of the arbitration field as a number, the lowest wins.

    The bits stand in the order sent: 11 bits of the id, RTR or SRR, IDE, 18 more bits of an extended id, its RTR. So
    a data frame beats the remote frame with its id, and a standard frame beats every extended one that begins with
    its id.
    """
    can_id, _, is_extended, is_remote = frame
    if is_extended:
        return (can_id >> 18) << 21 | 0b11 << 19 | (can_id & 0x3FFFF) << 1 | is_remote
    return can_id << 21 | is_remote << 20


def address_of(frame: Frame) -> int:
    """Identifier and kind of a frame in one number."""
    return frame.can_id | EXTENDED * frame.is_extended | REMOTE * frame.is_remote


def signed(word: int) -> int:
    """The signed integer of 64 bits with the bits of `word`."""
    return word - (1 << 64) if word >> 63 > 0 else word


def word_of(data: bytes) -> int:
    """Data of up to 8 bytes as a signed little-endian integer of 64 bits, zeros after the last byte."""
    return signed(int.from_bytes(data, "little"))


def frame_of(address: int, length: int, data: int) -> Frame:
    """The frame with this address and these data: the inverse of `address_of` and `word_of`."""
    can_id = address & MAX_EXTENDED_ID
    return Frame(
        can_id, data.to_bytes(8, "little", signed=True)[:length], bool(address & EXTENDED), bool(address & REMOTE)
    )


def check(frame: Frame) -> None:
    """Raise ValueError when a frame cannot exist on a classic CAN bus."""
    limit = MAX_EXTENDED_ID if frame.is_extended else MAX_STANDARD_ID
    if not 0 <= frame.can_id <= limit:
        raise ValueError(f"CAN id {frame.can_id:#x} is outside 0 to {limit:#x}")
    if len(frame.data) > 8:
        raise ValueError(f"frame {frame.can_id:#x} has {len(frame.data)} bytes; classic CAN carries 8 at most")
