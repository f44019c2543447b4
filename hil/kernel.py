"""Virtual time: one queue of events, integer nanoseconds, no wall clock."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

Action = Callable[[], None]


class Kernel:
    """Runs actions in the order of their times; equal times run in the order in which they were given.

    `now_ns` is the virtual time in nanoseconds since the start of the run. It stands still while an action runs.
    """

    __slots__ = ("events", "now_ns", "serial")

    def __init__(self) -> None:
        self.now_ns = 0
        # For the bus, which adds its event a frame by itself: the heap, and numbers that keep equal times in order.
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
        return self.events[0][0] if self.events else None

    def run_until(self, time_ns: int) -> None:
        """Run every event with a time up to and including `time_ns`, also those added on the way; then it is `time_ns`.

        An exception in an action ends the run at that event's time; events not yet run stay queued.
        Raises ValueError for a time before `now_ns`.
        """
        if time_ns < self.now_ns:
            raise ValueError(f"cannot run back to {time_ns} ns from {self.now_ns} ns")
        events = self.events
        pop = heappop
        while events and events[0][0] <= time_ns:
            self.now_ns, _, action = pop(events)
            action()
        self.now_ns = time_ns
