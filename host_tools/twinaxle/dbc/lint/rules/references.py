"""Nodes, messages and signals that statements speak of."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from twinaxle.dbc.lint.rule import Hit, Severity, rule
from twinaxle.dbc.syntax import Document
from twinaxle.dbc.syntax.tree import NO_NODE, Name, Target


def _unknown_nodes(document: Document, uses: Iterable[tuple[str, Name]]) -> Iterator[Hit]:
    """One hit for each node that BU_ does not name, at its first use. None if there is no BU_: that is told once."""
    places: dict[str, list[tuple[str, Name]]] = {}
    for what, name in uses if document.nodes and "BU_" not in document.tree.unread else ():
        if name.text not in document.nodes and name.text != NO_NODE:
            places.setdefault(name.text, []).append((what, name))
    for node, found in places.items():
        what, name = found[0]
        near = next(iter(get_close_matches(node, document.nodes, 1, 0.7)), "")
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        advice = f"is it {near}?" if near else "add it there"
        yield Hit(name.at, f"{what} {node}{more} is no node of BU_: {advice}")


@rule("unknown-sender", Severity.ERROR, "a sender that BU_ does not name")
def unknown_sender(document: Document) -> Iterator[Hit]:
    uses = [(f"message {message.name.text}: sender", message.sender) for message in document.tree.messages]
    for senders in document.tree.senders:
        uses += [(f"message {senders.target.identifier}: sender", name) for name in senders.names]
    return _unknown_nodes(document, uses)


@rule("unknown-receiver", Severity.ERROR, "a receiver that BU_ does not name")
def unknown_receiver(document: Document) -> Iterator[Hit]:
    uses = ((f"signal {one.title}: receiver", name) for one in document.signals() for name in one.line.receivers)
    return _unknown_nodes(document, uses)


@rule("no-sender", Severity.STYLE, "a message that nobody sends")
def no_sender(document: Document) -> Iterator[Hit]:
    for message in document.messages:
        if not message.senders and not message.is_independent:
            yield Hit(message.line.sender.at, f"message {message.name} has no sender: name a node of BU_")


@rule("no-receiver", Severity.STYLE, "a signal that nobody receives")
def no_receiver(document: Document) -> Iterator[Hit]:
    """One for the message where none of its signals has a receiver."""
    for message in document.messages:
        lonely = [signal for signal in message.signals if signal.line.receivers and not signal.receivers]
        if message.is_independent or not lonely:
            continue
        if len(lonely) == len(message.signals) and len(lonely) > 1:
            yield Hit(message.line.at, f"message {message.name}: no signal has a receiver: name nodes of BU_")
            continue
        for signal in lonely:
            yield Hit(signal.line.receivers[0].at, f"signal {signal.title} has no receiver: name nodes of BU_")


@rule("receiver-is-sender", Severity.WARNING, "a node that receives what it sends")
def receiver_is_sender(document: Document) -> Iterator[Hit]:
    """One for each message. With several senders, one may listen to the other."""
    for message in document.messages:
        sender = message.line.sender.text
        names = [name for signal in message.signals for name in signal.line.receivers if name.text == sender]
        if names and message.senders == (sender,):
            count = f"{len(names)} of its signals" if len(names) > 1 else "one of its signals"
            yield Hit(names[0].at, f"message {message.name}: {sender} sends it and is named as receiver of {count}")


@rule("unused-node", Severity.STYLE, "a node that neither sends nor receives")
def unused_node(document: Document) -> Iterator[Hit]:
    used = {node for message in document.messages for node in (*message.senders, *message.receivers)}
    for name in document.tree.nodes:
        if name.text not in used and name.text != NO_NODE:
            yield Hit(name.at, f"node {name.text} neither sends nor receives")


def _targets(document: Document) -> Iterator[tuple[str, Target]]:
    """The name of the statement or attribute and what it is about, for all that are about something."""
    tree = document.tree
    yield from (("CM_", one.target) for one in tree.comments)
    yield from ((one.name.text, one.target) for one in tree.assignments)
    yield from (("VAL_", one.target) for one in tree.value_lists)
    yield from (("SIG_VALTYPE_", one.target) for one in tree.value_types)
    yield from (("SG_MUL_VAL_", one.target) for one in tree.mux_ranges)
    yield from (("BO_TX_BU_", one.target) for one in tree.senders)
    yield from ((f"SIG_GROUP_ {one.name.text}", one.target) for one in tree.groups)


@rule("unknown-message", Severity.ERROR, "a statement on a message that is not there")
def unknown_message(document: Document) -> Iterator[Hit]:
    # A broken BO_ is told by itself, and what speaks of it may well be right. The same goes for SG_ below.
    for what, target in () if "BO_" in document.tree.unread else _targets(document):
        if target.identifier is not None and target.identifier not in document.message_by_id:
            yield Hit(target.at, f"{what} of {target}: there is no message {target.identifier}")


@rule("unknown-signal", Severity.ERROR, "a statement on a signal that is not there")
def unknown_signal(document: Document) -> Iterator[Hit]:
    if document.tree.unread & {"BO_", "SG_"}:
        return
    for what, target in _targets(document):
        message = None if target.identifier is None else document.message_by_id.get(target.identifier)
        if message and target.name and target.name.text not in message.signal_by_name:
            yield Hit(target.name.at, f"{what} of {target}: message {message.name} has no signal {target.name.text}")
    for group in document.tree.groups:
        message = document.message_by_id.get(group.target.identifier or 0)
        for name in group.signals if message else ():
            if message and name.text not in message.signal_by_name:
                yield Hit(name.at, f"SIG_GROUP_ {group.name.text}: message {message.name} has no signal {name.text}")


@rule("unknown-node", Severity.ERROR, "a statement on a node that BU_ does not name")
def unknown_node(document: Document) -> Iterator[Hit]:
    uses = [(f"{what} of", target.name) for what, target in _targets(document) if target.kind == "BU_" and target.name]
    uses += [(f"{what} of", target.node) for what, target in _targets(document) if target.node]
    return _unknown_nodes(document, uses)


@rule("unknown-variable", Severity.ERROR, "a statement on an environment variable that is not there")
def unknown_variable(document: Document) -> Iterator[Hit]:
    known = {name.text for name in document.tree.environment_variables}
    for what, target in _targets(document):
        if target.kind in ("EV_", "BU_EV_REL_") and target.name and target.name.text not in known:
            yield Hit(target.name.at, f"{what} of {target}: there is no EV_ {target.name.text}")


@rule("unknown-value-table", Severity.ERROR, "VAL_ names a value table that is not there")
def unknown_value_table(document: Document) -> Iterator[Hit]:
    known = {table.name.text for table in document.tree.value_tables}
    for values in document.tree.value_lists:
        if values.table and values.table.text not in known:
            yield Hit(values.table.at, f"VAL_ of {values.target}: there is no VAL_TABLE_ {values.table.text}")


@rule("value-table-by-name", Severity.WARNING, "VAL_ names a value table for values")
def value_table_by_name(document: Document) -> Iterator[Hit]:
    for values in document.tree.value_lists:
        if values.table:
            text = f"VAL_ of {values.target} names a table: cantools and others refuse that, write the values here too"
            yield Hit(values.table.at, text)
