"""What stands in the file twice though it may stand there once."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Protocol, TypeVar

from twinaxle.dbc.lint.rule import Hit, Severity, rule
from twinaxle.dbc.syntax import Document
from twinaxle.dbc.syntax.document import is_relation
from twinaxle.dbc.syntax.tree import Entry, Name, SignalLine, plain


class _Placed(Protocol):
    @property
    def at(self) -> int: ...


T = TypeVar("T", bound=_Placed)


def _second(
    document: Document, things: Iterable[T], key: Callable[[T], Hashable], text: Callable[[T], str], advice: str
) -> Iterator[Hit]:
    """A hit for each thing whose key came before. `text` says what the thing does "in line 5 too"."""
    first: dict[Hashable, T] = {}
    for thing in things:
        before = first.setdefault(key(thing), thing)
        if before is not thing:
            yield Hit(thing.at, f"{text(thing)} in line {document.places.line(before.at)} too: {advice}")


@rule("duplicate-node", Severity.ERROR, "two nodes of one name")
def duplicate_node(document: Document) -> Iterator[Hit]:
    nodes = document.tree.nodes
    return _second(document, nodes, lambda node: node.text, lambda node: f"node {node.text} stands", "name it once")


@rule("duplicate-identifier", Severity.ERROR, "two messages of one identifier")
def duplicate_identifier(document: Document) -> Iterator[Hit]:
    return _second(
        document,
        document.tree.messages,
        lambda message: message.identifier,
        lambda message: f"message {message.name.text}: identifier {message.identifier} is",
        "give each message its own",
    )


@rule("duplicate-message", Severity.ERROR, "two messages of one name")
def duplicate_message(document: Document) -> Iterator[Hit]:
    return _second(
        document,
        document.tree.messages,
        lambda message: message.name.text,
        lambda message: f"message {message.name.text} is",
        "rename one",
    )


@rule("duplicate-signal", Severity.ERROR, "two signals of one name in a message")
def duplicate_signal(document: Document) -> Iterator[Hit]:
    for message in document.messages:
        yield from _second(
            document,
            message.line.signals,
            lambda signal: signal.name.text,
            _signal_of(message.title),
            "rename one",
        )


def _signal_of(message: str) -> Callable[[SignalLine], str]:
    return lambda signal: f"signal {signal.name.text} of {message} is"


@rule("duplicate-receiver", Severity.WARNING, "a receiver named twice")
def duplicate_receiver(document: Document) -> Iterator[Hit]:
    for signal in document.signals():
        if len(signal.line.receivers) > 1:
            yield from _second(
                document,
                signal.line.receivers,
                lambda name: name.text,
                _receiver_of(signal.title),
                "name it once",
            )


def _receiver_of(signal: str) -> Callable[[Name], str]:
    return lambda name: f"signal {signal}: receiver {name.text} is"


@rule("duplicate-comment", Severity.WARNING, "a second comment on the same thing")
def duplicate_comment(document: Document) -> Iterator[Hit]:
    # Nobody loses anything by several comments on the whole file.
    return _second(
        document,
        (comment for comment in document.tree.comments if comment.target.kind),
        lambda comment: comment.target.key,
        lambda comment: f"a comment on {comment.target} stands",
        "tools keep only one of them, join them",
    )


@rule("duplicate-definition", Severity.ERROR, "an attribute defined twice")
def duplicate_definition(document: Document) -> Iterator[Hit]:
    return _second(
        document,
        document.tree.definitions,
        lambda definition: (is_relation(definition.kind), definition.name.text),
        lambda definition: f"attribute {definition.name.text} is defined",
        "define it once",
    )


@rule("duplicate-default", Severity.ERROR, "two defaults of one attribute")
def duplicate_default(document: Document) -> Iterator[Hit]:
    return _second(
        document,
        document.tree.defaults,
        lambda default: (default.relation, default.name.text),
        lambda default: f"a default of {default.name.text} stands",
        "keep one",
    )


@rule("duplicate-attribute", Severity.ERROR, "two values of one attribute for the same thing")
def duplicate_attribute(document: Document) -> Iterator[Hit]:
    return _second(
        document,
        document.tree.assignments,
        lambda one: (one.name.text, one.target.key),
        lambda one: f"{one.name.text} of {one.target} is set",
        "keep one",
    )


@rule("duplicate-value-list", Severity.ERROR, "two value lists for one signal")
def duplicate_value_list(document: Document) -> Iterator[Hit]:
    return _second(
        document,
        document.tree.value_lists,
        lambda values: values.target.key,
        lambda values: f"the values of {values.target} stand",
        "join them",
    )


@rule("duplicate-value-table", Severity.ERROR, "two value tables of one name")
def duplicate_value_table(document: Document) -> Iterator[Hit]:
    return _second(
        document,
        document.tree.value_tables,
        lambda table: table.name.text,
        lambda table: f"value table {table.name.text} stands",
        "rename one",
    )


@rule("duplicate-value", Severity.ERROR, "one value twice in a value table")
def duplicate_value(document: Document) -> Iterator[Hit]:
    for values in document.tree.value_lists:
        yield from _second_value(f"values of {values.target}", values.entries)
    for table in document.tree.value_tables:
        yield from _second_value(f"value table {table.name.text}", table.entries)


def _second_value(what: str, entries: list[Entry]) -> Iterator[Hit]:
    names: dict[float, str] = {}
    for entry in entries:
        if entry.value in names:
            first = names[entry.value]
            yield Hit(entry.at, f'{what}: {plain(entry.value)} is "{first}" and "{entry.text}": keep one')
        names.setdefault(entry.value, entry.text)
