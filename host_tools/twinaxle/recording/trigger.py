"""What makes `twinaxle log --on-fault` keep a stretch of the bus: faults that the stream watch sees, conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twinaxle.dbc.model import EXTENDED, Database
from twinaxle.judge.stream import FAULTS, MessageWatch, StreamWatch
from twinaxle.recording.expression import Condition

if TYPE_CHECKING:
    import can

FAULT_KINDS = ("error-frame", "e2e", "missing")
"""Faults that are known without a condition; all of them by default."""

_LOOK_S = 0.005  # of bus time between two looks for missing messages


class Trigger:
    """Looks at every frame and says when there is a fault, once for each: when it begins, not while it lasts.

    A run of bad E2E frames of one message is one fault, and so are the absence of a message and the time in which a
    condition holds.
    """

    def __init__(self, database: Database, kinds: Sequence[str] = FAULT_KINDS, conditions: Sequence[str] = ()) -> None:
        """`kinds` of FAULT_KINDS. Raises UserError for a condition that the database does not fit."""
        self._watch = StreamWatch(database)
        self._error_frame, self._e2e, self._missing = (kind in kinds for kind in FAULT_KINDS)
        self._conditions = [Condition(text, database) for text in conditions]
        self._holds = [False] * len(self._conditions)
        self._bad: set[int] = set()
        self._late: set[int] = set()
        self._next_look_s = float("-inf")
        self._last_was_error = False

    def feed(self, message: can.Message) -> str | None:
        """Take a frame. Returns what began with it, in words, or None."""
        found = self.look(message.timestamp) if message.timestamp >= self._next_look_s else None
        if message.is_error_frame:
            first, self._last_was_error = not self._last_was_error, True
            return found or ("error frame" if self._error_frame and first else None)
        self._last_was_error = False
        if message.is_remote_frame:
            return found
        key = message.arbitration_id | EXTENDED if message.is_extended_id else message.arbitration_id
        verdict = self._watch.feed(message.timestamp, key, message.data)
        if self._e2e and verdict is not None:
            if verdict not in FAULTS:
                self._bad.discard(key)
            elif key not in self._bad:
                self._bad.add(key)
                found = found or f"{self._watch.entries[key].name}: E2E {verdict.name}"
        for number, condition in enumerate(self._conditions):
            if condition.concerns(key):
                holds = condition.feed(key, message.data)
                if holds and not self._holds[number]:
                    found = found or condition.text
                self._holds[number] = holds
        return found

    def look(self, now_s: float) -> str | None:
        """Look for messages that have stopped to come, at a time of the bus. Returns what is newly missing, or None."""
        if not self._missing:
            return None
        self._next_look_s = now_s + _LOOK_S
        late = {entry.key: entry for entry in self._watch.late(now_s)}
        fresh: list[MessageWatch] = [entry for key, entry in late.items() if key not in self._late]
        self._late = set(late)
        return f"missing: {', '.join(entry.name for entry in fresh)}" if fresh else None
