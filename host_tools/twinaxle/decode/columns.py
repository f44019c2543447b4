"""Signals of whole logs as columns, with the very values that cantools gives for each frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from twinaxle.dbc.model import Message, Signal
from twinaxle.logs.frames import FrameTable, Mask

Raw = npt.NDArray[Any]
Values = npt.NDArray[Any]

_WORD_BITS = 64
_EXACT_BITS = 53  # integers of so many bits are exact as float64
_FLOATS = {16: (np.uint16, np.float16), 32: (np.uint32, np.float32), 64: (np.uint64, np.float64)}


@dataclass(frozen=True, eq=False)
class Column:
    """One signal over the frames of its message."""

    signal: Signal
    raw: Raw
    """[n] Integers of the smallest type that holds the signal; the bit pattern, unsigned, for float signals."""
    present: Mask | None
    """[n] False where the frame does not carry the signal: too short, or multiplexed otherwise. None: all carry it."""

    @cached_property
    def physical(self) -> Values:
        """[n] raw * factor + offset: integers (int64, uint64) where factor and offset are integers, else float64."""
        # What stands in frames without the signal must not decide on the type of the others.
        raw = self.raw if self.present is None else np.where(self.present, self.raw, 0).astype(self.raw.dtype)
        return physical(self.signal, raw)

    @property
    def raw_numbers(self) -> Values:
        """[n] The unscaled numbers: integers, floats for a float signal."""
        if self.signal.is_float:
            return float_of_bits(self.signal, self.raw)
        return self.raw if self.signal.raw_maximum >= 1 << 63 else self.raw.astype(np.int64)

    def take(self, rows: Any) -> Column:
        """The column with the rows that a mask, an index array or a slice picks."""
        return Column(self.signal, self.raw[rows], None if self.present is None else self.present[rows])


@dataclass(frozen=True, eq=False)
class DecodedMessage:
    """The data frames of one message, decoded."""

    message: Message
    frames: FrameTable
    columns: tuple[Column, ...]

    @property
    def short_frames(self) -> int:
        """How many frames have fewer bytes than the message: they lack the signals that do not fit."""
        return int(np.count_nonzero(self.frames.length < self.message.length))


def decode(message: Message, frames: FrameTable, signals: Sequence[Signal] | None = None) -> DecodedMessage:
    """Decode data frames, all of `message`, into the columns of `signals` (all signals of the message by default)."""
    reader = _Reader(message, frames)
    columns = tuple(reader.column(signal) for signal in (message.signals if signals is None else signals))
    return DecodedMessage(message, frames, columns)


class _Reader:
    """The signals of some frames; the words are turned round only once."""

    def __init__(self, message: Message, frames: FrameTable) -> None:
        self._message = message
        self._frames = frames
        self._shortest = int(frames.length.min()) if len(frames) else frames.width
        self._words: dict[tuple[int, bool], npt.NDArray[np.uint64]] = {}

    def _word(self, place: int, is_big_endian: bool) -> npt.NDArray[np.uint64]:
        """The eight bytes from byte 8 * `place` of each frame as one number."""
        found = self._words.get((place, is_big_endian))
        if found is None:
            little = np.ascontiguousarray(self._frames.data.view("<u8")[:, place])
            found = self._words[place, is_big_endian] = little.byteswap() if is_big_endian else little
        return found

    def _words_of(self, signal: Signal) -> tuple[npt.NDArray[np.uint64], int]:
        """Numbers that hold the signal, and the place of its lowest bit in them."""
        first = last_bit(signal) - signal.length
        place, inside = divmod(first, _WORD_BITS)
        words = self._word(place, signal.is_big_endian)
        over = inside + signal.length - _WORD_BITS
        if over <= 0:
            return words, -over if signal.is_big_endian else inside
        after = self._word(place + 1, signal.is_big_endian)
        if signal.is_big_endian:
            return words << np.uint64(over) | after >> np.uint64(_WORD_BITS - over), 0
        return words >> np.uint64(inside) | after << np.uint64(_WORD_BITS - inside), 0

    def column(self, signal: Signal) -> Column:
        if last_bit(signal) > 8 * self._frames.width:
            absent = np.zeros(len(self._frames), dtype=np.bool_)
            return Column(signal, np.zeros(len(self._frames), dtype=np.uint64), absent)
        return Column(signal, _raw_values(signal, *self._words_of(signal)), self._present(signal))

    def _present(self, signal: Signal) -> Mask | None:
        present: Mask | None = None
        if last_bit(signal) > 8 * self._shortest:
            present = self._frames.length >= -(-last_bit(signal) // 8)
        if signal.mux is None:
            return present
        selector = self.column(self._message.signal(signal.mux))
        carried = np.zeros(len(self._frames), dtype=np.bool_)
        for low, high in signal.mux_values:
            carried |= (selector.raw >= low) & (selector.raw <= high)
        for mask in (present, selector.present):
            if mask is not None:
                carried &= mask
        return carried


def last_bit(signal: Signal) -> int:
    """The number of bits that a frame must have to carry the signal."""
    first = 8 * (signal.start // 8) + 7 - signal.start % 8 if signal.is_big_endian else signal.start
    return first + signal.length


def _raw_values(signal: Signal, words: npt.NDArray[np.uint64], shift: int) -> Raw:
    """The raw integers of a signal, whose lowest bit is at `shift`, from numbers in its byte order."""
    size = next(size for size in (8, 16, 32, 64) if signal.length <= size)
    if signal.is_signed and not signal.is_float:
        # Up to the top, and down again with the sign.
        up = words << np.uint64(64 - signal.length - shift)
        signed: Raw = (up.view(np.int64) >> np.int64(64 - signal.length)).astype(f"i{size // 8}")
        return signed
    # The smaller type cuts off most of what stands above the signal.
    shifted: Raw = (words >> np.uint64(shift) if shift else words).astype(f"u{size // 8}")
    if signal.length < size:
        shifted &= shifted.dtype.type((1 << signal.length) - 1)
    return shifted


def float_of_bits(signal: Signal, raw: Raw) -> npt.NDArray[np.float64]:
    """The numbers of a float signal from their bit patterns."""
    unsigned, number = _FLOATS[signal.length]
    with np.errstate(invalid="ignore"):  # a NaN that signals stays a NaN
        return raw.astype(unsigned).view(number).astype(np.float64)


def physical(signal: Signal, raw: Raw) -> Values:
    """raw * factor + offset in cantools' arithmetic, which is Python's: integers as long as all three are."""
    factor, offset = signal.factor, signal.offset
    if signal.is_float:
        numbers = float_of_bits(signal, raw)
        return numbers if (factor, offset) == (1, 0) else numbers * factor + offset
    if (factor, offset) == (1, 0):
        return raw.astype(np.int64) if signal.raw_maximum < 1 << 63 else raw
    if signal.length > _EXACT_BITS:
        return _by_python(signal, raw)
    if isinstance(factor, int) and isinstance(offset, int):
        ends = [raw_end * factor + offset for raw_end in (signal.raw_minimum, signal.raw_maximum)]
        if min(ends) < -(1 << 63) or max(ends) >= 1 << 63:
            return _by_python(signal, raw)
        return raw.astype(np.int64) * factor + offset
    if isinstance(factor, int) and (1 << signal.length) * abs(factor) >= 1 << _EXACT_BITS:
        return _by_python(signal, raw)
    return raw.astype(np.float64) * factor + offset


def _by_python(signal: Signal, raw: Raw) -> Values:
    """For results that 64-bit arithmetic does not give exactly. Integers past 64 bits become the nearest float64."""
    values = [number * signal.factor + signal.offset for number in raw.tolist()]
    if not all(isinstance(value, int) for value in values):
        return np.array(values, dtype=np.float64)
    for kind in (np.int64, np.uint64):
        if all(np.iinfo(kind).min <= value <= np.iinfo(kind).max for value in values):
            return np.array(values, dtype=kind)
    return np.array([float(value) for value in values])
