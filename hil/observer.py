"""What the bus says: the newest frame of every message, decoded on demand.

The observer listens like any tool on the bus. Tests and the oracle read it; it costs one dictionary entry a frame,
and decoding happens only when somebody asks.
"""

from __future__ import annotations

from typing import Any

from hil.bus import Bus, Frame
from twinaxle.dbc import Database
from twinaxle.dbc.codec import MessageCodec
from twinaxle.errors import UserError

NEVER_NS = -(10**18)
"""Time of a frame that never came: older than any timeout."""


class Observer:
    """Newest frame of each message of the database, by message name. With E2E, a frame that is too short never came."""

    def __init__(self, bus: Bus, database: Database) -> None:
        self._codecs = {name: MessageCodec(message) for name, message in database.messages.items()}
        self._ids = {name: message.frame_id for name, message in database.messages.items()}
        self._shortest = {m.frame_id: m.length for m in database.messages.values() if m.e2e is not None}
        self._choices = {
            (name, signal.name): signal.choices
            for name, message in database.messages.items()
            for signal in message.signals
        }
        self._decoded: dict[str, tuple[bytes, Any]] = {}
        self._newest: dict[int, tuple[int, bytes]] = {}
        bus.tap(self._on_frame)

    def _on_frame(self, time_ns: int, frame: Frame, _sender: str) -> None:
        can_id, data, is_extended, _ = frame
        if len(data) >= self._shortest.get(can_id, 0) and not is_extended:
            self._newest[can_id] = (time_ns, data)

    def _id(self, name: str) -> int:
        try:
            return self._ids[name]
        except KeyError:
            known = ", ".join(sorted(self._ids))
            raise UserError(f"message {name!r} is not in the database; it has: {known}") from None

    def seen(self, name: str) -> bool:
        """Whether the message was ever on the bus."""
        return self._id(name) in self._newest

    def time_ns(self, name: str) -> int:
        """Bench time of the end of the newest frame of this message; `NEVER_NS` when none came."""
        entry = self._newest.get(self._id(name))
        return NEVER_NS if entry is None else entry[0]

    def payload(self, name: str) -> bytes:
        """Data bytes of the newest frame. Raises `UserError` when none came."""
        entry = self._newest.get(self._id(name))
        if entry is None:
            raise UserError(f"no frame of message {name!r} has been on the bus")
        return entry[1]

    def latest(self, name: str) -> Any:
        """Physical values of the newest frame as a named tuple. Raises `UserError` when none came."""
        data = self.payload(name)
        known = self._decoded.get(name)
        if known is not None and known[0] is data:
            return known[1]
        values = self._codecs[name].unpack(data)
        self._decoded[name] = (data, values)
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
