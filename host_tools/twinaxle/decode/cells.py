"""Columns as text, in bulk: every different number is formatted once, rows are put together by numpy.

A cell is a fixed number of bytes, filled up with zeros; the zeros fall out when rows are joined.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from twinaxle.dbc.model import Signal
from twinaxle.decode.columns import Column, Raw, float_of_bits, physical
from twinaxle.logs.distinct import distinct

_CHUNK = 1 << 14  # rows that are put together at a time: what the processor's cache holds
_BILLION = 1_000_000_000


class Cells(NamedTuple):
    """The texts of a column: row i has `table[places[i]]`."""

    table: npt.NDArray[np.bytes_]
    places: npt.NDArray[Any]

    def take(self, rows: npt.NDArray[Any]) -> Cells:
        """The texts of some rows."""
        return Cells(self.table, self.places[rows])


@dataclass(frozen=True)
class Style:
    """How values are written."""

    names: bool = False
    """Values that the DBC names by their names."""
    raw: bool = False
    """Numbers as they are in the frame, not scaled."""
    digits: int | None = None
    """Significant digits of floats; None for as many as it takes to read the same number back."""


def value_texts(signal: Signal, raw: Raw, style: Style) -> list[str]:
    """The texts of raw values."""
    if style.raw:
        numbers = (float_of_bits(signal, raw) if signal.is_float else raw).tolist()
    else:
        numbers = physical(signal, raw).tolist()
    texts = [_number(number, style.digits) for number in numbers]
    if not (style.names and signal.choices):
        return texts
    # As cantools does it: a float signal has the name of its integer part.
    keys = float_of_bits(signal, raw) if signal.is_float else raw
    return [_name(signal, key, text) for key, text in zip(keys.tolist(), texts, strict=True)]


def _number(number: float, digits: int | None) -> str:
    return repr(number) if digits is None or isinstance(number, int) else f"{number:.{digits}g}"


def _name(signal: Signal, number: float, text: str) -> str:
    try:
        return signal.choices.get(int(number), text)
    except (ValueError, OverflowError):  # NaN, infinity
        return text


def quoted(text: str) -> str:
    """A CSV field."""
    for character in "\0\r\n":  # a row is one line
        text = text.replace(character, " ")
    if "," in text or '"' in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def column_cells(
    column: Column,
    style: Style,
    shown: Callable[[str], str] = lambda text: f",{quoted(text)}",
    absent: str = ",",
) -> Cells:
    """The texts of a column, each put into its place by `shown`; `absent` where a frame has no value."""
    found, index = distinct(column.raw)
    texts = [shown(text) for text in value_texts(column.signal, found, style)]
    if column.present is not None:
        index = np.where(column.present, index, len(texts))
        texts.append(absent)
    return Cells(_table(texts), index)


def choice_cells(texts: Sequence[str], index: npt.NDArray[Any]) -> Cells:
    """Cells with some of a few fixed texts."""
    return Cells(_table(texts), index)


def channel_cells(channels: npt.NDArray[np.int16]) -> Cells:
    """Channel numbers, nothing for those that are not known."""
    found, index = distinct(channels.astype(np.int64))
    return Cells(_table([f",{number}" if number >= 0 else "," for number in found.tolist()]), index)


def time_cells(time_ns: npt.NDArray[np.int64]) -> list[Cells]:
    """Seconds with nine decimals, or six where that says all."""
    size = np.abs(time_ns)
    seconds, fraction = np.divmod(size, _BILLION)
    found, index = distinct(seconds)
    parts = [Cells(_table([f"{number}" for number in found.tolist()]), index)]
    if np.any(time_ns < 0):
        parts.insert(0, Cells(_table(["", "-"]), (time_ns < 0).astype(np.intp)))
    micros, nanos = np.divmod(fraction, 1000)
    millis, micros = np.divmod(micros, 1000)
    parts += [Cells(_POINT_DIGITS, millis), Cells(_DIGITS, micros)]
    if nanos.any():
        parts.append(Cells(_DIGITS, nanos))
    return parts


_DIGITS = np.array([b"%03d" % number for number in range(1000)])
_POINT_DIGITS = np.array([b".%03d" % number for number in range(1000)])


def rows(parts: Sequence[Cells | bytes], count: int) -> bytes:
    """`count` rows put together from cells and constant texts."""
    layout = np.dtype(
        [(f"{at}", part.table.dtype if isinstance(part, Cells) else f"S{len(part)}") for at, part in enumerate(parts)]
    )
    pieces = []
    for start in range(0, count, _CHUNK):
        stop = min(start + _CHUNK, count)
        block = np.zeros(stop - start, dtype=layout)
        for at, part in enumerate(parts):
            block[f"{at}"] = part.table[part.places[start:stop]] if isinstance(part, Cells) else part
        flat = block.view(np.uint8)
        pieces.append(np.compress(flat != 0, flat).tobytes())
    return b"".join(pieces)


def _table(texts: Sequence[str]) -> npt.NDArray[np.bytes_]:
    return np.array([text.encode() for text in texts] or [b""])
