"""The independent watchdog of the STM32F405 in bench time. Once started, only a power cut stops it."""

from collections.abc import Callable

from hil.kernel import Kernel


class Watchdog:
    """Calls `bite` when nobody feeds it in time.

    `oscillator_hz` is the watchdog's own RC oscillator: 32 kHz nominal, 17 to 47 kHz by the data sheet (DS8626, table
    38).
    """

    def __init__(self, kernel: Kernel, bite: Callable[[], None], oscillator_hz: int) -> None:
        self._kernel = kernel
        self._bite = bite
        self._hz = oscillator_hz
        self._timeout_ns = 0
        self._deadline_ns = 0
        self._life = 0

    @property
    def armed(self) -> bool:
        """It has been started and will bite at `deadline_ns` unless fed."""
        return self._timeout_ns > 0

    @property
    def deadline_ns(self) -> int:
        """Bench time at which it bites."""
        return self._deadline_ns

    def start(self, counts: int) -> None:
        """Start with a timeout in counts of its oscillator; starting it again sets a new timeout."""
        self._timeout_ns = counts * 1_000_000_000 // self._hz
        self._life += 1
        self.feed()
        self._arm(self._life)

    def feed(self) -> None:
        """Start the timeout afresh."""
        self._deadline_ns = self._kernel.now_ns + self._timeout_ns

    def stop(self) -> None:
        """Reset or loss of power."""
        self._timeout_ns = 0
        self._life += 1

    def _arm(self, life: int) -> None:
        def check() -> None:
            if life != self._life:
                return
            if self._kernel.now_ns >= self._deadline_ns:
                self.stop()
                self._bite()
            else:
                self._kernel.at(self._deadline_ns, check)

        self._kernel.at(self._deadline_ns, check)
