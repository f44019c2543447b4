"""Signals by name, and integers that refuse what a tick must not do."""

import operator
import re
from collections.abc import Callable
from typing import Any

from twinaxle.dbc import powertrain
from twinaxle.dbc.layout import make_layout
from twinaxle.dbc.micropython import resolver
from twinaxle.paths import FIRMWARE
from twinaxle.tags import named_paths

SIGNALS_TABLE = FIRMWARE / "vcu" / "signals.py"

SMALL_INT = 1 << 30
"""The board keeps integers inside +-2**30 without allocating."""


class Int(int):
    """An integer of the tick: every result must be one that the board keeps without allocating, and never a float."""


def _checked(name: str) -> Callable[..., Any]:
    plain = getattr(int, name)

    def method(self: int, *others: Any) -> Any:
        result = plain(self, *others)
        if result is NotImplemented:
            return result
        assert -SMALL_INT <= result < SMALL_INT, f"{name}({int(self)}, {others}) leaves the small integers: {result}"
        return Int(result)

    return method


for _name in ("add", "sub", "mul", "floordiv", "mod", "lshift", "rshift", "and", "or", "xor"):
    setattr(Int, f"__{_name}__", _checked(f"__{_name}__"))
    setattr(Int, f"__r{_name}__", _checked(f"__r{_name}__"))
Int.__neg__ = _checked("__neg__")  # type: ignore[method-assign]
Int.__invert__ = _checked("__invert__")  # type: ignore[method-assign]


def _float(*_: Any) -> Any:
    raise AssertionError("a division that makes a float")


Int.__truediv__ = Int.__rtruediv__ = _float  # type: ignore[assignment,method-assign]


class Slots:
    """An array of the tick whose slots also have names: `rx["PedalsDriver.Apps1"] = 500`."""

    def __init__(self, values: list[int], resolve: Callable[[str], int]) -> None:
        self.values = [Int(value) for value in values]
        self.resolve = resolve

    def _slot(self, key: int | str) -> int:
        return self.resolve(key) if isinstance(key, str) else operator.index(key)

    def __getitem__(self, key: int | str) -> Int:
        return self.values[self._slot(key)]

    def __setitem__(self, key: int | str, value: int) -> None:
        self.values[self._slot(key)] = Int(value)


class Received(Slots):
    """The received signals. A law that reads one which the codec does not decode would see its start value for ever."""

    def __init__(self) -> None:
        super().__init__(start_values(), raw)
        read = named_paths((path for path in FIRMWARE.rglob("*.py") if path.name != "protocol.py"), "dbc")
        self._dark = {
            piece.slot: f"{entry.message.name}.{name}"
            for entry in _LAYOUT.received
            for name, pieces in entry.slots.items()
            for piece in pieces
            if f"{entry.message.name}.{name}" not in read
        }

    def __getitem__(self, key: int | str) -> Int:
        slot = self._slot(key)
        assert slot not in self._dark, f"a law reads {self._dark[slot]}, which no `# dbc:` tag names: it is not decoded"
        return super().__getitem__(slot)


SIGNALS = {match[2]: int(match[1]) for match in re.finditer(r"^ ?(\d+) (\w+)", SIGNALS_TABLE.read_text(), re.MULTILINE)}
"""Slot of each of the tick's signals, from the table in the module."""


class Signals(Slots):
    """The tick's signals, as attributes too: `s.travel_e4`."""

    def __init__(self) -> None:
        super().__init__([0] * len(SIGNALS), SIGNALS.__getitem__)

    def __getattr__(self, name: str) -> Int:
        if name not in SIGNALS:
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if name in SIGNALS:
            self[name] = value
        else:
            super().__setattr__(name, value)


def raw(path: str) -> int:
    """Number of a path as in the firmware's tags: slot, message, value name."""
    return _RESOLVER(path).value


_DATABASE = powertrain()
_RESOLVER = resolver(_DATABASE, "VCU")
_LAYOUT = make_layout(_DATABASE, "VCU")


def start_values() -> list[int]:
    by_slot: dict[int, int] = {}
    for message in _DATABASE.messages.values():
        for signal in message.signals:
            try:
                slot = _RESOLVER(f"{message.name}.{signal.name}").value
            except KeyError:
                continue
            if "VCU" in message.receivers:
                by_slot[slot] = signal.start_raw
    return [by_slot.get(slot, 0) for slot in range(max(by_slot) + 1)]


def message_count() -> int:
    """How many messages the firmware receives."""
    return len(_LAYOUT.received)
