"""Messages as compiled code packs, protects, checks and unpacks them.

The rules of packing are those of `twinaxle.dbc.codec`, those of the protection `twinaxle.e2e`; a test holds both equal.
"""

from __future__ import annotations

from ctypes import Array, Structure, c_double, c_int64
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import numpy as np

from hil.bus.calm import Words
from hil.native import access, compiled, structure
from twinaxle.dbc.codec import whole_inverse
from twinaxle.e2e import COUNTERS, CRC_TABLE, Verdict, crc_seed

if TYPE_CHECKING:
    from twinaxle.dbc import Message

SIGNALS = 24
_CRC = np.frombuffer(CRC_TABLE, dtype=np.uint8).astype(np.int64)

_OK, _OK_SOME_LOST, _REPEATED = int(Verdict.OK), int(Verdict.OK_SOME_LOST), int(Verdict.REPEATED)
_WRONG_SEQUENCE, _WRONG_CRC, _INITIAL = int(Verdict.WRONG_SEQUENCE), int(Verdict.WRONG_CRC), int(Verdict.INITIAL)
_SYNC, _INVALID_COUNTER = int(Verdict.SYNC), int(Verdict.INVALID_COUNTER)
_WRONG_LENGTH = int(Verdict.WRONG_LENGTH)

Doubles: TypeAlias = Array[c_double]


@structure
class Layout(Structure):
    """One message: how its signals are packed, the state of its protection, and the values of one frame."""

    can_id: int
    signals: int
    shift: Annotated[Words, c_int64 * SIGNALS]
    mask: Annotated[Words, c_int64 * SIGNALS]
    low: Annotated[Words, c_int64 * SIGNALS]
    high: Annotated[Words, c_int64 * SIGNALS]
    offset: Annotated[Doubles, c_double * SIGNALS]
    multiplier: Annotated[Doubles, c_double * SIGNALS]
    divisor: Annotated[Doubles, c_double * SIGNALS]
    protected: bool
    seed: int
    counter: int
    """Of the next frame to send, or of the newest one received."""
    max_delta: int
    last: int
    """Counter of the newest frame with a good CRC, -1 before the first."""
    syncing: bool
    verdict: int
    """On the newest frame received, see `twinaxle.e2e.Verdict`."""
    word: int
    """The newest frame sent."""
    values: Annotated[Doubles, c_double * SIGNALS]


layout_at = access(Layout)


@compiled
def _raw(layout: Layout, index: int) -> int:
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
def _crc(seed: int, word: int) -> int:
    """CRC of a frame from byte 1 on."""
    crc = seed
    for byte in range(1, 8):
        crc = int(_CRC[crc ^ (word >> 8 * byte & 0xFF)])
    return crc


@compiled
def pack_next(layout: Layout) -> int:
    """The next frame's data from its values, with counter and CRC."""
    word = 0
    for index in range(layout.signals):
        word |= (_raw(layout, index) & layout.mask[index]) << layout.shift[index]
    if layout.protected:
        word |= layout.counter << 8
        word |= _crc(layout.seed, word)
        layout.counter = layout.counter + 1 if layout.counter < COUNTERS - 1 else 0
    layout.word = word
    return word


@compiled
def check(layout: Layout, word: int) -> int:
    """The verdict on a frame, which is remembered as received; as `twinaxle.e2e.Checker.check`."""
    if not layout.protected:
        return _OK
    if word & 0xFF != _crc(layout.seed, word):
        return _WRONG_CRC
    counter = word >> 8 & 0xF
    if counter == COUNTERS:
        return _INVALID_COUNTER
    last = layout.last
    layout.last = counter
    if last < 0:
        return _INITIAL
    delta = (counter - last) % COUNTERS
    if delta == 0:
        return _REPEATED
    if delta > layout.max_delta:
        layout.syncing = True
        return _WRONG_SEQUENCE
    if layout.syncing:
        layout.syncing = False
        return _SYNC
    return _OK if delta == 1 else _OK_SOME_LOST


@compiled
def receive(layout: Layout, length: int, word: int) -> bool:
    """Take a frame: its verdict, and if it is good its counter and physical values."""
    layout.verdict = check(layout, word) if length == 8 else _WRONG_LENGTH
    if layout.verdict != _OK and layout.verdict != _OK_SOME_LOST:
        return False
    layout.counter = word >> 8 & 0xF
    for index in range(layout.signals):
        raw = word >> layout.shift[index] & layout.mask[index]
        if raw > layout.high[index]:
            raw -= layout.mask[index] + 1
        layout.values[index] = raw / layout.multiplier[index] * layout.divisor[index] + layout.offset[index]
    return True


@compiled
def pack(layout: Any) -> int:
    """`pack_next` by itself."""
    return pack_next(layout_at(layout))


@compiled
def take(layout: Any, length: int, word: int) -> bool:
    """`receive` by itself."""
    return receive(layout_at(layout), length, word)


def is_plain(message: Message) -> bool:
    """Whether compiled code can do the message: 8 bytes, Intel, no floats, no multiplexer."""
    signals = message.application_signals
    return message.length == 8 and not any(s.is_big_endian or s.is_float or s.mux is not None for s in signals)


def layout_of(message: Message) -> Layout:
    """The layout of a message of which `is_plain` holds."""
    layout = Layout(can_id=message.frame_id, signals=len(message.application_signals))
    for index, signal in enumerate(message.application_signals):
        layout.shift[index], layout.mask[index] = signal.shift, (1 << signal.length) - 1
        layout.low[index], layout.high[index] = signal.raw_minimum, signal.raw_maximum
        layout.offset[index] = signal.offset
        inverse = whole_inverse(signal.factor)
        layout.multiplier[index], layout.divisor[index] = float(inverse or 1), 1.0 if inverse else signal.factor
    if message.e2e is not None:
        layout.protected, layout.seed, layout.last = True, crc_seed(message.e2e.data_id), -1
        layout.max_delta = message.e2e.max_delta
    return layout
