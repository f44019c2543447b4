"""Values that a user writes, as raw numbers of a signal: by name or by number, held against the ranges of the DBC."""

from __future__ import annotations

import math

from twinaxle.dbc.codec import float_bits
from twinaxle.dbc.model import Signal
from twinaxle.dbc.names import Place, suggestion
from twinaxle.errors import UserError


def raw_of_text(place: Place, text: str, *, beyond_range: bool = False) -> int:
    """The raw number (float signals: the bit pattern) of a value as a user writes it.

    A value is a name of the value table, or a physical number. `beyond_range` allows what is outside the DBC's minimum
    and maximum, as long as the bits can hold it.

    Raises UserError that names message and signal, with the names or the range that are allowed.
    """
    signal = place.signal
    for raw, name in signal.choices.items():
        if name == text:
            return raw & ((1 << signal.length) - 1) if signal.is_float else raw
    try:
        value: float = int(text, 0)
    except ValueError:
        try:
            value = float(text)
        except ValueError:
            raise UserError(f"{place.name}={text}: is no number{_names(signal, text)}") from None
    return raw_of_number(place, value, text, beyond_range=beyond_range)


def raw_of_number(place: Place, value: float, text: str = "", *, beyond_range: bool = False) -> int:
    """The raw number of a physical value, which must be within the ranges. Raises UserError as `raw_of_text`."""
    signal, shown = place.signal, f"{place.name}={text or value}"
    unit = f" {signal.unit}" if signal.unit else ""
    outside = (signal.minimum is not None and value < signal.minimum) or (
        signal.maximum is not None and value > signal.maximum
    )
    if outside and not beyond_range and signal.minimum != signal.maximum:
        raise UserError(f"{shown}: outside {signal.minimum} to {signal.maximum}{unit}{_names(signal, '')}")
    if signal.is_float:
        return float_bits((value - signal.offset) / (signal.factor or 1), signal.length)
    if not math.isfinite(value):
        raise UserError(f"{shown}: the signal is an integer in the frame")
    raw = _rounded(signal, value)
    if not signal.raw_minimum <= raw <= signal.raw_maximum:
        ends = sorted(limit * signal.factor + signal.offset for limit in (signal.raw_minimum, signal.raw_maximum))
        raise UserError(f"{shown}: {signal.length} bits hold only {ends[0]:g} to {ends[1]:g}{unit}")
    return raw


def _rounded(signal: Signal, value: float) -> int:
    if not signal.factor:
        return 0
    if isinstance(value, int) and (signal.factor, signal.offset) == (1, 0):
        return value  # exact beyond 53 bits
    return round((value - signal.offset) / signal.factor)


def _names(signal: Signal, text: str) -> str:
    if not signal.choices:
        return ""
    near = suggestion(text, signal.choices.values()) if text else ""
    return near or f"; names: {', '.join(signal.choices.values())}"
