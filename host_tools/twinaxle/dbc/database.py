"""Reads a DBC file: cantools (strict) reads it, this turns the result into the plain data of `model`.

Where things stand in the file, and what is wrong with a file that cantools refuses, comes from the lint and its parser.

cantools is imported inside, so that the command line starts fast.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from twinaxle.dbc import syntax
from twinaxle.dbc.conventions import bit_rate
from twinaxle.dbc.model import EXTENDED, Database, E2eSpec, Message, Signal, make_database
from twinaxle.dbc.syntax.document import INDEPENDENT_SIGNALS
from twinaxle.dbc.syntax.tree import NO_NODE
from twinaxle.errors import UserError

if TYPE_CHECKING:
    from cantools.database import Message as ParsedMessage
    from cantools.database import Signal as ParsedSignal

POWERTRAIN = Path(__file__).parents[3] / "dbc" / "powertrain.dbc"

MOST_ERRORS = 10  # that are shown of a broken file


@cache
def powertrain() -> Database:
    """The project's own protocol, `dbc/powertrain.dbc`."""
    return load_database(POWERTRAIN)


def load_database(path: Path | str) -> Database:
    """The database in a DBC file.

    Raises UserError with file, line, message and signal if the file is missing, is not a DBC, contradicts itself or
    has E2E attributes that do not fit its messages.
    """
    from cantools.database import load_string
    from cantools.database.can.database import Database as ParsedDatabase

    path = Path(path)
    document = syntax.read_document(path)
    try:
        parsed = load_string(document.text, "dbc", strict=True, sort_signals=None)
    except Exception as error:  # cantools lets KeyError, IndexError and others through for a broken file
        raise UserError(_errors(document) or f"{path}: not a usable DBC: {type(error).__name__}: {error}") from None
    assert isinstance(parsed, ParsedDatabase)
    if wrong := _errors(document, ["e2e"]):
        raise UserError(wrong)
    found = [message for message in parsed.messages if message.name != INDEPENDENT_SIGNALS]
    # Of two messages with one identifier, each has its own line.
    sources = {(message.line.identifier, message.name): message for message in document.messages}
    messages = []
    for message in found:
        key = message.frame_id | EXTENDED if message.is_extended_frame else message.frame_id
        messages.append(_message(message, sources.get((key, message.name)) or document.message_by_id.get(key)))
    nodes = tuple(node.name for node in parsed.nodes)
    return make_database(path, nodes, _with_unique_names(messages, path), bit_rate(document))


def _errors(document: syntax.Document, rules: Sequence[str] = ()) -> str:
    """A line for each error that the rules (default: all) find; empty if there is none."""
    from twinaxle.dbc.lint import Severity, choose_rules, lint

    errors = [one for one in lint(document, choose_rules(rules, [])) if one.rule.severity == Severity.ERROR]
    lines = [f"{document.path}:{error.line}: {error.text}" for error in errors[:MOST_ERRORS]]
    if len(errors) > MOST_ERRORS:
        lines.append(f"and {len(errors) - MOST_ERRORS} more, which `twinaxle dbc lint {document.path}` shows")
    return "\n".join(lines)


def _with_unique_names(messages: list[Message], path: Path) -> list[Message]:
    """Gives the second message of a name a suffix with its identifier; refuses two messages with one identifier."""
    from dataclasses import replace

    names: set[str] = set()
    keys: dict[int, Message] = {}
    unique = []
    for message in messages:
        if message.key in keys:
            raise UserError(
                f"{path}:{message.line}: message {message.name} has the identifier {message.frame_id:#x} of message "
                f"{keys[message.key].name}: give each message its own"
            )
        keys[message.key] = message
        name = message.name if message.name not in names else f"{message.name}_{message.frame_id:X}"
        while name in names:
            name += "_"
        names.add(name)
        unique.append(replace(message, name=name))
    return unique


def _message(parsed: "ParsedMessage", source: syntax.Message | None) -> Message:
    line = source.number if source else 0
    attributes = parsed.dbc.attributes if parsed.dbc else {}
    cycle_ms = int(parsed.cycle_time or 0)
    written = source.signal_by_name if source else {}
    signals = tuple(_signal(signal, written.get(signal.name)) for signal in parsed.signals)
    senders = tuple(sender for sender in parsed.senders if sender != NO_NODE)
    return Message(
        name=parsed.name,
        send_type=parsed.send_type or "",
        frame_id=parsed.frame_id,
        is_extended=parsed.is_extended_frame,
        length=parsed.length,
        sender=senders[0] if senders else "",
        senders=senders,
        receivers=tuple(sorted({node for signal in signals for node in signal.receivers})),
        cycle_ms=cycle_ms,
        rx_timeout_ms=_integer(attributes, "RxTimeout"),
        e2e=_e2e(attributes),
        signals=signals,
        comment=parsed.comment or "",
        line=line,
    )


def _signal(parsed: "ParsedSignal", source: syntax.Signal | None) -> Signal:
    receivers = tuple(node for node in parsed.receivers if node != NO_NODE)
    # Where a message has no selector, or several without SG_MUL_VAL_, cantools takes every signal for an ordinary one.
    # The file's own word is kept, so that the codecs refuse such a signal.
    named = [source.mux_value] if source and source.mux_value is not None else []
    selectors = parsed.multiplexer_ids or named
    start_raw = parsed.raw_initial
    return Signal(
        name=parsed.name,
        start=parsed.start,
        length=parsed.length,
        is_signed=parsed.is_signed,
        is_big_endian=parsed.byte_order == "big_endian",
        factor=_plain(parsed.scale),
        offset=_plain(parsed.offset),
        minimum=None if parsed.minimum is None else _plain(parsed.minimum),
        maximum=None if parsed.maximum is None else _plain(parsed.maximum),
        unit=parsed.unit or "",
        start_raw=0 if start_raw is None else int(start_raw),
        choices=MappingProxyType({int(value): str(name) for value, name in (parsed.choices or {}).items()}),
        receivers=receivers,
        comment=parsed.comment or "",
        is_float=parsed.is_float,
        is_selector=parsed.is_multiplexer,
        mux=parsed.multiplexer_signal,
        mux_values=_ranges(sorted(set(selectors))),
        line=source.number if source else 0,
    )


def _plain(number: float) -> float:
    """An int where the number is one, so that values without scaling stay integers."""
    return int(number) if number == int(number) else float(number)


def _ranges(values: list[int]) -> tuple[tuple[int, int], ...]:
    ranges: list[tuple[int, int]] = []
    for value in values:
        if ranges and ranges[-1][1] == value - 1:
            ranges[-1] = (ranges[-1][0], value)
        else:
            ranges.append((value, value))
    return tuple(ranges)


def _integer(attributes: Any, name: str) -> int:
    attribute = attributes.get(name)
    return int(attribute.value) if attribute is not None else 0


def _e2e(attributes: Any) -> E2eSpec | None:
    """The protection that the lint has found to be right."""
    if _integer(attributes, "E2eProfile") == 0:
        return None
    return E2eSpec(_integer(attributes, "E2eDataId"), _integer(attributes, "E2eMaxDelta"), "Crc", "Counter")
