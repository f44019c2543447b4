"""Cycle times, send types and timeouts."""

from collections.abc import Iterator

from twinaxle.dbc.conventions import (
    CYCLE_TIME,
    SEND_TYPE,
    TIMEOUT,
    cycle_ms,
    send_type,
)
from twinaxle.dbc.lint.rule import Hit, Severity, rule
from twinaxle.dbc.send_types import CYCLIC, NOT_CYCLIC, normal_name
from twinaxle.dbc.syntax import Document
from twinaxle.dbc.syntax.tree import plain


@rule("no-cycle-time", Severity.WARNING, "a cyclic message without a cycle time")
def no_cycle_time(document: Document) -> Iterator[Hit]:
    for message in document.messages:
        kind = send_type(document, message)
        if kind in CYCLIC and not message.is_independent and cycle_ms(document, message) <= 0:
            assignment = message.attributes.get(CYCLE_TIME)
            at = assignment.at if assignment else message.line.at
            sent = document.attribute(message, SEND_TYPE)
            yield Hit(at, f"message {message.name} is {sent}, but has no {CYCLE_TIME}: set it or change {SEND_TYPE}")


@rule("no-send-type", Severity.STYLE, "a message of which nothing says when it is sent")
def no_send_type(document: Document) -> Iterator[Hit]:
    if (False, SEND_TYPE) in document.definitions:
        return
    if (False, CYCLE_TIME) not in document.definitions:
        if document.messages:
            yield Hit(0, f"nothing says when messages are sent: define {CYCLE_TIME} and {SEND_TYPE}")
        return
    for message in document.messages:
        if not message.is_independent and cycle_ms(document, message) <= 0:
            text = f"message {message.name}: nothing says when it is sent: set {CYCLE_TIME} or {SEND_TYPE}"
            yield Hit(message.line.at, text)


@rule("cycle-time-on-event", Severity.WARNING, "a cycle time on a message that is sent on events")
def cycle_time_on_event(document: Document) -> Iterator[Hit]:
    for message in document.messages:
        assignment = message.attributes.get(CYCLE_TIME)
        kind = send_type(document, message)
        if assignment and kind in ("event", "spontaneous") and cycle_ms(document, message) > 0:
            text = f"message {message.name} has a {CYCLE_TIME}, but is sent as {document.attribute(message, SEND_TYPE)}"
            yield Hit(assignment.at, f"{text}: remove one")


@rule("unknown-send-type", Severity.STYLE, "a send type that other tools do not know")
def unknown_send_type(document: Document) -> Iterator[Hit]:
    definition = document.definitions.get((False, SEND_TYPE))
    for value in dict.fromkeys(definition.values) if definition else ():
        if definition and normal_name(value) not in CYCLIC | NOT_CYCLIC:
            text = f'{SEND_TYPE} "{value}": tools know Cyclic, Spontaneous, Event, IfActive, OnChange, OnWrite and such'
            yield Hit(definition.at, text)


@rule("timeout-below-cycle", Severity.ERROR, "a receive timeout that a good message runs into")
def timeout_below_cycle(document: Document) -> Iterator[Hit]:
    for message in document.messages:
        timeout, cycle = document.number(message, TIMEOUT) or 0, cycle_ms(document, message)
        if 0 < timeout <= cycle:
            assignment = message.attributes.get(TIMEOUT)
            at = assignment.at if assignment else message.line.at
            text = f"message {message.name}: {TIMEOUT} {plain(timeout)} ms is not above its cycle of {plain(cycle)} ms"
            yield Hit(at, f"{text}: allow for two or three cycles")
