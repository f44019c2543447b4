"""One injected fault, and the marks that it leaves for the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from hil.kernel import Kernel

NS_PER_MS = 1_000_000
Undo = Callable[[], None]
MarkKind = Literal["fault", "cleared"]


@dataclass(frozen=True, slots=True)
class FaultMark:
    """When a fault began ("fault") or ended ("cleared")."""

    time_ns: int
    text: str
    kind: MarkKind


class Fault:
    """An injected fault. `clear()` ends it; as a context manager it ends with the block.

    `description` is what the report shows, `begin_ns` and `end_ns` (None while active) are virtual times,
    `hits` counts the frames that were touched, for faults of messages.
    """

    def __init__(self, kernel: Kernel, description: str, mark: Callable[[FaultMark], None]) -> None:
        self.description = description
        self.begin_ns = kernel.now_ns
        self.end_ns: int | None = None
        self.hits = 0
        self._kernel = kernel
        self._mark = mark
        self._undo: list[Undo] = []
        mark(FaultMark(self.begin_ns, description, "fault"))

    def __repr__(self) -> str:
        return f"<Fault {self.description!r} {'active' if self.active else 'cleared'}>"

    @property
    def active(self) -> bool:
        return self.end_ns is None

    def on_clear(self, undo: Undo) -> None:
        """What ends the fault; called once, the newest first."""
        self._undo.append(undo)

    def clear(self) -> None:
        """End the fault. Without effect the second time."""
        if self.end_ns is not None:
            return
        self.end_ns = self._kernel.now_ns
        while self._undo:
            self._undo.pop()()
        self._mark(FaultMark(self.end_ns, self.description, "cleared"))

    def clear_after(self, duration_ms: float | None) -> None:
        """End the fault by itself after a time; None leaves it."""
        if duration_ms is not None:
            self._kernel.at(self._kernel.now_ns + round(duration_ms * NS_PER_MS), self.clear)

    def hit(self, count: int | None) -> None:
        """A frame was touched; the fault ends with the `count`-th."""
        self.hits += 1
        if count is not None and self.hits >= count:
            self.clear()

    def __enter__(self) -> Fault:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()
