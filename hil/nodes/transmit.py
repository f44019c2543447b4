"""From physical values to a frame in the bus's queue in one step: scale, pack, count, sign, queue. Compiled.

The rules of packing are those of `twinaxle.dbc.codec`, those of the protection `twinaxle.e2e`; a test holds both equal.
Messages that this cannot do (Motorola signals, floats, multiplexers, other lengths than 8) go through these two.
"""

from __future__ import annotations

from collections.abc import Callable
from ctypes import Array, Structure, c_double, c_int64
from struct import Struct
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import numpy as np

from hil.bus import Port, calm
from hil.bus.calm import Words
from hil.native import access, compiled, memory, structure
from twinaxle.dbc.codec import MessageCodec, whole_inverse
from twinaxle.e2e import COUNTERS, CRC_TABLE, Protector, crc_seed

if TYPE_CHECKING:
    from twinaxle.dbc import Message

Values = tuple[float, ...]
Provider = Callable[[], Values]

_SIGNALS = 24
_CRC = np.frombuffer(CRC_TABLE, dtype=np.uint8).astype(np.int64)

_Doubles: TypeAlias = Array[c_double]


@structure
class _Layout(Structure):
    """One message: how its signals are packed, the state of its protection, and the values of the next frame."""

    can_id: int
    signals: int
    shift: Annotated[Words, c_int64 * _SIGNALS]
    mask: Annotated[Words, c_int64 * _SIGNALS]
    low: Annotated[Words, c_int64 * _SIGNALS]
    high: Annotated[Words, c_int64 * _SIGNALS]
    offset: Annotated[_Doubles, c_double * _SIGNALS]
    multiplier: Annotated[_Doubles, c_double * _SIGNALS]
    divisor: Annotated[_Doubles, c_double * _SIGNALS]
    protected: bool
    seed: int
    counter: int
    word: int
    """The newest frame."""
    values: Annotated[_Doubles, c_double * _SIGNALS]


_at = access(_Layout)


@compiled
def _raw(layout: _Layout, index: int) -> int:
    """The nearest raw number that the signal's bits can hold; NaN is 0."""
    value = (layout.values[index] - layout.offset[index]) * layout.multiplier[index] / layout.divisor[index]
    low, high = layout.low[index], layout.high[index]
    if low == 0 and high == 1:
        return 1 if value > 0.5 else 0
    if value != value:
        return 0
    if value <= low:
        return low
    if value >= high:
        return high
    return int(np.rint(value))


@compiled
def _pack(layout: _Layout) -> int:
    word = 0
    for index in range(layout.signals):
        word |= (_raw(layout, index) & layout.mask[index]) << layout.shift[index]
    if layout.protected:
        word |= layout.counter << 8
        crc = layout.seed
        for byte in range(1, 8):
            crc = _CRC[crc ^ (word >> 8 * byte & 0xFF)]
        word |= crc
        layout.counter = layout.counter + 1 if layout.counter < COUNTERS - 1 else 0
    layout.word = word
    return word


@compiled
def pack(layout: Any) -> int:
    """The next frame's data from its values, with counter and CRC."""
    return _pack(_at(layout))


@compiled
def transmit(layout: Any, line: Any, now_ns: int, port: int, latest_only: bool) -> int:
    """Pack and queue the next frame; returns what `calm.offer` does."""
    message = _at(layout)
    can_id = message.can_id
    return calm.offer(line, now_ns, can_id << 21, port, can_id, 8, _pack(message), calm.NOBODY, latest_only)


class Outgoing:
    """One message that a node sends, with the function that gives its values."""

    def __init__(self, message: Message, codec: MessageCodec, provider: Provider) -> None:
        self.can_id = message.frame_id
        self._provider = provider
        self._pack = codec.pack
        self._protect = Protector(message.e2e.data_id).protect if message.e2e else None

    def send(self, port: Port, now_ns: int) -> None:
        """Send the present values."""
        data = self._pack(*self._provider())
        if self._protect is not None:
            data = self._protect(data)
        port.send_word(self.can_id, int.from_bytes(data, "little"))


class CompiledOutgoing(Outgoing):
    """The quick way, for messages of which `is_plain` holds."""

    def __init__(self, message: Message, codec: MessageCodec, provider: Provider) -> None:
        super().__init__(message, codec, provider)
        self.layout = layout_of(message)
        self._memory = memory(self.layout)
        self._put = Struct(f"={self.layout.signals}d").pack_into
        self._values = memoryview(self.layout.values).cast("B")

    def send(self, port: Port, now_ns: int) -> None:
        self._put(self._values, 0, *self._provider())
        bus = port.bus
        if port.tx_hooks or bus.disturbed:
            port.send_word(self.can_id, pack(self._memory))
        elif transmit(self._memory, bus.memory, now_ns, port.number, port.latest_only) > calm.REPLACED:
            port.send_word(self.can_id, self.layout.word)


def is_plain(message: Message) -> bool:
    """Whether `CompiledOutgoing` can do the message: 8 bytes, Intel, no floats, no multiplexer."""
    signals = message.application_signals
    return message.length == 8 and not any(s.is_big_endian or s.is_float or s.mux is not None for s in signals)


def layout_of(message: Message) -> _Layout:
    """The layout of a message of which `is_plain` holds."""
    layout = _Layout(can_id=message.frame_id, signals=len(message.application_signals))
    for index, signal in enumerate(message.application_signals):
        layout.shift[index], layout.mask[index] = signal.shift, (1 << signal.length) - 1
        layout.low[index], layout.high[index] = signal.raw_minimum, signal.raw_maximum
        layout.offset[index] = signal.offset
        inverse = whole_inverse(signal.factor)
        layout.multiplier[index], layout.divisor[index] = float(inverse or 1), 1.0 if inverse else signal.factor
    if message.e2e is not None:
        layout.protected, layout.seed = True, crc_seed(message.e2e.data_id)
    return layout


def outgoing(message: Message, codec: MessageCodec, provider: Provider) -> Outgoing:
    """The quickest way for this message."""
    return (CompiledOutgoing if is_plain(message) else Outgoing)(message, codec, provider)
