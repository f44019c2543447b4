"""What stands in the file twice though it may stand there once."""

from collections.abc import Hashable, Iterable, Iterator

from twinaxle.dbc.lint.rule import Hit, Severity, rule
from twinaxle.dbc.syntax import Document
from twinaxle.dbc.syntax.document import is_relation
from twinaxle.dbc.syntax.tree import Entry, plain


def _second(document: Document, things: Iterable[tuple[Hashable, int, str]], advice: str) -> Iterator[Hit]:
    """A hit for each (key, offset, text) whose key came before."""
    first: dict[Hashable, int] = {}
    for key, at, text in things:
        if key in first:
            yield Hit(at, f"{text} in line {document.places.line(first[key])} too: {advice}")
        first.setdefault(key, at)


@rule("duplicate-node", Severity.ERROR, "two nodes of one name")
def duplicate_node(document: Document) -> Iterator[Hit]:
    nodes = ((name.text, name.at, f"node {name.text} stands") for name in document.tree.nodes)
    return _second(document, nodes, "name it once")


@rule("duplicate-identifier", Severity.ERROR, "two messages of one identifier")
def duplicate_identifier(document: Document) -> Iterator[Hit]:
    messages = document.tree.messages
    found = ((one.identifier, one.at, f"message {one.name.text}: identifier {one.identifier} is") for one in messages)
    return _second(document, found, "give each message its own")


@rule("duplicate-message", Severity.ERROR, "two messages of one name")
def duplicate_message(document: Document) -> Iterator[Hit]:
    messages = document.tree.messages
    found = ((one.name.text, one.name.at, f"message {one.name.text} is") for one in messages)
    return _second(document, found, "rename one")


@rule("duplicate-signal", Severity.ERROR, "two signals of one name in a message")
def duplicate_signal(document: Document) -> Iterator[Hit]:
    for message in document.tree.messages:
        signals = (
            (one.name.text, one.name.at, f"signal {one.name.text} of {message.name.text} is") for one in message.signals
        )
        yield from _second(document, signals, "rename one")


@rule("duplicate-receiver", Severity.WARNING, "a receiver named twice")
def duplicate_receiver(document: Document) -> Iterator[Hit]:
    for signal in document.signals():
        found = (
            (name.text, name.at, f"signal {signal.title}: receiver {name.text} is") for name in signal.line.receivers
        )
        yield from _second(document, found, "name it once")


@rule("duplicate-comment", Severity.WARNING, "a second comment on the same thing")
def duplicate_comment(document: Document) -> Iterator[Hit]:
    comments = document.tree.comments
    # Nobody loses anything by several comments on the whole file.
    found = ((one.target.key, one.at, f"a comment on {one.target} stands") for one in comments if one.target.kind)
    return _second(document, found, "tools keep only one of them, join them")


@rule("duplicate-definition", Severity.ERROR, "an attribute defined twice")
def duplicate_definition(document: Document) -> Iterator[Hit]:
    definitions = document.tree.definitions
    found = (
        ((is_relation(one.kind), one.name.text), one.at, f"attribute {one.name.text} is defined") for one in definitions
    )
    return _second(document, found, "define it once")


@rule("duplicate-default", Severity.ERROR, "two defaults of one attribute")
def duplicate_default(document: Document) -> Iterator[Hit]:
    defaults = document.tree.defaults
    found = (((one.relation, one.name.text), one.at, f"a default of {one.name.text} stands") for one in defaults)
    return _second(document, found, "keep one")


@rule("duplicate-attribute", Severity.ERROR, "two values of one attribute for the same thing")
def duplicate_attribute(document: Document) -> Iterator[Hit]:
    assignments = document.tree.assignments
    found = (
        ((one.name.text, one.target.key), one.at, f"{one.name.text} of {one.target} is set") for one in assignments
    )
    return _second(document, found, "keep one")


@rule("duplicate-value-list", Severity.ERROR, "two value lists for one signal")
def duplicate_value_list(document: Document) -> Iterator[Hit]:
    lists = document.tree.value_lists
    found = ((one.target.key, one.at, f"the values of {one.target} stand") for one in lists)
    return _second(document, found, "join them")


@rule("duplicate-value-table", Severity.ERROR, "two value tables of one name")
def duplicate_value_table(document: Document) -> Iterator[Hit]:
    tables = document.tree.value_tables
    found = ((one.name.text, one.at, f"value table {one.name.text} stands") for one in tables)
    return _second(document, found, "rename one")


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
