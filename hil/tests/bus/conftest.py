"""A bus with its log for the tests of this folder."""

from collections.abc import Callable

import pytest

from hil.bus import Bus, ErrorKind, Frame, Port
from hil.kernel import Kernel

BIT_NS = 2_000


class Bench:
    """A bus at 500 kbit/s, what came over it, and the error frames."""

    def __init__(self) -> None:
        self.kernel = Kernel()
        self.bus = Bus(self.kernel)
        self.log: list[tuple[int, Frame, str]] = []
        self.errors: list[tuple[int, ErrorKind, str]] = []
        self.bus.tap(lambda time_ns, frame, sender: self.log.append((time_ns, frame, sender)))
        self.bus.tap_errors(lambda time_ns, kind, sender: self.errors.append((time_ns, kind, sender)))

    def attach(self, *names: str) -> list[Port]:
        return [self.bus.attach(name) for name in names]

    def run_bits(self, bits: float) -> None:
        self.kernel.run_until(self.kernel.now_ns + round(bits * BIT_NS))

    def run_ms(self, ms: float) -> None:
        self.kernel.run_until(self.kernel.now_ns + round(ms * 1e6))

    def at_bits(self, bits: float, action: Callable[[], object]) -> None:
        self.kernel.at(round(bits * BIT_NS), lambda: void(action()))

    @property
    def ids(self) -> list[int]:
        return [frame.can_id for _, frame, _ in self.log]

    @property
    def senders(self) -> list[str]:
        return [sender for _, _, sender in self.log]


def void(_: object) -> None:
    """Drop a result."""


@pytest.fixture
def bench() -> Bench:
    return Bench()
