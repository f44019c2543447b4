"""Fault confinement of a CAN controller: error counters, states, kinds of error (ISO 11898-1, section 12)."""

from enum import Enum, StrEnum

WARNING_LIMIT = 96
PASSIVE_LIMIT = 128
BUS_OFF_LIMIT = 256
COUNTER_MAX = 255
"""The counters are 8 bits wide; bus-off is where the transmit counter would pass this."""

REC_AFTER_PASSIVE = 120
"""ISO 11898-1 leaves 119 to 127 open for the first good reception above 127; bxCAN takes 120 (RM0090, 32.7.6)."""

ERROR_STEP = 8
FLAG_BITS = 6
DELIMITER_BITS = 8
SUSPEND_BITS = 8
RECOVERY_SEQUENCES = 128
RECOVERY_BITS = 11


class ErrorState(Enum):
    """State of a controller. WARNING behaves as ACTIVE; PASSIVE sends recessive error flags; BUS_OFF takes no part."""

    ACTIVE = 0
    WARNING = 1
    PASSIVE = 2
    BUS_OFF = 3


class ErrorKind(StrEnum):
    """What made an error frame, as `Bus.tap_errors` reports it."""

    BIT = "bit"  # the transmitter read back another level than it sent
    STUFF = "stuff"  # six equal bits: the transmitter fell silent in mid-frame
    ACK = "ack"  # no other node on the bus
    DOMINANT = "dominant"  # the bus is held dominant


def state_of(tec: int, rec: int) -> ErrorState:
    """State that belongs to the two counters."""
    if tec >= BUS_OFF_LIMIT:
        return ErrorState.BUS_OFF
    worst = max(tec, rec)
    if worst >= PASSIVE_LIMIT:
        return ErrorState.PASSIVE
    return ErrorState.WARNING if worst >= WARNING_LIMIT else ErrorState.ACTIVE


def rec_after_reception(rec: int) -> int:
    """Receive error counter after a frame received without error."""
    if rec >= PASSIVE_LIMIT:
        return REC_AFTER_PASSIVE
    return rec - 1 if rec else 0


def error_frame_bits(sender_is_passive: bool, active_receivers: bool, run: int) -> int:
    """Bit times from the end of the wrong bit to the end of the error delimiter.

    `run` is the number of equal bits up to and including the wrong one with the level of the sender's flag (dominant
    of an active sender, recessive of a passive one). Receivers see the error as a stuff error when the sender's flag
    has made it six equal bits, and put their own flag behind it: 6 to 12 bits in all. Without active receivers the
    sender's flag stands alone.
    """
    echo = FLAG_BITS - min(run, 5) if active_receivers else 0
    if sender_is_passive and active_receivers:
        return echo + FLAG_BITS + DELIMITER_BITS
    return FLAG_BITS + echo + DELIMITER_BITS
