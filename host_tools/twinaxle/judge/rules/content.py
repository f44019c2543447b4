"""Rules on what frames carry. Frames whose CRC says that their content is not the sender's are left out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from twinaxle.dbc.model import Signal
from twinaxle.decode.columns import Column
from twinaxle.judge.config import Config
from twinaxle.judge.material import Material, MessageFrames
from twinaxle.judge.result import Check, judged, note
from twinaxle.judge.stream import receive_timeout_s
from twinaxle.logs.frames import Index, Mask

_ROUNDING = 1e-6  # of a raw step: limits are decimal numbers, factors too


def length(material: Material, config: Config) -> Iterator[Check]:
    for frames in material:
        wrong = ~frames.right_length
        count = int(np.count_nonzero(wrong))
        text = f"{len(frames)} frames of {frames.message.length} bytes"
        if count:
            found = ", ".join(str(size) for size in np.unique(frames.table.length[wrong]))
            text = f"{count} of {len(frames)} frames have {found} instead of {frames.message.length} bytes"
        yield judged("length", frames.message.name, text, count, frames.first_s(wrong))


def value_range(material: Material, config: Config) -> Iterator[Check]:
    for frames in material:
        for signal in frames.message.application_signals:
            bounds = _bounds(signal)
            if bounds is None:
                continue
            low, high = bounds
            column = frames.column(signal)
            numbers = column.physical if signal.is_float else column.raw
            present = _present(frames, column)
            # Integers that the bits cannot leave need no look; a NaN is never inside.
            outside = present & ~((numbers >= low) & (numbers <= high))
            count = int(np.count_nonzero(outside))
            allowed = f"allowed {signal.minimum} to {signal.maximum}{_unit(signal)}"
            text = allowed
            if count:
                values = column.physical[outside]
                text = f"{count} frames with {_span(values)}{_unit(signal)}, {allowed}"
            yield judged("range", f"{frames.message.name}.{signal.name}", text, count, frames.first_s(outside))


def _bounds(signal: Signal) -> tuple[float, float] | None:
    """What the raw number (of a float signal: the physical one) must be within; None if its bits allow no other."""
    low, high = signal.minimum, signal.maximum
    if low is None or high is None or low >= high:  # [0|0] says that there is no range
        return None
    if signal.is_float:
        return low, high
    ends = sorted(((low - signal.offset) / signal.factor, (high - signal.offset) / signal.factor))
    raw_low, raw_high = math.ceil(ends[0] - _ROUNDING), math.floor(ends[1] + _ROUNDING)
    if raw_low <= signal.raw_minimum and raw_high >= signal.raw_maximum:
        return None
    return max(raw_low, signal.raw_minimum), min(raw_high, signal.raw_maximum)


def value_table(material: Material, config: Config) -> Iterator[Check]:
    for frames in material:
        for signal in frames.message.application_signals:
            if not signal.is_enumeration or signal.is_selector or len(signal.choices) == 1 << signal.length:
                continue
            column = frames.column(signal)
            wrong = _present(frames, column) & ~np.isin(column.raw, list(signal.choices))
            count = int(np.count_nonzero(wrong))
            text = f"{len(signal.choices)} values"
            if count:
                found = np.unique(column.raw[wrong])
                told = ", ".join(str(value) for value in found[:5]) + (" ..." if len(found) > 5 else "")
                text = f"{count} frames with {told}, which the table does not have"
            yield judged("value-table", f"{frames.message.name}.{signal.name}", text, count, frames.first_s(wrong))


def start_value(material: Material, config: Config) -> Iterator[Check]:
    """At each start of a sender that the log shows, the listed signals have their start values."""
    for place in config.start:
        frames = material.messages.get(place.message.name)
        starts = np.zeros(0, dtype=np.intp) if frames is None else _starts(frames, config.from_start)
        if frames is None or not len(starts):
            yield note("start-value", place.name, "the log does not show its sender start")
            continue
        column = frames.column(place.signal)
        wrong = np.zeros(len(frames), dtype=np.bool_)
        wrong[starts] = column.raw[starts] != np.array(place.signal.start_raw).astype(column.raw.dtype)
        count = int(np.count_nonzero(wrong))
        text = f"{len(starts)} start{'s' * (len(starts) > 1)} with raw {place.signal.start_raw}"
        if count:
            found = ", ".join(str(value) for value in np.unique(column.raw[wrong]))
            text = f"{count} of {len(starts)} starts with raw {found} instead of {place.signal.start_raw}"
        yield judged("start-value", place.name, text, count, frames.first_s(wrong))


def _starts(frames: MessageFrames, from_start: bool) -> Index:
    """Rows of the first frames after a silence: longer than the timeout, and with E2E the counter begins at 0."""
    silent_s = receive_timeout_s(frames.message)
    if silent_s is None:
        return np.zeros(0, dtype=np.intp)
    begins = np.diff(frames.time_s, prepend=0.0) > silent_s
    begins[0] |= from_start
    if frames.message.e2e:
        begins &= (frames.table.data[:, 1] & 0x0F) == 0
    return np.flatnonzero(begins & frames.trusted)


def _present(frames: MessageFrames, column: Column) -> Mask:
    return frames.trusted if column.present is None else frames.trusted & column.present


def _unit(signal: Signal) -> str:
    return f" {signal.unit}" if signal.unit else ""


def _span(values: npt.NDArray[Any]) -> str:
    """The values in words: one, or from the lowest to the highest."""
    low, high = np.nanmin(values), np.nanmax(values)
    return f"{low:g}" if low == high or math.isnan(low) else f"{low:g} to {high:g}"
