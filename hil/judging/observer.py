"""What the bus says: the newest frame of every message, decoded on demand.

The bus keeps the newest frame of each id. Tests and the oracle read it here; decoding happens only when somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hil.bus import Bus
from hil.bus.calm import NEVER_NS
from twinaxle.dbc import Database, Message
from twinaxle.dbc.codec import MessageCodec, whole_inverse
from twinaxle.errors import UserError


class Newest:
    """The newest frame of one message."""

    __slots__ = (
        "_can_id", "_codec", "_data", "_decoded_ns", "_kernel", "_length", "_silence_ns", "_times", "_values",
        "message",
    )  # fmt: skip

    def __init__(self, bus: Bus, message: Message) -> None:
        self.message = message
        self._can_id = message.frame_id
        self._codec = MessageCodec(message)
        self._times, self._data, self._length = bus.newest_ns, bus.newest_data, bus.newest_length
        self._kernel = bus.kernel
        self._silence_ns = (message.rx_timeout_ms or 10 * message.cycle_ms) * 1_000_000 or NEVER_NS
        self._decoded_ns = -1
        self._values: Any = None

    @property
    def time_ns(self) -> int:
        """Bench time of the end of the frame; longer ago than any timeout when none came."""
        return self._times[self._can_id]

    def payload(self) -> bytes:
        """Its data bytes. Raises `UserError` when none came."""
        can_id = self._can_id
        if self._times[can_id] < 0:
            raise UserError(f"no frame of message {self.message.name!r} has been on the bus")
        return self._data[can_id].to_bytes(8, "little", signed=True)[: self._length[can_id]]

    def values(self) -> Any:
        """Its physical values as a named tuple. Raises `UserError` when none came."""
        time_ns = self._times[self._can_id]
        if time_ns != self._decoded_ns:
            self._values = self._codec.unpack(self.payload())
            self._decoded_ns = time_ns
        return self._values

    def fresh_reader(self, name: str, absent: float) -> Callable[[], float]:
        """As `reader`, but `absent` too after the message's receive timeout in the database (without one: ten cycles):
        who has no power says nothing.
        """
        read, times, can_id = self.reader(name), self._times, self._can_id
        kernel, silence_ns = self._kernel, self._silence_ns
        return lambda: read() if times[can_id] >= kernel.now_ns - silence_ns else absent

    def reader(self, name: str, absent: float = 0) -> Callable[[], float]:
        """A function that reads one signal of the newest frame, as `values` has it but without decoding the others.

        Before the first frame it returns `absent`. For those who look every 10 ms.
        """
        signal = self.message.signal(name)
        if signal.is_big_endian or signal.is_float or signal.mux is not None:
            return lambda: getattr(self.values(), name) if self.time_ns >= 0 else absent
        data, times, can_id = self._data, self._times, self._can_id
        shift, mask = signal.shift, (1 << signal.length) - 1
        sign = 1 << signal.length - 1 if signal.raw_minimum < 0 else 0
        if signal.factor == 1 and signal.offset == 0:
            return lambda: ((data[can_id] >> shift & mask) ^ sign) - sign if times[can_id] >= 0 else absent
        factor, offset, inverse = signal.factor, signal.offset, whole_inverse(signal.factor)

        def physical() -> float:
            if times[can_id] < 0:
                return absent
            raw = ((data[can_id] >> shift & mask) ^ sign) - sign
            return (raw / inverse if inverse else raw * factor) + offset

        return physical


class Observer:
    """Newest frame of each message of the database, by message name. With E2E, a frame that is too short never came."""

    def __init__(self, bus: Bus, database: Database) -> None:
        self.line_memory = bus.memory
        """Of the bus's `Calm`, where compiled code finds the newest frames."""
        self._newest = {name: Newest(bus, message) for name, message in database.messages.items()}
        for message in database.messages.values():
            if message.e2e is not None:
                bus.newest_shortest[message.frame_id] = message.length
        self._choices = {
            (name, signal.name): signal.choices
            for name, message in database.messages.items()
            for signal in message.signals
        }

    def newest(self, name: str) -> Newest:
        """The newest frame of a message; it stays the newest as frames come."""
        try:
            return self._newest[name]
        except KeyError:
            known = ", ".join(sorted(self._newest))
            raise UserError(f"message {name!r} is not in the database; it has: {known}") from None

    def seen(self, name: str) -> bool:
        """Whether the message was ever on the bus."""
        return self.newest(name).time_ns >= 0

    def time_ns(self, name: str) -> int:
        """Bench time of the end of the newest frame of this message; longer ago than any timeout when none came."""
        return self.newest(name).time_ns

    def payload(self, name: str) -> bytes:
        """Data bytes of the newest frame. Raises `UserError` when none came."""
        return self.newest(name).payload()

    def latest(self, name: str) -> Any:
        """Physical values of the newest frame as a named tuple. Raises `UserError` when none came."""
        return self.newest(name).values()

    def label(self, name: str, signal: str) -> str:
        """The value of a signal in its value table's words: `label("VcuStatus", "State")` is "Drive".

        "" when no such frame came; the number as text where the table has no word for it.
        """
        if not self.seen(name):
            return ""
        value = int(getattr(self.latest(name), signal))
        return self._choices[name, signal].get(value, str(value))

    def choices(self, name: str, signal: str) -> dict[int, str]:
        """The value table of a signal: words by number."""
        return dict(self._choices[name, signal])

    def raw(self, name: str, signal: str, label: str) -> int:
        """The number that the value table of a signal has for a word. Raises `UserError` for an unknown word."""
        for value, word in self._choices.get((name, signal), {}).items():
            if word == label:
                return value
        raise UserError(f"the value table of {name}.{signal} has no {label!r}")
