"""How late a live bench is: a distribution in steps of 0.1 ms."""

from __future__ import annotations

_STEPS_PER_MS = 10
_STEPS = 1000


class Lateness:
    """Counts delays; all beyond 100 ms fall into the last step."""

    def __init__(self) -> None:
        self.worst_ms = 0.0
        self._counts = [0] * (_STEPS + 1)

    def add(self, delay_ms: float) -> None:
        """Count a delay."""
        self._counts[max(0, min(_STEPS, int(delay_ms * _STEPS_PER_MS)))] += 1
        if delay_ms > self.worst_ms:
            self.worst_ms = delay_ms

    def merge(self, other: Lateness) -> None:
        """Count all delays of another distribution too."""
        self.worst_ms = max(self.worst_ms, other.worst_ms)
        self._counts = [own + new for own, new in zip(self._counts, other._counts, strict=True)]

    def percentile_ms(self, percent: float) -> float:
        """A delay that `percent` of all stay within, ms, rounded up to 0.1; 0 when none was counted."""
        wanted = sum(self._counts) * percent / 100.0
        total = 0
        for step, count in enumerate(self._counts):
            total += count
            if total >= wanted and total:
                return min((step + 1) / _STEPS_PER_MS, self.worst_ms)
        return 0.0
