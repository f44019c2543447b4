"""The rules of the judge, one table. Each is a function from the material and the configuration to its checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from twinaxle.judge.config import Config
from twinaxle.judge.material import Material
from twinaxle.judge.result import Check
from twinaxle.judge.rules import bus, content, latency, protection, timing


class Rule(NamedTuple):
    """A rule: what it asks for, in one line, and the function that checks it."""

    name: str
    asks: str
    check: Callable[[Material, Config], Iterable[Check]]


RULES = (
    Rule("presence", "every cyclic message of the DBC is there", timing.presence),
    Rule("cycle", "its mean cycle is GenMsgCycleTime", timing.cycle),
    Rule("jitter", "each of its cycles is near GenMsgCycleTime", timing.jitter),
    Rule("missing", "its usable frames are never further apart than RxTimeout", timing.missing),
    Rule("length", "each frame has the length of the DBC", content.length),
    Rule("crc", "each frame's E2E CRC is right", protection.crc),
    Rule("counter", "E2E counters are valid, move on and do not jump by more than E2eMaxDelta", protection.counter),
    Rule("lost", "no frame is missing by its E2E counter", protection.lost),
    Rule("range", "signals are within their minimum and maximum", content.value_range),
    Rule("value-table", "enumerations have values of their table", content.value_table),
    Rule("start-value", "senders begin with the start values of the signals listed", content.start_value),
    Rule("latency", "effects follow their causes in time", latency.latency),
    Rule("unknown-id", "no identifier is on the bus that the DBC does not have", bus.unknown_id),
    Rule("remote-frame", "nobody asks for messages by remote frames", bus.remote_frame),
    Rule("error-frame", "there are no error frames", bus.error_frame),
    Rule("bus-load", "the load in the worst window leaves room", bus.bus_load),
)
"""In the order in which they are reported."""
