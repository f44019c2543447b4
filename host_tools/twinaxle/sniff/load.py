"""How much of the bus a frame takes: exact with its stuff bits for classic CAN, an estimate for CAN FD."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import can

BitsOf = Callable[["can.Message"], float]

_CLASSIC_BYTES = 8

# CAN FD (ISO 11898-1:2015), bits without dynamic stuff bits. Arbitration phase: SOF, identifier, RRS, IDE, FDF, res,
# BRS before the switch of the rate; CRC delimiter, ACK slot and delimiter, EOF after it. An extended identifier adds
# SRR and 18 bits. Data phase: ESI, DLC, data, stuff count with parity and 6 or 7 fixed stuff bits, CRC.
_FD_NOMINAL_BITS = 17 + 10
_FD_EXTENDED_BITS = 19
_FD_DATA_BITS = 5
_FD_CRC_BITS = {True: 17 + 4 + 6, False: 21 + 4 + 7}  # up to 16 bytes; more
_STUFFING = 1.05
"""Random data has a stuff bit in some 20 bits or more; its share is estimated, not counted."""


def frame_time(data_bitrate_ratio: float = 1.0) -> BitsOf:
    """A function that gives the time a frame holds the bus, in nominal bit times with the 3 bits of intermission.

    `data_bitrate_ratio` is data bit rate / nominal bit rate, for CAN FD frames with bit rate switch. An error frame
    counts with the longest that it gets.
    """
    from twinaxle.logs.bits import ERROR_FRAME_BITS, INTERMISSION_BITS, data_frame_bits

    def bits(message: "can.Message") -> float:
        if message.is_fd:
            return _fd_bits(message, data_bitrate_ratio) + INTERMISSION_BITS
        if message.is_error_frame:
            return ERROR_FRAME_BITS + INTERMISSION_BITS
        data = message.data
        if message.is_remote_frame or len(data) > _CLASSIC_BYTES:  # a classic DLC of 9 to 15 means 8 bytes
            data = bytearray(min(message.dlc, _CLASSIC_BYTES))
        try:
            return INTERMISSION_BITS + data_frame_bits(
                message.arbitration_id, data, message.is_extended_id, message.is_remote_frame
            )
        except ValueError:  # an identifier that no frame can have, from a broken log or driver
            return 0.0

    return bits


def _fd_bits(message: "can.Message", ratio: float) -> float:
    nominal = _FD_NOMINAL_BITS + _FD_EXTENDED_BITS * message.is_extended_id
    length = len(message.data)
    data = _FD_DATA_BITS + 8 * length + _FD_CRC_BITS[length <= 16]
    return (nominal + data / (ratio if message.bitrate_switch else 1.0)) * _STUFFING
