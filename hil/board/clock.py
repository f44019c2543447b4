"""The board's crystal: board microseconds since power-on against the bench's nanoseconds."""

_PPB = 1_000_000_000


class BoardClock:
    """Converts between the two; `start_ns` is the bench time at which the board started, `ppm` its crystal's error.

    A positive error makes the board fast. Both directions round so that `board_us(bench_ns(us)) >= us`.
    """

    __slots__ = ("rate", "start_ns")

    def __init__(self, start_ns: int, ppm: float) -> None:
        if abs(ppm) > 10_000:
            raise ValueError(f"a crystal that is {ppm} ppm off is broken")
        self.start_ns = start_ns
        self.rate = _PPB + round(ppm * 1000)
        """Board time per bench time, in 1e-9."""

    def board_us(self, time_ns: int) -> int:
        """Whole board microseconds at a bench time."""
        if self.rate == _PPB:
            return (time_ns - self.start_ns) // 1000
        return (time_ns - self.start_ns) * self.rate // (1000 * _PPB)

    def bench_ns(self, time_us: int) -> int:
        """The first bench nanosecond at which the board's clock shows `time_us`."""
        if self.rate == _PPB:
            return self.start_ns + time_us * 1000
        return self.start_ns - (-time_us * 1000 * _PPB // self.rate)
