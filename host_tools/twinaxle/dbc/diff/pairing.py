"""Which message, signal and node of the new file is which of the old one, through renames and moves."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from twinaxle.dbc.syntax import Document, Message, Signal

T = TypeVar("T")
Key = Callable[[T], Hashable | None]  # None: not to be paired by this


@dataclass(frozen=True)
class Pairs(Generic[T]):
    """Pairs (old, new), and what is in one file only, each in the order of its file."""

    both: list[tuple[T, T]]
    removed: list[T]
    added: list[T]


def pair(old: Sequence[T], new: Sequence[T], keys: Sequence[Key[T]]) -> Pairs[T]:
    """Pairs what has the same first key, then of the rest what has the same second key, and so on.

    Of things with one key, the first is paired with the first, the second with the second.
    """
    found: dict[int, int] = {}
    free_old, free_new = list(range(len(old))), list(range(len(new)))
    for key in keys:
        by_old, by_new = _places(old, free_old, key), _places(new, free_new, key)
        found |= {at: by_new[value] for value, at in by_old.items() if value in by_new}
        taken = set(found.values())
        free_old = [at for at in free_old if at not in found]
        free_new = [at for at in free_new if at not in taken]
    both = [(old[at], new[found[at]]) for at in sorted(found)]
    return Pairs(both, [old[at] for at in free_old], [new[at] for at in free_new])


def _places(things: Sequence[T], places: list[int], key: Key[T]) -> dict[Hashable, int]:
    """Place by key and how many had that key before."""
    result: dict[Hashable, int] = {}
    counts: Counter[Hashable] = Counter()
    for at in places:
        value = key(things[at])
        if value is not None:
            result[value, counts[value]] = at
            counts[value] += 1
    return result


def layout(signal: Signal) -> tuple[Hashable, ...]:
    """Where a signal lies and in which frames; the selector's name does not count, so that it may be renamed."""
    line = signal.line
    return line.start, line.length, line.order, line.mux, signal.mux_values


def _content(message: Message) -> Hashable | None:
    """What a message is apart from name and identifier; None if that is too little to know it by."""
    signals = tuple(sorted((signal.name, *map(str, layout(signal))) for signal in message.signals))
    return (message.line.length, signals) if len(signals) > 1 else None


def pair_messages(old: Document, new: Document) -> Pairs[Message]:
    """By name and identifier, name, identifier, content."""
    keys: list[Key[Message]] = [
        lambda message: (message.name, message.line.identifier),
        lambda message: message.name,
        lambda message: message.line.identifier,
        _content,
    ]
    return pair(
        [message for message in old.messages if not message.is_independent],
        [message for message in new.messages if not message.is_independent],
        keys,
    )


def pair_signals(old: Message, new: Message) -> Pairs[Signal]:
    """By name, then by layout."""
    return pair(old.signals, new.signals, [lambda signal: signal.name, layout])


def pair_nodes(old: Document, new: Document, messages: Pairs[Message]) -> Pairs[str]:
    """By name, then by the messages that a node sends."""
    sent_old = {node: frozenset(id(a) for a, _ in messages.both if node in a.senders) for node in old.nodes}
    sent_new = {node: frozenset(id(a) for a, b in messages.both if node in b.senders) for node in new.nodes}
    gone = set(old.nodes) - set(new.nodes)
    # Only a node that is gone can have another name in the new file.
    return pair(
        old.nodes,
        new.nodes,
        [lambda node: node, lambda node: (sent_old[node] if node in gone else sent_new.get(node)) or None],
    )
