"""Changes what the frames of a log say: single signals or whole messages, for all the time or a part of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from twinaxle.dbc.model import Database, Message, Signal
from twinaxle.dbc.names import find_message, find_signal
from twinaxle.dbc.values import raw_of_text
from twinaxle.decode.columns import Raw, decode, last_bit, physical
from twinaxle.errors import UserError
from twinaxle.logs.frames import FrameTable, Index

KINDS = ("set", "offset", "scale", "freeze", "drop")

_FLOATS = {16: (np.float16, np.uint16), 32: (np.float32, np.uint32), 64: (np.float64, np.uint64)}


@dataclass(frozen=True)
class Rule:
    """One change: `kind` of KINDS, of a signal, or of all signals of a message where `signal` is None."""

    kind: str
    message: Message
    signal: Signal | None
    value: float = 0.0
    """The number of set (raw), offset and scale (physical)."""
    start_s: float | None = None
    end_s: float | None = None
    """From and to in seconds after the first frame; None is no bound."""

    @property
    def name(self) -> str:
        return self.message.name if self.signal is None else f"{self.message.name}.{self.signal.name}"


def parse_rule(kind: str, text: str, database: Database) -> Rule:
    """A rule as a user writes it: `NAME=VALUE` for set, offset and scale, `NAME` for freeze and drop.

    `@FROM:TO` behind it limits it to seconds of the log. Raises UserError that says what is wrong.
    """
    body, at, span = text.partition("@")
    start_s, end_s = _span(text, span) if at else (None, None)
    name, equals, value = body.partition("=")
    wants_value = kind in ("set", "offset", "scale")
    if wants_value != bool(equals):
        form = "Message.Signal=VALUE" if wants_value else "Message or Message.Signal"
        raise UserError(f"--{kind} {text}: write {form}, and @FROM:TO (seconds) behind it for a part of the log")
    if not wants_value and "." not in name and name in database.messages:
        return Rule(kind, find_message(database, name), None, 0.0, start_s, end_s)
    place = find_signal(database, name)
    protected = place.message.e2e
    if protected and place.signal.name in (protected.crc_signal, protected.counter_signal):
        raise UserError(f"--{kind} {text}: {place.name} belongs to the E2E protection, which is made anew")
    if kind == "set":
        number: float = raw_of_text(place, value)
    else:
        number = _number(kind, text, value) if wants_value else 0.0
    return Rule(kind, place.message, place.signal, number, start_s, end_s)


def _number(kind: str, text: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise UserError(f"--{kind} {text}: {value!r} is no number") from None


def _span(text: str, span: str) -> tuple[float | None, float | None]:
    first, colon, last = span.partition(":")
    try:
        if not colon:
            raise ValueError
        start_s, end_s = (float(part) if part else None for part in (first, last))
    except ValueError:
        raise UserError(f"{text}: a part of the log is @FROM:TO in seconds, such as @10:12.5 or @10:") from None
    return start_s, end_s


def rewrite(frames: FrameTable, rules: Sequence[Rule]) -> FrameTable:
    """The frames with all rules applied, one after the other. CRCs and counters are left as they are.

    What offset and scale make too large for the bits is clamped to them. `drop` of a message takes its frames away,
    of a signal puts its start value there; `freeze` holds what the last frame before the rule's time said.
    """
    data = frames.data.copy()
    changed = replace(frames, data=data)
    kept = np.ones(len(frames), dtype=np.bool_)
    by_key = frames.rows_by_key()
    in_time = {}
    for rule in rules:
        span = rule.start_s, rule.end_s
        if span not in in_time:
            mask = np.zeros(len(frames), dtype=np.bool_)
            mask[frames.rows_between(*span)] = True
            in_time[span] = mask
        every = by_key.get(rule.message.key, np.empty(0, dtype=np.intp))
        rows = every[in_time[span][every]]
        if not len(rows):
            continue
        if rule.kind == "drop" and rule.signal is None:
            kept[rows] = False
            continue
        before = every[every < rows[0]]
        held = before[-1] if len(before) else rows[0]
        for signal in rule.message.application_signals if rule.signal is None else (rule.signal,):
            _apply(rule, signal, changed, rows, int(held))
    return changed if kept.all() else changed.take(kept)


def _apply(rule: Rule, signal: Signal, frames: FrameTable, rows: Index, held: int) -> None:
    """Change one signal in the frames `rows`, in place, where they carry it."""
    column = decode(rule.message, frames.take(rows), [signal]).columns[0]
    if column.present is not None:
        rows, column = rows[column.present], column.take(column.present)
    if not len(rows):
        return
    raw = _NEW_VALUES[rule.kind](rule, signal, column.raw, frames, held)
    if raw is not None:
        put_raw(signal, frames, rows, raw)


def _set(rule: Rule, signal: Signal, raw: Raw, frames: FrameTable, held: int) -> Raw | None:
    return np.full(len(raw), int(rule.value), dtype=object)


def _start_value(rule: Rule, signal: Signal, raw: Raw, frames: FrameTable, held: int) -> Raw | None:
    return np.full(len(raw), signal.start_raw, dtype=object)


def _moved(rule: Rule, signal: Signal, raw: Raw, frames: FrameTable, held: int) -> Raw | None:
    values = physical(signal, raw).astype(np.float64)
    return raw_of_physical(signal, values + rule.value if rule.kind == "offset" else values * rule.value)


def _frozen(rule: Rule, signal: Signal, raw: Raw, frames: FrameTable, held: int) -> Raw | None:
    last = decode(rule.message, frames.take(slice(held, held + 1)), [signal]).columns[0]
    if last.present is not None and not last.present[0]:
        return np.full(len(raw), raw[0], dtype=raw.dtype)  # the frame before has another multiplexed part
    return np.full(len(raw), last.raw[0], dtype=raw.dtype)


_NEW_VALUES: dict[str, Callable[[Rule, Signal, Raw, FrameTable, int], Raw | None]] = {
    "set": _set,
    "offset": _moved,
    "scale": _moved,
    "freeze": _frozen,
    "drop": _start_value,
}


def raw_of_physical(signal: Signal, values: npt.NDArray[np.float64]) -> Raw:
    """Raw numbers of physical values, rounded to the nearest and clamped to the bits; bit patterns of floats."""
    unscaled = (values - signal.offset) / (signal.factor or 1)
    if signal.is_float:
        number, pattern = _FLOATS[signal.length]
        with np.errstate(over="ignore"):
            return unscaled.astype(number).view(pattern)
    limits = signal.raw_minimum, signal.raw_maximum
    return np.array([min(max(round(value), limits[0]), limits[1]) for value in unscaled.tolist()], dtype=object)


def put_raw(signal: Signal, frames: FrameTable, rows: Index, raw: Raw) -> None:
    """Write raw numbers into the data of the frames `rows`, in place. Bits of others stay."""
    if last_bit(signal) > 64:
        return
    bits = (1 << signal.length) - 1
    field = np.array([(int(number) & bits) << signal.shift for number in raw.tolist()], dtype=np.uint64)
    words = frames.data.view("<u8")[:, 0]
    chosen = words[rows]
    mask = np.uint64(((1 << 64) - 1) ^ (bits << signal.shift))
    if signal.is_big_endian:
        words[rows] = ((chosen.byteswap() & mask) | field).byteswap()
    else:
        words[rows] = (chosen & mask) | field
