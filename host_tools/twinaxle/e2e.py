"""AUTOSAR E2E Profile 1 on the host: CRC, sender and receiver.

Variant 1A with both DataID bytes: the CRC is in byte 0, the counter (0 to 14) in the low nibble of byte 1. The CRC is
CRC-8 SAE J1850 (polynomial 0x1D) over the low and the high byte of the DataID and then bytes 1 and up, started with 0
and not inverted. The receiver's rules are those of the generated firmware codec, and a test holds both against the
package `autosar-e2e`.
"""

from enum import IntEnum


def _table() -> bytes:
    table = bytearray(256)
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x1D if crc & 0x80 else crc << 1) & 0xFF
        table[byte] = crc
    return bytes(table)


CRC_TABLE = _table()
COUNTERS = 15  # the counter runs from 0 to 14; 15 is invalid


class Verdict(IntEnum):
    """What a receiver thinks of a frame. Only the first two mean that its content may be used."""

    OK = 0
    OK_SOME_LOST = 1  # good, but frames before it are missing
    REPEATED = 2  # the counter stands still
    WRONG_SEQUENCE = 3  # more frames are missing than allowed
    WRONG_CRC = 4  # as if it had not come
    INITIAL = 5  # the first frame: good, but nothing to compare its counter with
    SYNC = 6  # the first good frame after a wrong sequence
    INVALID_COUNTER = 7  # counter 15: as if it had not come
    WRONG_LENGTH = 8  # as if it had not come

    @property
    def good(self) -> bool:
        """True if the content may be used."""
        return self <= Verdict.OK_SOME_LOST


def crc8_j1850(data: bytes | bytearray, crc: int = 0) -> int:
    """CRC-8 with polynomial 0x1D over all bytes, started with `crc`, neither reflected nor inverted."""
    table = CRC_TABLE
    for byte in data:
        crc = table[crc ^ byte]
    return crc


def crc_seed(data_id: int) -> int:
    """The CRC over the two bytes of the DataID, with which the CRC over the frame goes on."""
    return CRC_TABLE[CRC_TABLE[data_id & 0xFF] ^ data_id >> 8]


def _crc(payload: bytes | bytearray, seed: int, table: bytes = CRC_TABLE) -> int:
    """The CRC of a frame from byte 1 on."""
    if len(payload) == 8:  # nearly every frame, so without a loop
        _, b1, b2, b3, b4, b5, b6, b7 = payload
        return table[table[table[table[table[table[table[seed ^ b1] ^ b2] ^ b3] ^ b4] ^ b5] ^ b6] ^ b7]
    return crc8_j1850(payload[1:], seed)


class Protector:
    """The sending side of one message: counts and signs its frames."""

    def __init__(self, data_id: int, counter: int = 0) -> None:
        """`counter` is that of the next frame."""
        self.counter = counter
        self._seed = crc_seed(data_id)

    def protect(self, payload: bytes) -> bytes:
        """The frame with counter and CRC set. Needs 2 bytes at least; the high nibble of byte 1 stays."""
        frame = bytearray(payload)
        frame[1] = frame[1] & 0xF0 | self.counter
        frame[0] = _crc(frame, self._seed)
        self.counter = self.counter + 1 if self.counter < COUNTERS - 1 else 0
        return bytes(frame)


class Checker:
    """The receiving side of one message.

    The first frame with a good CRC is INITIAL. From then on the distance of the counter from the last one decides:
    0 REPEATED, 1 OK, up to `max_delta` OK_SOME_LOST, more WRONG_SEQUENCE. After a wrong sequence the next good frame
    is SYNC, and the one after it counts again. `lost` sums up the frames that the counter shows to be missing, at most
    13 of a gap.
    """

    def __init__(self, data_id: int, max_delta: int = 2, length: int = 8) -> None:
        self.max_delta = max_delta
        self.lost = 0
        self._length = length
        self._seed = crc_seed(data_id)
        self._last = -1
        self._syncing = False

    def check(self, payload: bytes | bytearray) -> Verdict:
        """The verdict on a frame, which is remembered as received."""
        if len(payload) != self._length:
            return Verdict.WRONG_LENGTH
        if payload[0] != _crc(payload, self._seed):
            return Verdict.WRONG_CRC
        counter = payload[1] & 0x0F
        if counter == COUNTERS:
            return Verdict.INVALID_COUNTER
        last, self._last = self._last, counter
        if last < 0:
            return Verdict.INITIAL
        delta = (counter - last) % COUNTERS
        if delta == 0:
            return Verdict.REPEATED
        if delta > 1:
            self.lost += delta - 1
        if delta > self.max_delta:
            self._syncing = True
            return Verdict.WRONG_SEQUENCE
        if self._syncing:
            self._syncing = False
            return Verdict.SYNC
        return Verdict.OK if delta == 1 else Verdict.OK_SOME_LOST
