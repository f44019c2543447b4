"""Reads a DBC file: cantools (strict) parses it, this turns the result into the plain data of `model`.

cantools is imported inside, so that the command line starts fast.
"""

from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from twinaxle.dbc.locate import SourceMap, explain
from twinaxle.dbc.model import Database, E2eSpec, Message, Signal, make_database
from twinaxle.errors import UserError

if TYPE_CHECKING:
    from cantools.database import Message as ParsedMessage
    from cantools.database import Signal as ParsedSignal

POWERTRAIN = Path(__file__).parents[3] / "dbc" / "powertrain.dbc"

_NO_NODE = "Vector__XXX"  # what a DBC has in place of a node if there is none
_NO_MESSAGE = "VECTOR__INDEPENDENT_SIG_MSG"  # where Vector's tools keep signals that are in no message


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
    try:
        # The encoding that Vector's tools write. Every byte must decode: comments are of no concern here.
        text = path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode("cp1252", errors="replace")
    except OSError as error:
        raise UserError(f"{path}: cannot read the DBC: {error.strerror or error}") from None
    source = SourceMap(text)
    try:
        parsed = load_string(text, "dbc", strict=True, sort_signals=None)
    except Exception as error:  # cantools lets KeyError, IndexError and others through for a broken file
        raise UserError(explain(path, source, error)) from None
    assert isinstance(parsed, ParsedDatabase)
    messages = [_message(message, path, source) for message in parsed.messages if message.name != _NO_MESSAGE]
    return make_database(path, tuple(node.name for node in parsed.nodes), _with_unique_names(messages, path))


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


def _message(parsed: "ParsedMessage", path: Path, source: SourceMap) -> Message:
    line = source.message_line(parsed.name)
    attributes = parsed.dbc.attributes if parsed.dbc else {}
    cycle_ms = int(parsed.cycle_time or 0)
    signals = tuple(_signal(signal, source, source.signal_line(parsed.name, signal.name)) for signal in parsed.signals)
    senders = tuple(sender for sender in parsed.senders if sender != _NO_NODE)
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
        e2e=_e2e(parsed, attributes, signals, f"{path}:{line}: message {parsed.name}"),
        signals=signals,
        comment=parsed.comment or "",
        line=line,
    )


def _signal(parsed: "ParsedSignal", source: SourceMap, line: int) -> Signal:
    receivers = tuple(node for node in parsed.receivers if node != _NO_NODE)
    # Where a message has no selector, or several without SG_MUL_VAL_, cantools takes every signal for an ordinary one.
    # The file's own word is kept, so that the codecs refuse such a signal.
    selectors = parsed.multiplexer_ids or source.selector_values(line)
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
        line=line,
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


def _e2e(parsed: "ParsedMessage", attributes: Any, signals: tuple[Signal, ...], where: str) -> E2eSpec | None:
    profile = _integer(attributes, "E2eProfile")
    if profile == 0:
        return None
    if profile != 1:
        raise UserError(f"{where}: E2eProfile {profile} is not known: 0 (none) or 1")
    for name, start, length in (("Crc", 0, 8), ("Counter", 8, 4)):
        signal = next((signal for signal in signals if signal.name == name), None)
        if signal is None:
            raise UserError(f"{where}: has E2eProfile 1 but no signal {name}")
        if (signal.shift, signal.length, signal.is_signed) != (start, length, False) or signal.is_big_endian:
            raise UserError(f"{where}: signal {name} must be unsigned Intel {start}|{length} for E2eProfile 1")
    if parsed.length < 2:
        raise UserError(f"{where}: E2eProfile 1 needs at least 2 bytes")
    if "E2eDataId" not in attributes:
        raise UserError(f"{where}: has E2eProfile 1 but no E2eDataId")
    max_delta = _integer(attributes, "E2eMaxDelta")
    if not 1 <= max_delta <= 13:
        raise UserError(f"{where}: E2eMaxDelta {max_delta} must be 1 to 13")
    return E2eSpec(_integer(attributes, "E2eDataId") & 0xFFFF, max_delta, "Crc", "Counter")
