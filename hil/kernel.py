"""Virtual time: one queue of events, integer nanoseconds, no wall clock."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

Action = Callable[[], None]


NEVER_NS = 1 << 62
"""Later than every time that is reached."""


class Clock(Protocol):
    """Something that knows when its own next event is and runs many of them at once: the undisturbed bus."""

    next_ns: int


RunTo = Callable[[int], None]
"""Runs a clock's events up to and including a time; returns early after one in which Python code has run."""


class _NoClock:
    next_ns = NEVER_NS


def _nothing(_: int) -> None:
    """What a kernel without a clock runs."""


class _Clocks:
    """Several clocks as one."""

    def __init__(self, clocks: list[tuple[Clock, RunTo]]) -> None:
        self._clocks = clocks

    @property
    def next_ns(self) -> int:
        return min(clock.next_ns for clock, _ in self._clocks)

    @next_ns.setter
    def next_ns(self, _: int) -> None:
        raise AttributeError("it is that of the first clock")

    def run_to(self, time_ns: int) -> None:
        """Run the first one, to the next event of another at most: what it tells may concern that one."""
        (_, run_to), (second, _) = sorted(self._clocks, key=lambda pair: pair[0].next_ns)[:2]
        run_to(min(time_ns, second.next_ns))


class Kernel:
    """Runs actions in the order of their times; equal times run in the order in which they were given.

    `now_ns` is the virtual time in nanoseconds since the start of the run. It stands still while an action runs.
    Clocks that have joined run in between, at equal times before the actions.
    """

    __slots__ = ("_clock", "_clocks", "_run_clock", "events", "now_ns", "serial")

    def __init__(self) -> None:
        self.now_ns = 0
        self._clocks: list[tuple[Clock, RunTo]] = []
        self._choose_clock()
        # For a node's cycle, which adds its event by itself: the heap, and numbers that keep equal times in order.
        self.events: list[tuple[int, int, Action]] = []
        self.serial = count().__next__

    def at(self, time_ns: int, action: Action) -> None:
        """Have `action` called at `time_ns` (integer, not in the past).

        Raises ValueError for a time before `now_ns`: an event in the past is a fault in the caller.
        """
        if time_ns < self.now_ns:
            raise ValueError(f"event at {time_ns} ns lies before the present, {self.now_ns} ns")
        heappush(self.events, (time_ns, self.serial(), action))

    def after(self, delay_ns: int, action: Action) -> None:
        """Have `action` called `delay_ns` (0 or more) from the present."""
        self.at(self.now_ns + delay_ns, action)

    def join(self, clock: Clock, run_to: RunTo) -> None:
        """Let a clock run with the events."""
        self._clocks.append((clock, run_to))
        self._choose_clock()

    def leave(self, clock: Clock) -> None:
        """Undo `join`."""
        self._clocks = [pair for pair in self._clocks if pair[0] is not clock]
        self._choose_clock()

    def _choose_clock(self) -> None:
        self._clock: Clock = _NoClock()
        self._run_clock: RunTo = _nothing
        if len(self._clocks) == 1:
            self._clock, self._run_clock = self._clocks[0]
        elif self._clocks:
            several = _Clocks(self._clocks)
            self._clock, self._run_clock = several, several.run_to

    def next_ns(self) -> int | None:
        """Time of the next event, None if there is none."""
        due_ns = min(self._clock.next_ns, self.events[0][0] if self.events else NEVER_NS)
        return due_ns if due_ns < NEVER_NS else None

    def run_until(self, time_ns: int) -> None:
        """Run every event with a time up to and including `time_ns`, also those added on the way; then it is `time_ns`.

        An exception in an action ends the run at that event's time; events not yet run stay queued.
        Raises ValueError for a time before `now_ns`.
        """
        if time_ns < self.now_ns:
            raise ValueError(f"cannot run back to {time_ns} ns from {self.now_ns} ns")
        events = self.events
        pop = heappop
        while True:
            due_ns = events[0][0] if events else NEVER_NS
            limit_ns = due_ns if due_ns < time_ns else time_ns
            if self._clock.next_ns <= limit_ns:
                self._run_clock(limit_ns)
                continue
            if due_ns > time_ns:
                break
            self.now_ns, _, action = pop(events)
            action()
        self.now_ns = time_ns
