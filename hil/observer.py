"""What the bus says: the newest frame of every message, decoded on demand.

The bus keeps the newest frame of each id. Tests and the oracle read it here; decoding happens only when somebody asks.
"""

from __future__ import annotations

from typing import Any

from hil.bus import Bus
from twinaxle.dbc import Database
from twinaxle.dbc.codec import MessageCodec
from twinaxle.errors import UserError


class Observer:
    """Newest frame of each message of the database, by message name."""

    def __init__(self, bus: Bus, database: Database) -> None:
        self._codecs = {name: MessageCodec(message) for name, message in database.messages.items()}
        self._ids = {name: message.frame_id for name, message in database.messages.items()}
        self._choices = {
            (name, signal.name): signal.choices
            for name, message in database.messages.items()
            for signal in message.signals
        }
        self._decoded: dict[str, tuple[int, Any]] = dict.fromkeys(self._ids, (-1, None))
        self._newest_ns, self._newest_data, self._lengths = bus.newest_ns, bus.newest_data, bus.newest_length

    def _id(self, name: str) -> int:
        try:
            return self._ids[name]
        except KeyError:
            known = ", ".join(sorted(self._ids))
            raise UserError(f"message {name!r} is not in the database; it has: {known}") from None

    def seen(self, name: str) -> bool:
        """Whether the message was ever on the bus."""
        return self._newest_ns[self._id(name)] >= 0

    def time_ns(self, name: str) -> int:
        """Bench time of the end of the newest frame of this message; longer ago than any timeout when none came."""
        return self._newest_ns[self._id(name)]

    def payload(self, name: str) -> bytes:
        """Data bytes of the newest frame. Raises `UserError` when none came."""
        can_id = self._id(name)
        if self._newest_ns[can_id] < 0:
            raise UserError(f"no frame of message {name!r} has been on the bus")
        return self._newest_data[can_id].to_bytes(8, "little", signed=True)[: self._lengths[can_id]]

    def latest(self, name: str) -> Any:
        """Physical values of the newest frame as a named tuple. Raises `UserError` when none came."""
        time_ns = self._newest_ns[self._id(name)]
        known_ns, values = self._decoded[name]
        if known_ns != time_ns or time_ns < 0:
            values = self._codecs[name].unpack(self.payload(name))
            self._decoded[name] = (time_ns, values)
        return values

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
