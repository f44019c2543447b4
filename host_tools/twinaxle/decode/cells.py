"""Columns as text, in bulk: every different number is formatted once, rows are put together by numpy.

A cell is a fixed number of bytes, filled up with zeros; the zeros fall out when rows are joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from twinaxle.dbc.model import Signal
from twinaxle.decode.columns import Column, Raw, float_of_bits, physical
from twinaxle.logs.distinct import distinct

_CHUNK = 1 << 14  # rows that are put together at a time: what the processor's cache holds
BLANKS = b"\1"
"""Stands in rows for what is put there later; no text holds it."""

_COMBINATIONS = 1 << 13  # texts of a table that still fits into the cache
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
    for character in "\0\1\r\n":  # a row is one line, and two characters have a meaning here
        text = text.replace(character, " ")
    if "," in text or '"' in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def column_cells(column: Column, style: Style) -> Cells:
    """The texts of a column, each with a comma in front, which stands alone where a frame has no value."""
    found, places = distinct(column.raw)
    texts = value_texts(column.signal, found, style)
    if style.names and column.signal.choices:
        texts = list(map(quoted, texts))
    return _with_absent(column, [f",{text}" for text in texts], places)


def name_cells(column: Column) -> Cells:
    """As `column_cells`, but only of values that have a name."""
    found, places = distinct(column.raw)
    names = set(column.signal.choices.values())
    texts = value_texts(column.signal, found, Style(names=True, raw=True))
    return _with_absent(column, [f",{quoted(text)}" if text in names else "," for text in texts], places)


def _with_absent(column: Column, texts: list[str], places: npt.NDArray[Any]) -> Cells:
    if column.present is not None:
        places = np.where(column.present, places, len(texts))
        texts.append(",")
    return Cells(_table(texts), places)


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
    cells = _merged(parts, count)
    layout = np.dtype([(str(at), one.table.dtype) for at, one in enumerate(cells)])
    pieces = []
    for start in range(0, count, _CHUNK):
        stop = min(start + _CHUNK, count)
        block = np.empty(stop - start, dtype=layout)
        for at, one in enumerate(cells):
            block[str(at)] = one.table[one.places[start:stop]]
        flat = block.view(np.uint8)
        pieces.append(np.compress(flat != 0, flat).tobytes())
    return b"".join(pieces)


def _merged(parts: Sequence[Cells | bytes], count: int) -> list[Cells]:
    """Neighbours made one where their texts have few combinations: one look-up instead of two."""
    cells: list[Cells] = []
    for part in parts:
        one = part if isinstance(part, Cells) else Cells(np.array([part]), np.zeros(1, dtype=np.uint16))
        if cells and len(cells[-1].table) * len(one.table) <= min(_COMBINATIONS, max(count // 2, len(one.table))):
            last = cells.pop()
            table = np.strings.add(last.table[:, None], one.table[None, :]).ravel()
            places = last.places.astype(np.uint16, copy=False)
            if len(one.table) > 1:
                places = places * np.uint16(len(one.table)) + one.places.astype(np.uint16, copy=False)
            cells.append(Cells(table, places))
        else:
            cells.append(one)
    return [Cells(one.table, np.broadcast_to(one.places, count)) for one in cells]


def _table(texts: Sequence[str]) -> npt.NDArray[np.bytes_]:
    return np.array([text.encode() for text in texts] or [b""])
