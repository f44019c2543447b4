"""End-to-end protection: the attributes E2eProfile, E2eDataId, E2eMaxDelta and the signals Crc and Counter.

Profile 1 of AUTOSAR, variant 1A: CRC in byte 0, counter in the low nibble of byte 1.
"""

from collections.abc import Iterator

from twinaxle.dbc.conventions import DATA_ID, MAX_DELTA, PROFILE, PROTECTION, TIMEOUT, cycle_ms, is_protected
from twinaxle.dbc.lint.rule import Hit, Severity, rule
from twinaxle.dbc.lint.rules.layout import overlaps
from twinaxle.dbc.syntax import Document, Message
from twinaxle.dbc.syntax.tree import plain
from twinaxle.e2e import COUNTERS

LEAST_BYTES = 2


def _protected(document: Document) -> Iterator[Message]:
    return (message for message in document.messages if is_protected(document, message))


def _at(message: Message, attribute: str) -> int:
    assignment = message.attributes.get(attribute)
    return assignment.at if assignment else message.line.at


@rule("e2e-profile", Severity.ERROR, "an E2eProfile that is not known")
def e2e_profile(document: Document) -> Iterator[Hit]:
    for message in document.messages:
        profile = document.attribute(message, PROFILE)
        if profile not in (None, 0, 1):
            yield Hit(_at(message, PROFILE), f"message {message.name}: {PROFILE} {profile} is not known: 0 (none) or 1")


@rule("e2e-fields", Severity.ERROR, "Crc or Counter missing, or not where the profile has them")
def e2e_fields(document: Document) -> Iterator[Hit]:
    for message in _protected(document):
        if message.line.length < LEAST_BYTES:
            yield Hit(message.line.length_at, f"message {message.name}: {PROFILE} 1 needs {LEAST_BYTES} bytes at least")
        for name, (start, length) in PROTECTION.items():
            signal = message.signal_by_name.get(name)
            if signal is None:
                yield Hit(message.line.at, f"message {message.name} has {PROFILE} 1 but no signal {name}: add it")
                continue
            line = signal.line
            right = (line.start, line.length) == (start, length) and not (signal.is_signed or signal.is_big_endian)
            if not right or signal.mux_values:
                text = f"signal {signal.title} must be {start}|{length}@1+, in every frame, for {PROFILE} 1"
                yield Hit(line.layout_at, text)


@rule("e2e-overlap", Severity.ERROR, "a signal over Crc or Counter")
def e2e_overlap(document: Document) -> Iterator[Hit]:
    for message in _protected(document):
        for one, other in overlaps(message):
            protection = next((signal for signal in (one, other) if signal.name in PROTECTION), None)
            if protection:
                guest = other if protection is one else one
                text = f"signal {guest.title} lies over {protection.name}, which {PROFILE} 1 fills: move it"
                yield Hit(guest.line.layout_at, text)


@rule("e2e-counter-range", Severity.WARNING, "a range of Counter other than the profile's")
def e2e_counter_range(document: Document) -> Iterator[Hit]:
    for message in _protected(document):
        counter = message.signal_by_name.get("Counter")
        if counter and (counter.line.minimum, counter.line.maximum) != (0, COUNTERS - 1):
            text = f"signal {counter.title}: the counter of profile 1 runs from 0 to {COUNTERS - 1}"
            yield Hit(counter.line.range_at, f"{text}: write [0|{COUNTERS - 1}]")


@rule("e2e-data-id", Severity.ERROR, "E2eDataId missing, too large, or the same for two messages")
def e2e_data_id(document: Document) -> Iterator[Hit]:
    owners: dict[float, Message] = {}
    for message in _protected(document):
        assignment = message.attributes.get(DATA_ID)
        value = document.number(message, DATA_ID)
        at = _at(message, DATA_ID)
        if assignment is None or value is None:
            yield Hit(at, f"message {message.name} has {PROFILE} 1 but no {DATA_ID}: set it")
        elif not 0 <= value <= 0xFFFF:
            yield Hit(at, f"message {message.name}: {DATA_ID} {plain(value)} is not in 0 to 65535")
        elif value in owners:
            text = f"message {message.name}: {DATA_ID} {plain(value)} is that of {owners[value].name} too"
            yield Hit(at, f"{text}: a receiver could not tell them apart, give each its own")
        else:
            owners[value] = message


@rule("e2e-max-delta", Severity.ERROR, "an E2eMaxDelta that cannot work")
def e2e_max_delta(document: Document) -> Iterator[Hit]:
    for message in _protected(document):
        value = document.number(message, MAX_DELTA)
        if value is None or not 1 <= value <= COUNTERS - 2:
            shown = "missing" if value is None else plain(value)
            text = f"message {message.name}: {MAX_DELTA} is {shown}: it must be 1 to {COUNTERS - 2}"
            yield Hit(_at(message, MAX_DELTA), text)


@rule("e2e-no-timeout", Severity.WARNING, "a protected cyclic message without a receive timeout")
def e2e_no_timeout(document: Document) -> Iterator[Hit]:
    for message in _protected(document):
        if cycle_ms(document, message) > 0 and not document.number(message, TIMEOUT):
            text = f"message {message.name} is protected, but has no {TIMEOUT}: nobody would notice that it stopped"
            yield Hit(_at(message, TIMEOUT), text)
