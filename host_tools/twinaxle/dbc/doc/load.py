"""How much of a bus messages take: length of frames on the wire, without and with the most stuff bits."""

from dataclasses import dataclass

from twinaxle.dbc.conventions import cycle_ms, is_fd, is_transport
from twinaxle.dbc.syntax import Document, Message

# ISO 11898-1, without stuff bits: SOF, arbitration and control field, CRC, CRC delimiter, ACK, EOF, intermission.
STANDARD_BITS = 1 + 12 + 6 + 15 + 1 + 2 + 7 + 3
EXTENDED_BITS = STANDARD_BITS + 20
# Stuffed is what comes before the CRC delimiter.
UNSTUFFED_BITS = 1 + 2 + 7 + 3


@dataclass(frozen=True)
class Load:
    """A message's share of the bus. Lengths are bit times of one frame with its intermission."""

    message: Message
    cycle_ms: float
    least_bits: int
    most_bits: int

    def share(self, bits: int, bit_rate: int) -> float:
        """Share of the bus (0 to 1) with `bits` a frame, at `bit_rate` in bit/s."""
        return bits * 1000 / self.cycle_ms / bit_rate


def frame_bits(length: int, is_extended: bool) -> tuple[int, int]:
    """Bit times of a classic data frame of `length` bytes (0 to 8): (without stuff bits, with the most).

    The first stuff bit needs five equal bits, each further one four more, of which the stuff bit itself is the first.
    """
    bits = (EXTENDED_BITS if is_extended else STANDARD_BITS) + 8 * length
    return bits, bits + (bits - UNSTUFFED_BITS - 1) // 4


def loads(document: Document) -> list[Load]:
    """The cyclic classic frames, in the order of the file."""
    found = []
    for message in document.messages:
        cycle = cycle_ms(document, message)
        classic = message.line.length <= 8 and not is_fd(document, message) and not is_transport(document, message)
        if cycle > 0 and classic and not message.is_independent:
            found.append(Load(message, cycle, *frame_bits(message.line.length, message.is_extended)))
    return found
