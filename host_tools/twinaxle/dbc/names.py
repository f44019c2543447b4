"""Finds messages and signals by the names that a user gives, and suggests near ones where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import NamedTuple

from twinaxle.dbc.model import EXTENDED, Database, Message, Signal
from twinaxle.errors import UserError
from twinaxle.paths import shown


class Place(NamedTuple):
    """A signal and the message that it is in."""

    message: Message
    signal: Signal

    @property
    def name(self) -> str:
        """`Message.Signal`."""
        return f"{self.message.name}.{self.signal.name}"


def suggestion(name: str, known: Iterable[str]) -> str:
    """`"; did you mean A or B?"` with the known names nearest to `name`, else `""`."""
    names = list(dict.fromkeys(known))
    folded = {one.lower(): one for one in names}
    near = get_close_matches(name.lower(), folded, n=3, cutoff=0.6)
    near += [one for one in folded if name.lower() in one and one not in near] if len(name) > 2 else []
    return f"; did you mean {' or '.join(folded[one] for one in near[:3])}?" if near else ""


def find_message(database: Database, name: str) -> Message:
    """The message of this name or identifier (`0x100`, `256`; extended ones `0x18FF0102x`).

    Raises UserError with near names if there is none.
    """
    message = database.messages.get(name)
    if message is None and name[:1].isdigit():
        try:
            message = database.by_id.get(int(name.rstrip("xX"), 0) | (1 << 31 if name[-1] in "xX" else 0))
        except ValueError:
            message = None
    if message is None:
        raise UserError(f"{shown(database.path)}: no message {name}{suggestion(name, database.messages)}")
    return message


def keys_of(database: Database, name: str) -> list[int]:
    """The identifiers (`Message.key`) that a text stands for: a number such as `0x123` or, extended, `0x18FF0102x`,
    whether or not the database has it; a message; a node, for all that it sends.

    Raises UserError with near names if it is none of these.
    """
    digits = name.removesuffix("x")
    if digits[:1].isdigit():
        try:
            return [int(digits, 0) | (EXTENDED if digits != name else 0)]
        except ValueError:
            pass
    if name in database.nodes:
        return [message.key for message in database.messages.values() if name in message.senders]
    if name not in database.messages:
        near = suggestion(name, [*database.messages, *database.nodes])
        raise UserError(f"{shown(database.path)}: {name} is no identifier, message or node{near}")
    return [database.messages[name].key]


def find_signal(database: Database, name: str) -> Place:
    """The signal `Message.Signal`, or `Signal` if only one message has it.

    Raises UserError with near names if there is none, with the candidates if there are several.
    """
    message_name, dot, signal_name = name.rpartition(".")
    if dot:
        message = find_message(database, message_name)
        found = next((signal for signal in message.signals if signal.name == signal_name), None)
        if found is None:
            near = suggestion(signal_name, (signal.name for signal in message.signals))
            raise UserError(f"{shown(database.path)}: message {message.name} has no signal {signal_name}{near}")
        return Place(message, found)
    places = [place for place in all_places(database) if place.signal.name == name]
    if not places:
        raise _no_signal(database, name)
    if len(places) > 1:
        names = ", ".join(place.name for place in places)
        raise UserError(f"{shown(database.path)}: several messages have a signal {name}: say which of {names}")
    return places[0]


def find_signals(database: Database, patterns: Sequence[str]) -> list[Place]:
    """The signals that any of the patterns names, each once, in the order of the patterns; all when there is none.

    A pattern is `Message.Signal`, `Signal` (of every message that has it) or `Message` (all its signals); `*` and `?`
    stand for characters as in file names. Raises UserError with near names if a pattern names nothing.
    """
    places = list(all_places(database))
    if not patterns:
        return places
    found: dict[str, Place] = {}
    for pattern in patterns:
        hits = [place for place in places if _matches(place, pattern)]
        if not hits:
            if "." in pattern and not any(character in pattern for character in "*?["):
                find_signal(database, pattern)  # knows better what is wrong
            raise _no_signal(database, pattern)
        found.update((place.name, place) for place in hits)
    return list(found.values())


def all_places(database: Database) -> Iterable[Place]:
    """All signals in the order of the file."""
    return (Place(message, signal) for message in database.messages.values() for signal in message.signals)


def _matches(place: Place, pattern: str) -> bool:
    return any(fnmatchcase(name, pattern) for name in (place.name, place.signal.name, place.message.name))


def _no_signal(database: Database, name: str) -> UserError:
    places = list(all_places(database))
    known = [*(place.signal.name for place in places), *(place.name for place in places), *database.messages]
    return UserError(f"{shown(database.path)}: no signal or message {name}{suggestion(name, known)}")
