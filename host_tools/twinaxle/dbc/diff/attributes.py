"""Differences in attributes, and what those that tools know mean."""

from collections.abc import Iterator
from typing import NamedTuple

from twinaxle.dbc.conventions import (
    CYCLE_TIME,
    DATA_ID,
    FRAME_FORMAT,
    MAX_DELTA,
    PROFILE,
    SEND_TYPE,
    START_VALUE,
    TIMEOUT,
)
from twinaxle.dbc.diff.change import Impact
from twinaxle.dbc.syntax import Attribute, Document, Message, Signal
from twinaxle.dbc.syntax.tree import Definition, plain

IMPACTS = {
    PROFILE: Impact.BREAKING,
    DATA_ID: Impact.BREAKING,
    FRAME_FORMAT: Impact.BREAKING,
    CYCLE_TIME: Impact.WIRE,
    SEND_TYPE: Impact.WIRE,
    MAX_DELTA: Impact.SOFTWARE,
    TIMEOUT: Impact.SOFTWARE,
    START_VALUE: Impact.SOFTWARE,
}


class Difference(NamedTuple):
    """An attribute with two values; an empty one is none."""

    impact: Impact
    name: str
    old: str
    new: str


def compare_attributes(
    old: Document, new: Document, one: Message | Signal | Document, other: Message | Signal | Document
) -> Iterator[Difference]:
    """The attributes of one thing in both files, defaults counted in for those that the tools know."""
    names = dict.fromkeys([*one.attributes, *other.attributes, *(() if isinstance(one, Document) else IMPACTS)])
    for name in names:
        before, after = old.attribute(one, name), new.attribute(other, name)
        # A thing without the attribute is as one with 0 or nothing.
        if before != after and (before or after):
            impact = IMPACTS.get(name, Impact.TEXT)
            if name == CYCLE_TIME and isinstance(one, Message) and _is_too_slow(old, one, after):
                impact = Impact.BREAKING
            yield Difference(impact, name, _shown(before), _shown(after))


def _is_too_slow(old: Document, message: Message, cycle_ms: Attribute | None) -> bool:
    """True if receivers that go by the old timeout would take the message for missing."""
    timeout = old.number(message, TIMEOUT)
    return bool(timeout) and isinstance(cycle_ms, int | float) and timeout is not None and cycle_ms >= timeout


def compare_definitions(old: Document, new: Document) -> Iterator[Difference]:
    """Definitions and defaults."""
    for name in dict.fromkeys([*old.definitions, *new.definitions]):
        before, after = _definition(old, name), _definition(new, name)
        if before != after:
            yield Difference(Impact.TEXT, f"definition of {name[1]}", before, after)
    for name in dict.fromkeys([*old.defaults, *new.defaults]):
        one, other = old.defaults.get(name), new.defaults.get(name)
        if (one and one.value) != (other and other.value):
            before, after = (str(value) if value else "none" for value in (one, other))
            yield Difference(Impact.TEXT, f"default of {name[1]}", before, after)


def _definition(document: Document, name: tuple[bool, str]) -> str:
    definition: Definition | None = document.definitions.get(name)
    if definition is None:
        return "none"
    limits = [plain(limit) for limit in (definition.minimum, definition.maximum) if limit is not None]
    return " ".join([*filter(None, [definition.kind]), definition.type, *limits, ",".join(definition.values)]).strip()


def _shown(value: Attribute | None) -> str:
    if value is None:
        return "none"
    return value or '""' if isinstance(value, str) else plain(value)
