"""Changing a packed frame: one signal, the E2E counter, the CRC. Layout and E2E parameters come from the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.nodes.names import pick
from twinaxle.dbc.codec import MessageCodec
from twinaxle.e2e import Protector
from twinaxle.errors import UserError

if TYPE_CHECKING:
    from twinaxle.dbc import Message, Signal


class Payload:
    """Reads and writes the frames of one message."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self._codec = MessageCodec(message)
        e2e = message.e2e
        protection = (e2e.crc_signal, e2e.counter_signal) if e2e else ()
        self._protection = [s for s in message.signals if s.name in protection]
        self._application = {s.name: i for i, s in enumerate(s for s in message.signals if s.name not in protection)}
        self._signals = {s.name: s for s in message.signals}

    def signal(self, name: str) -> Signal:
        """The application signal of that name. Raises UserError with near names if there is none."""
        return self._signals[pick(name, self._application, f"signal of {self.message.name}")]

    def read(self, data: bytes, signal: Signal) -> float:
        """Physical value of a signal."""
        value: int = self._codec.unpack_raw(data)[self._application[signal.name]]
        return value * signal.factor + signal.offset

    def write(self, data: bytes, signal: Signal, value: float) -> bytes:
        """The frame with another physical value (nearest raw value, inside the signal's bits); CRC and counter as
        they were.
        """
        raw = list(self._codec.unpack_raw(data))
        nearest = round((value - signal.offset) / signal.factor)
        raw[self._application[signal.name]] = max(signal.raw_minimum, min(signal.raw_maximum, nearest))
        return self._keep_protection(data, self._codec.pack_raw(*raw))

    def _keep_protection(self, old: bytes, new: bytes) -> bytes:
        """`new` with the E2E fields of `old`."""
        mask = self.protection_mask
        kept = int.from_bytes(old, "little") & mask | int.from_bytes(new, "little") & ~mask
        return kept.to_bytes(len(new), "little")

    def contents_of(self, contents: bytes, protection: bytes) -> bytes:
        """The application signals of one frame with the E2E fields of another."""
        return self._keep_protection(protection, contents)

    @property
    def protection_mask(self) -> int:
        """Bits of the E2E fields in the frame read as one Intel number."""
        return sum(((1 << s.length) - 1) << s.start for s in self._protection)

    @property
    def has_e2e(self) -> bool:
        return self.message.e2e is not None

    def require_e2e(self) -> None:
        """Raises UserError for a message without E2E fields."""
        if not self.has_e2e:
            raise UserError(f"{self.message.name} has no E2E protection in the database: no counter, no CRC")

    def counter(self, data: bytes) -> int:
        """The E2E counter."""
        signal = self._e2e_signal(counter=True)
        return int.from_bytes(data, "little") >> signal.start & (1 << signal.length) - 1

    def with_counter(self, data: bytes, counter: int) -> bytes:
        """The frame with another counter and the CRC as it was."""
        return self._put(data, self._e2e_signal(counter=True), counter)

    def crc(self, data: bytes) -> int:
        """The CRC as it stands in the frame."""
        return int.from_bytes(data, "little") >> self._e2e_signal(counter=False).start & 0xFF

    def with_crc(self, data: bytes, crc: int) -> bytes:
        """The frame with another CRC."""
        return self._put(data, self._e2e_signal(counter=False), crc)

    def protected(self, data: bytes) -> bytes:
        """The frame with the CRC that fits its contents and counter; unchanged for a message without E2E."""
        e2e = self.message.e2e
        if e2e is None:
            return data
        return Protector(e2e.data_id, self.counter(data)).protect(data)

    def _e2e_signal(self, counter: bool) -> Signal:
        self.require_e2e()
        e2e = self.message.e2e
        assert e2e is not None
        return self._signals[e2e.counter_signal if counter else e2e.crc_signal]

    @staticmethod
    def _put(data: bytes, signal: Signal, value: int) -> bytes:
        mask = (1 << signal.length) - 1
        word = int.from_bytes(data, "little") & ~(mask << signal.start) | (value & mask) << signal.start
        return word.to_bytes(len(data), "little")
