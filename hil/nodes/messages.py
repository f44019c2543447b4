"""One message as a node knows it: its value tables, its receiving side."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twinaxle.e2e import Checker, Verdict
from twinaxle.errors import UserError

if TYPE_CHECKING:
    from hil.bus import Frame
    from twinaxle.dbc import Message

_GOOD = (Verdict.OK, Verdict.OK_SOME_LOST)


class Choices:
    """The value table of one signal, by label: `Choices(message, "Mode")["Torque"]` is the raw value."""

    def __init__(self, message: Message, signal: str) -> None:
        found = {s.name: s for s in message.signals}
        if signal not in found:
            raise UserError(f"the database's {message.name} has no signal {signal}; it has {', '.join(found)}")
        self.raw: dict[str, int] = {label: value for value, label in found[signal].choices.items()}
        self._where = f"{message.name}.{signal}"

    def __getitem__(self, label: str) -> int:
        try:
            return self.raw[label]
        except KeyError:
            raise UserError(
                f"the value table of {self._where} has no '{label}'; it has {', '.join(self.raw)}"
            ) from None


class Receiver:
    """The receiving side of one message: E2E check and decoding of good frames only."""

    __slots__ = ("_check", "_counter", "_unpack", "age_from_ns", "counter", "verdict")

    def __init__(self, message: Message, unpack: Callable[[bytes], Any]) -> None:
        self._unpack = unpack
        self._check = Checker(message.e2e.data_id, message.e2e.max_delta).check if message.e2e else None
        self._counter = _counter_of(message)
        self.counter = 0
        self.verdict: Verdict | None = None

    def good(self, frame: Frame) -> Any | None:
        """The physical values of a good frame (a named tuple), None of a bad one, which is as if it had not come."""
        if self._check is not None:
            self.verdict = verdict = self._check(frame.data)
            if verdict is not Verdict.OK and verdict not in _GOOD:
                return None
            self.counter = self._counter(frame.data)
        return self._unpack(frame.data)


def _counter_of(message: Message) -> Callable[[bytes], int]:
    """How to read the E2E counter, from the place inside one byte that the DBC gives it."""
    if message.e2e is None:
        return lambda data: 0
    signal = message.signal(message.e2e.counter_signal)
    byte, shift, mask = signal.start // 8, signal.start % 8, (1 << signal.length) - 1
    return lambda data: data[byte] >> shift & mask
