"""The host's codec: one object for each message, compiled to straight-line Python when it is made.

Values are physical. What does not fit into a signal's bits is clamped to them: a bench may ask for nonsense, but the
bus carries what the bits can hold.
"""

import keyword
import math
import struct
from collections import namedtuple
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from twinaxle.dbc.database import powertrain
from twinaxle.dbc.model import Message, Signal
from twinaxle.errors import UserError

# What the compiled functions return: a named tuple with one field for each application signal.
Values = Any


class MessageCodec:
    """Packs and unpacks one message.

    `pack(*values, **named) -> bytes` takes physical values of the application signals in the order of the file, or by
    name; what is left out keeps its start value (0 for a raw pack). Values are rounded to the nearest raw number and
    clamped to the range of the bits; NaN becomes 0. CRC and counter stay zero: `twinaxle.e2e.Protector` sets them.
    `unpack(data)` answers with a named tuple of physical values; a value without scaling is an int. `pack_raw` and
    `unpack_raw` do the same with raw integers (for float signals: their bit pattern). In a multiplexed message only
    the signals of the chosen selector value are packed; unpack gives None for the others.

    `fields` maps a signal's name to its field name: the same unless Python does not allow that name. `unpack` raises
    ValueError if data is shorter than the message.
    """

    pack: Callable[..., bytes]
    unpack: Callable[[bytes], Values]
    pack_raw: Callable[..., bytes]
    unpack_raw: Callable[[bytes], Values]

    def __init__(self, message: Message) -> None:
        """Raises UserError if the message does not fit into a classic CAN frame or its multiplexing is broken."""
        self.message = message
        check_message(message)
        signals = _selectors_first(message.application_signals)
        self.fields = field_names([signal.name for signal in message.application_signals])
        self.values_type = namedtuple("Values", list(self.fields.values()))  # type: ignore[misc]
        self._scope: dict[str, Any] = {
            "_Values": self.values_type, "_bits": float_bits, "_float": _float, "_clamp": _clamp, "_short": self._short,
            "_from_bytes": int.from_bytes, "_int": int, "_round": round,
        }  # fmt: skip
        for raw, suffix in ((False, ""), (True, "_raw")):
            self._compile(_pack_source(message, signals, self.fields, raw=raw), f"pack{suffix}")
            self._compile(_unpack_source(message, signals, self.fields, raw=raw), f"unpack{suffix}")

    def _compile(self, source: str, name: str) -> None:
        exec(compile(source, f"<{name} of {self.message.name}>", "exec"), self._scope)
        setattr(self, name, self._scope[name])

    def _short(self, data: bytes) -> None:
        if len(data) < self.message.length:
            raise ValueError(f"{self.message.name}: {len(data)} bytes instead of {self.message.length}")


@cache
def codec(name: str) -> MessageCodec:
    """The codec of a message of the powertrain protocol. Raises KeyError if there is none of this name."""
    return MessageCodec(powertrain().messages[name])


def check_message(message: Message, file: Path | None = None) -> None:
    """Raises UserError (file, line, message, signal) for what neither codec can do."""
    place = f"{file}:" if file else "line "
    if message.length > 8:
        raise UserError(
            f"{place}{message.line}: message {message.name} has {message.length} bytes: classic CAN has 8 at most"
        )
    by_name = {signal.name: signal for signal in message.signals}
    for signal in message.signals:
        where = f"{place}{signal.line}: message {message.name}, signal {signal.name}"
        if signal.length > 64:
            raise UserError(f"{where}: {signal.length} bits: at most 64 are possible")
        if signal.mux_values and (signal.mux is None or signal.mux not in by_name):
            raise UserError(
                f"{where}: is multiplexed, but by which selector? One signal must be M, or SG_MUL_VAL_ say it"
            )
        selector, seen = signal.mux, {signal.name}
        while selector is not None:
            if selector in seen:
                raise UserError(f"{where}: is multiplexed by itself")
            if by_name[selector].is_float or by_name[selector].length > 25:
                raise UserError(f"{where}: its selector {selector} must be an integer of at most 25 bits")
            seen.add(selector)
            selector = by_name[selector].mux


def field_names(names: list[str]) -> dict[str, str]:
    """Signal names to names that Python accepts as fields, all different."""
    taken: set[str] = set()
    result = {}
    for name in names:
        field = name.lstrip("_") or "signal"
        field = f"s{field}" if field[0].isdigit() else field
        while keyword.iskeyword(field) or field in taken or (field != name and field in names):
            field += "_"
        taken.add(field)
        result[name] = field
    return result


def _selectors_first(signals: tuple[Signal, ...]) -> list[Signal]:
    """Every selector before the signals that it selects, otherwise in the order given."""
    by_name = {signal.name: signal for signal in signals}

    def depth(signal: Signal) -> int:
        return 0 if signal.mux is None else 1 + depth(by_name[signal.mux])

    return sorted(signals, key=depth)


def _selected(message: Message, signal: Signal, local: dict[str, str]) -> str:
    """The Python expression that is true if the multiplexed signal is in the frame; "" for one that always is."""
    if signal.mux is None:
        return ""
    raw = local[signal.mux]
    parts = [f"{raw} == {a}" if a == b else f"{a} <= {raw} <= {b}" for a, b in signal.mux_values]
    # A selector that is not in the frame itself has the value None, which equals no number but cannot be ordered.
    guard = f"{raw} is not None and " if message.signal(signal.mux).mux else ""
    return guard + "(" + (" or ".join(parts) or "False") + ")"


def _pack_source(message: Message, signals: list[Signal], names: dict[str, str], *, raw: bool) -> str:
    """The source of pack or pack_raw. Names that start with an underscore cannot clash with those of signals."""
    local = {signal.name: f"_r{at}" for at, signal in enumerate(signals)}
    defaults = {signal.name: "0" if raw else _default(signal) for signal in signals}
    head = ", ".join(f"{field}={defaults[name]}" for name, field in names.items())
    lines = [f"def pack{'_raw' if raw else ''}({head}):"]
    words: dict[bool, list[str]] = {False: [], True: []}
    for signal in signals:
        field, number = names[signal.name], local[signal.name]
        term = f"({number} & {hex((1 << signal.length) - 1)})" if signal.raw_minimum < 0 else number
        term += f" << {signal.shift}" if signal.shift else ""
        to_raw = _clamped(field, signal) if raw else _to_raw(signal, field)
        if condition := _selected(message, signal, local):
            lines += [
                f" {number} = None",
                f" {number}w = 0",
                f" if {condition} and {field} is not None:",
                f"  {number} = {to_raw}",
                f"  {number}w = {term}",
            ]
            term = f"{number}w"
        else:
            lines.append(f" {number} = {to_raw}")
        words[signal.is_big_endian].append(term)
    little, big = " | ".join(words[False]), " | ".join(words[True])
    if big and little:
        little += f" | _from_bytes(({big}).to_bytes(8, 'big'), 'little')"
        big = ""
    frame = f"({big}).to_bytes(8, 'big')" if big else f"({little or '0'}).to_bytes(8, 'little')"
    lines.append(f" return {frame}" + (f"[:{message.length}]" if message.length < 8 else ""))
    return "\n".join(lines)


def _default(signal: Signal) -> str:
    """The start value as a parameter's default. One that the bits cannot hold is clamped when it is packed."""
    return repr(0.0 if signal.is_float else signal.start_raw * signal.factor + signal.offset)


def _to_raw(signal: Signal, field: str) -> str:
    """The expression for the raw number from the physical value."""
    if signal.is_float:
        return f"_bits({_unscaled(signal, field)}, {signal.length})"
    if signal.factor == 1 and signal.offset == 0:
        return _clamped(field, signal)
    low, high = signal.raw_minimum, signal.raw_maximum
    value = _unscaled(signal, field)
    return f"_round(_v) if {low} <= (_v := {value}) <= {high} else _clamp(_v, {low}, {high})"


def _clamped(field: str, signal: Signal) -> str:
    low, high = signal.raw_minimum, signal.raw_maximum
    if (low, high) == (0, 1):
        return f"1 if {field} > 0.5 else 0"
    return f"{field} if {field}.__class__ is _int and {low} <= {field} <= {high} else _clamp({field}, {low}, {high})"


def _unscaled(signal: Signal, field: str) -> str:
    value = f"({field} - {signal.offset!r})" if signal.offset else field
    if signal.factor == 1:
        return value
    if not signal.factor:
        return "0"
    # Multiply where the inverse is a whole number: exact for the decimal factors 0.1, 0.01, 0.5 ... and quicker.
    inverse = _whole_inverse(signal.factor)
    return f"{value} * {inverse}" if inverse else f"{value} / {signal.factor!r}"


def _whole_inverse(factor: float) -> int:
    """1 / factor if that is a whole number (up to the float's own error), else 0."""
    inverse = round(1 / factor) if 0 < abs(factor) < 1 else 0
    return inverse if inverse and 1 / inverse == factor else 0


def _unpack_source(message: Message, signals: list[Signal], names: dict[str, str], *, raw: bool) -> str:
    """The source of unpack or unpack_raw."""
    local = {signal.name: f"_r{at}" for at, signal in enumerate(signals)}
    lines = [f"def unpack{'_raw' if raw else ''}(_data):"]
    lines += [f" if len(_data) != {message.length}:", "  _short(_data)", f"  _data = _data[:{message.length}]"]
    if any(not signal.is_big_endian for signal in signals):
        lines.append(" _w = _from_bytes(_data, 'little')")
    if any(signal.is_big_endian for signal in signals):
        gap = f" << {8 * (8 - message.length)}" if message.length < 8 else ""
        lines.append(f" _m = _from_bytes(_data, 'big'){gap}")
    results = {}
    for signal in signals:
        number, indent = local[signal.name], " "
        condition = _selected(message, signal, local)
        if condition:
            lines += [f" {number} = {number}p = None", f" if {condition}:"]
            indent = "  "
        lines += [indent + line for line in _read_lines(signal, number)]
        value = number if raw else _physical(signal, number)
        if condition:
            lines.append(f"{indent}{number}p = {value}")
            value = f"{number}p"
        results[signal.name] = value
    lines.append(f" return _Values({', '.join(results[name] for name in names)})")
    return "\n".join(lines)


def _read_lines(signal: Signal, number: str) -> list[str]:
    word = "_m" if signal.is_big_endian else "_w"
    shifted = f"{word} >> {signal.shift}" if signal.shift else word
    lines = [f"{number} = {shifted} & {hex((1 << signal.length) - 1)}"]
    if signal.raw_minimum < 0:
        lines.append(f"if {number} > {signal.raw_maximum}: {number} -= {1 << signal.length}")
    return lines


def _physical(signal: Signal, number: str) -> str:
    value = f"_float({number}, {signal.length})" if signal.is_float else number
    if signal.factor != 1:
        # 123 / 10 is the float nearest to 12.3; 123 * 0.1 is not.
        inverse = _whole_inverse(signal.factor)
        value = f"{value} / {inverse}" if inverse else f"{value} * {signal.factor!r}"
    if signal.offset:
        value = f"{value} + {signal.offset!r}"
    return value


def _clamp(value: float, low: int, high: int) -> int:
    """The nearest integer, clamped; NaN is 0."""
    if low <= value <= high:
        return round(value)
    if math.isnan(value):
        return 0
    return low if value < low else high


_FLOAT_FORMATS = {16: ("<e", "<H"), 32: ("<f", "<I"), 64: ("<d", "<Q")}


def float_bits(value: float, length: int) -> int:
    """The IEEE 754 bit pattern; past the largest number infinity."""
    number, integer = _FLOAT_FORMATS[length]
    try:
        packed = struct.pack(number, value)
    except OverflowError:
        packed = struct.pack(number, math.copysign(math.inf, value))
    return int(struct.unpack(integer, packed)[0])


def _float(bits: int, length: int) -> float:
    number, integer = _FLOAT_FORMATS[length]
    return float(struct.unpack(number, struct.pack(integer, bits))[0])
