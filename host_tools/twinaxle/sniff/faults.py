"""Error frames: how many, and what the driver says about the last one."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import can

# include/uapi/linux/can/error.h: bits of the identifier
_CLASSES = {
    0x001: "transmit timeout",
    0x002: "arbitration lost",
    0x004: "controller",
    0x008: "protocol",
    0x010: "transceiver",
    0x020: "no acknowledge",
    0x040: "bus-off",
    0x080: "bus error",
    0x100: "restarted",
}
_HAS_COUNTERS = 0x200
# Bits of data byte 1 and of data byte 2
_CONTROLLER = {
    0x01: "receive overflow",
    0x02: "transmit overflow",
    0x04: "receive warning",
    0x08: "transmit warning",
    0x10: "receive passive",
    0x20: "transmit passive",
    0x40: "active again",
}
_PROTOCOL = {0x01: "bit", 0x02: "form", 0x04: "stuff", 0x08: "dominant bit", 0x10: "recessive bit", 0x20: "overload"}


class ErrorFrames:
    """Counts error frames.

    `as_socketcan`: they have SocketCAN's classes in the identifier. Other drivers put other things there, of which
    nothing is claimed.
    """

    __slots__ = ("as_socketcan", "count", "last", "last_time_s", "receive_counter", "transmit_counter")

    def __init__(self, as_socketcan: bool = False) -> None:
        self.as_socketcan = as_socketcan
        self.clear()

    def clear(self) -> None:
        """Begin again."""
        self.count = 0
        self.last = ""
        self.last_time_s = 0.0
        self.transmit_counter: int | None = None
        """Error counters of the adapter's controller (TEC, REC) where the driver reports them."""
        self.receive_counter: int | None = None

    def add(self, message: "can.Message") -> None:
        """Count an error frame."""
        self.count += 1
        self.last_time_s = message.timestamp
        if not self.as_socketcan:
            return
        kind, data = message.arbitration_id, message.data
        self.last = describe(kind, bytes(data))
        if kind & _HAS_COUNTERS and len(data) == 8:
            self.transmit_counter, self.receive_counter = data[6], data[7]


def describe(kind: int, data: bytes) -> str:
    """SocketCAN's error class with its details in words."""
    words = [word for bit, word in _CLASSES.items() if kind & bit]
    for bit, place, names in ((0x004, 1, _CONTROLLER), (0x008, 2, _PROTOCOL)):
        if kind & bit and len(data) > place:
            words += [word for flag, word in names.items() if data[place] & flag]
    return ", ".join(words)
