"""Recovery from bus-off: a controller may come back after 128 sequences of 11 recessive bits (ISO 11898-1, 12.1.4.4).

An idle bus gives a sequence every 11 bits; a busy one gives one in the end of each frame and more in the gaps.
"""

from collections.abc import Callable

from hil.bus.errors import RECOVERY_BITS, RECOVERY_SEQUENCES
from hil.bus.port import Port
from hil.kernel import Kernel


class Recovery:
    """Counts the recessive bits for the ports in recovery and calls `rejoin(port)` when one has seen enough."""

    def __init__(self, kernel: Kernel, bit_ns: int, rejoin: Callable[[Port], None]) -> None:
        self._kernel = kernel
        self._sequence_ns = RECOVERY_BITS * bit_ns
        self._rejoin = rejoin
        self._seen: dict[Port, int] = {}
        self._since_ns: dict[Port, int] = {}
        self._recessive_from_ns: int | None = 0

    def __contains__(self, port: Port) -> bool:
        return port in self._seen

    def __bool__(self) -> bool:
        return bool(self._seen)

    def begin(self, port: Port, recessive: bool) -> None:
        """Start counting for a port; `recessive` tells whether the bus is free of frames at present."""
        self._seen[port] = 0
        self._since_ns[port] = self._kernel.now_ns
        if not recessive:
            self._recessive_from_ns = None
        elif self._recessive_from_ns is None:
            self._recessive_from_ns = self._kernel.now_ns
        self._expect(port)

    def forget(self, port: Port) -> None:
        """End a recovery that is under way."""
        self._seen.pop(port, None)
        self._since_ns.pop(port, None)

    def interrupted(self, time_ns: int) -> None:
        """The bus leaves the recessive level: credit what was seen."""
        for port in self._seen:
            self._seen[port] = self._sequences(port, time_ns)
        self._recessive_from_ns = None

    def resumed(self, time_ns: int) -> None:
        """The bus is recessive since this time."""
        self._recessive_from_ns = time_ns
        for port in self._seen:
            self._expect(port)

    def _from_ns(self, port: Port) -> int | None:
        if self._recessive_from_ns is None:
            return None
        return max(self._recessive_from_ns, self._since_ns[port])

    def _sequences(self, port: Port, until_ns: int) -> int:
        from_ns = self._from_ns(port)
        if from_ns is None:
            return self._seen[port]
        return self._seen[port] + max(0, until_ns - from_ns) // self._sequence_ns

    def _expect(self, port: Port) -> None:
        from_ns = self._from_ns(port)
        if from_ns is not None:
            missing_ns = (RECOVERY_SEQUENCES - self._seen[port]) * self._sequence_ns
            self._kernel.at(max(from_ns + missing_ns, self._kernel.now_ns), self._check)

    def _check(self) -> None:
        """Whoever has seen enough comes back. An expectation overtaken by a frame finds too few and does nothing."""
        for port in list(self._seen):
            if self._sequences(port, self._kernel.now_ns) >= RECOVERY_SEQUENCES:
                self.forget(port)
                self._rejoin(port)
