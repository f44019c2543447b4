"""What a DBC says, as plain frozen data. Everything that speaks the protocol is made from this."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from twinaxle.dbc.send_types import CYCLIC_AND_MORE, PURELY_CYCLIC, normal_name

EXTENDED = 1 << 31  # added to an extended identifier where both kinds share one number range, as the DBC does


@dataclass(frozen=True)
class E2eSpec:
    """AUTOSAR E2E Profile 1 (variant 1A: CRC in byte 0, counter in the low nibble of byte 1, both DataID bytes)."""

    data_id: int
    max_delta: int
    crc_signal: str
    counter_signal: str


@dataclass(frozen=True)
class Signal:
    """One signal. `start` is the bit number of the DBC: that of the lowest bit for Intel, of the highest for Motorola.

    Physical value = raw * factor + offset. `start_raw` is the raw value to use while nothing has been received.
    `mux` names the selector signal and `mux_values` the inclusive ranges of selector values that carry this signal.
    """

    name: str
    start: int
    length: int
    is_signed: bool
    is_big_endian: bool
    factor: float
    offset: float
    minimum: float | None
    maximum: float | None
    unit: str
    start_raw: int
    choices: Mapping[int, str]
    receivers: tuple[str, ...]
    comment: str
    is_float: bool = False
    is_selector: bool = False
    mux: str | None = None
    mux_values: tuple[tuple[int, int], ...] = ()
    line: int = field(default=0, compare=False)

    @property
    def raw_minimum(self) -> int:
        """Smallest raw integer that the bits can hold (for a float signal: of its bit pattern)."""
        return -(1 << (self.length - 1)) if self.is_signed and not self.is_float else 0

    @property
    def raw_maximum(self) -> int:
        """Largest raw integer that the bits can hold (for a float signal: of its bit pattern)."""
        return (1 << (self.length - 1)) - 1 if self.is_signed and not self.is_float else (1 << self.length) - 1

    @property
    def is_enumeration(self) -> bool:
        """True if every value has its name, False where a table only names special values of a number.

        An enumeration has neither unit nor scaling, and its table has two values or more, the lowest one among them.
        """
        if self.unit or self.is_float or (self.factor, self.offset) != (1, 0):
            return False
        lowest = self.raw_minimum if self.minimum is None else self.minimum
        return len(self.choices) >= 2 and lowest in self.choices

    @property
    def shift(self) -> int:
        """Place of the lowest bit in the frame read as one 64-bit number, in the signal's own byte order."""
        if not self.is_big_endian:
            return self.start
        highest = (7 - self.start // 8) * 8 + self.start % 8
        return highest - self.length + 1


@dataclass(frozen=True)
class Message:
    """One message. `signals` are in the order of the file. `cycle_ms` 0: sent on events; `rx_timeout_ms` 0: none.

    `send_type` is GenMsgSendType as the file has it, "" where there is none.
    """

    name: str
    frame_id: int
    is_extended: bool
    length: int
    sender: str
    senders: tuple[str, ...]
    receivers: tuple[str, ...]
    cycle_ms: int
    rx_timeout_ms: int
    e2e: E2eSpec | None
    signals: tuple[Signal, ...]
    comment: str
    line: int = field(default=0, compare=False)
    send_type: str = ""

    @property
    def is_cyclic(self) -> bool:
        """True if a frame comes in each cycle, whatever comes besides: also where the file has a cycle time alone."""
        kind = normal_name(self.send_type)
        return self.cycle_ms > 0 and (not kind or kind in PURELY_CYCLIC | CYCLIC_AND_MORE)

    @property
    def is_purely_cyclic(self) -> bool:
        """True if frames come in each cycle and at no other time."""
        return self.is_cyclic and normal_name(self.send_type) not in CYCLIC_AND_MORE

    @property
    def key(self) -> int:
        """The identifier, with EXTENDED added for an extended one."""
        return self.frame_id | EXTENDED if self.is_extended else self.frame_id

    @cached_property
    def application_signals(self) -> tuple[Signal, ...]:
        """The signals that carry information: all but the CRC and the counter of the E2E protection."""
        protection = (self.e2e.crc_signal, self.e2e.counter_signal) if self.e2e else ()
        return tuple(signal for signal in self.signals if signal.name not in protection)

    def signal(self, name: str) -> Signal:
        """The signal of this name. Raises KeyError(reason)."""
        for signal in self.signals:
            if signal.name == name:
                return signal
        raise KeyError(f"message {self.name} has no signal {name}")


@dataclass(frozen=True)
class Database:
    """All messages of one DBC. `by_id` has extended identifiers with EXTENDED added (see `Message.key`).

    `bit_rate` is that of the bus in bit/s, None where the file does not tell.
    """

    path: Path
    nodes: tuple[str, ...]
    messages: Mapping[str, Message]
    by_id: Mapping[int, Message]
    bit_rate: int | None = None

    @cached_property
    def protocol_hash(self) -> int:
        """32-bit hash of everything that two partners on the bus must agree on.

        Layout, scaling, units, value tables, names, senders, cycles and E2E parameters count; comments, ranges,
        receivers, timeouts, start values and the order in the file do not.
        """
        return zlib.crc32("\n".join(_canonical(self.by_id[key]) for key in sorted(self.by_id)).encode())


def make_database(path: Path, nodes: tuple[str, ...], messages: list[Message], bit_rate: int | None = None) -> Database:
    """A database from its messages, which must have different names and identifiers."""
    return Database(
        path,
        nodes,
        MappingProxyType({message.name: message for message in messages}),
        MappingProxyType({message.key: message for message in messages}),
        bit_rate,
    )


def _canonical(message: Message) -> str:
    e2e = f"p01 {message.e2e.data_id} {message.e2e.max_delta}" if message.e2e else "-"
    head = f"{message.key} {message.name} {message.length} {message.sender} {message.cycle_ms} {e2e}"
    return "\n".join([head, *sorted(_canonical_signal(signal) for signal in message.signals)])


def _canonical_signal(signal: Signal) -> str:
    order = "motorola" if signal.is_big_endian else "intel"
    kind = "float" if signal.is_float else "signed" if signal.is_signed else "unsigned"
    choices = ",".join(f"{value}={signal.choices[value]}" for value in sorted(signal.choices))
    mux = f"{signal.mux}{signal.mux_values}" if signal.mux else "-"
    scale = f"{float(signal.factor)!r} {float(signal.offset)!r} {signal.unit}"
    return f" {signal.name} {signal.start} {signal.length} {order} {kind} {scale} {mux} {choices}"
