"""Cycle times, send types and timeouts."""

from collections.abc import Iterator

from twinaxle.dbc.lint.rule import Hit, Severity, rule
from twinaxle.dbc.syntax import Document, Message
from twinaxle.dbc.syntax.tree import plain

CYCLE_TIME = "GenMsgCycleTime"
SEND_TYPE = "GenMsgSendType"
TIMEOUT = "RxTimeout"
# What tools write as GenMsgSendType, in lower case; those of the first set send in cycles.
CYCLIC = {
    "cyclic", "cyclicx", "cyclicandspontaneous", "cyclicandspontaneousx", "cyclicifactive", "cyclicifactivefast",
    "fixedperiodic", "cyclicevent", "cyclicandevent", "cycliconchange",
}  # fmt: skip
OTHER = {
    "event", "spontaneous", "spontaneousx", "spontaneouswithdelay", "spontaneouswithrepetition", "noevent", "onevent",
    "ifactive", "ifactivewithrepetition", "onchange", "onchangewithrepetition", "onwrite", "onwritewithrepetition",
    "eventperiodic", "enabledperiodic", "bafunctionalrequest", "triggered", "request", "ondemand", "onrequest",
    "nomsgsendtype", "nosendtype", "none", "notused", "reserved", "vectorleerstring", "",
}  # fmt: skip


def send_type(document: Document, message: Message) -> str:
    """The message's send type in lower case without blanks, `_` and `-`; empty if the file does not tell."""
    value = document.attribute(message, SEND_TYPE)
    return _normal(value) if isinstance(value, str) else ""


def cycle_ms(document: Document, message: Message) -> float:
    """The message's cycle time in ms; 0 if it has none."""
    return document.number(message, CYCLE_TIME) or 0


def _normal(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "").replace(" ", "")


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
        if definition and _normal(value) not in CYCLIC | OTHER:
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
