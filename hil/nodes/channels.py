"""Sensor and actuator channels of a node: the place where a fault gets between the plant and the node."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hil.nodes.names import pick

Change = Callable[[float], float]


class Channels:
    """Named values that pass through unchanged until a fault changes them.

    Hot code asks `if channels.active:` first, so that a healthy channel costs one attribute load.
    """

    __slots__ = ("_changes", "_on_change", "_units", "active", "owner")

    def __init__(self, owner: str, units: Mapping[str, str], on_change: Callable[[], None]) -> None:
        self.owner = owner
        self._on_change = on_change
        self._units = dict(units)
        self._changes: dict[str, list[Change]] = {}
        self.active = False

    def __call__(self, channel: str, value: float) -> float:
        """The value as it comes through the channel, with the faults in the order of their beginning."""
        if self.active:
            for change in self._changes.get(channel, ()):
                value = change(value)
        return value

    def add(self, channel: str, change: Change) -> Callable[[], None]:
        """Put a change into a channel; returns the function that takes it out again."""
        changes = self._changes.setdefault(pick(channel, self._units, f"channel of {self.owner}"), [])
        changes.append(change)
        self.active = True
        self._on_change()

        def remove() -> None:
            changes.remove(change)
            self.active = any(self._changes.values())
            self._on_change()

        return remove

    def unit(self, channel: str) -> str:
        """The unit of a channel."""
        return self._units[pick(channel, self._units, f"channel of {self.owner}")]
