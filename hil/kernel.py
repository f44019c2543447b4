"""Virtual time: one queue of events, integer nanoseconds, no wall clock."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

Action = Callable[[], None]


class Clock(Protocol):
    """Something that knows its own next event, at `end_ns`, and runs many of them at once: the undisturbed bus."""

    @property
    def end_ns(self) -> int: ...


Clocked = tuple[Clock, Callable[[int], None]]
"""With it, the function that runs its events up to and including a time; it returns early after one in which Python
code has run.
"""


class Kernel:
    """Runs actions in the order of their times; equal times run in the order in which they were given.

    `now_ns` is the virtual time in nanoseconds since the start of the run. It stands still while an action runs.
    What is in `clocked` runs in between, at equal times before the actions.
    """

    __slots__ = ("clocked", "events", "now_ns", "serial")

    def __init__(self) -> None:
        self.now_ns = 0
        self.clocked: list[Clocked] = []
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

    def next_ns(self) -> int | None:
        """Time of the next event, None if there is none."""
        times = [clock.end_ns for clock, _ in self.clocked if clock.end_ns < NEVER_NS]
        if self.events:
            times.append(self.events[0][0])
        return min(times, default=None)

    def run_until(self, time_ns: int) -> None:
        """Run every event with a time up to and including `time_ns`, also those added on the way; then it is `time_ns`.

        An exception in an action ends the run at that event's time; events not yet run stay queued.
        Raises ValueError for a time before `now_ns`.
        """
        if time_ns < self.now_ns:
            raise ValueError(f"cannot run back to {time_ns} ns from {self.now_ns} ns")
        events, clocked = self.events, self.clocked
        pop = heappop
        while True:
            due_ns = events[0][0] if events else NEVER_NS
            if clocked:
                limit_ns = due_ns if due_ns < time_ns else time_ns
                clock, run_to = clocked[0]
                if len(clocked) > 1:
                    clocked.sort(key=_end_ns)
                    clock, run_to = clocked[0]
                    limit_ns = min(limit_ns, clocked[1][0].end_ns)
                if clock.end_ns <= limit_ns:
                    run_to(limit_ns)
                    continue
            if due_ns > time_ns:
                break
            self.now_ns, _, action = pop(events)
            action()
        self.now_ns = time_ns


NEVER_NS = 1 << 62
"""Later than every time that is reached."""


def _end_ns(part: Clocked) -> int:
    return part[0].end_ns
