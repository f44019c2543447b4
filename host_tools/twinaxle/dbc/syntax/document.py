"""What a DBC says, put together: messages with their signals, comments, attributes and value tables.

Made from any text, however broken: what refers to something unknown is left out here and stays in the tree.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from twinaxle.dbc.model import EXTENDED
from twinaxle.dbc.syntax.parser import parse
from twinaxle.dbc.syntax.tokens import Places
from twinaxle.dbc.syntax.tree import (
    NO_NODE,
    Assignment,
    Definition,
    MessageLine,
    MuxRanges,
    SignalLine,
    Target,
    Tree,
    ValueList,
)
from twinaxle.errors import UserError

BOM = b"\xef\xbb\xbf"
MOST_BYTES = 1785  # of a message: the largest one of J1939
INDEPENDENT_SIGNALS = "VECTOR__INDEPENDENT_SIG_MSG"  # where Vector's tools keep signals that are in no message

Attribute = float | str


@dataclass
class Signal:
    """A signal with all that the file says about it."""

    line: SignalLine
    message: "Message"
    number: int = 0  # of its line in the file
    comment: str = ""
    attributes: dict[str, Assignment] = field(default_factory=dict)
    value_list: ValueList | None = None
    value_type: int = 0
    mux_ranges: MuxRanges | None = None

    @property
    def name(self) -> str:
        return self.line.name.text

    @property
    def title(self) -> str:
        """Message and signal, as messages to the user name it."""
        return f"{self.message.name}.{self.name}"

    @property
    def is_signed(self) -> bool:
        return self.line.sign == "-"

    @property
    def is_float(self) -> bool:
        return self.value_type in (1, 2)

    @property
    def is_big_endian(self) -> bool:
        return self.line.order == 0

    @property
    def is_selector(self) -> bool:
        return self.line.mux.endswith("M")

    @property
    def mux_value(self) -> int | None:
        """The selector value that the SG_ line names (`m3`), or None."""
        digits = self.line.mux.strip("mM")
        return int(digits) if digits else None

    @cached_property
    def mux_values(self) -> tuple[tuple[int, int], ...]:
        """The inclusive ranges of selector values that carry the signal; empty if it is in every frame."""
        if self.mux_ranges:
            return tuple((one.low, one.high) for one in self.mux_ranges.ranges)
        return () if self.mux_value is None else ((self.mux_value, self.mux_value),)

    @cached_property
    def selector(self) -> str:
        """The name of the signal whose value decides if this one is there; empty if it is in every frame."""
        if self.mux_ranges:
            return self.mux_ranges.selector.text
        if self.mux_value is None:
            return ""
        return next((signal.name for signal in self.message.signals if signal.line.mux == "M"), "")

    @cached_property
    def choices(self) -> dict[float, str]:
        """The names of values; of a key that comes twice, the first."""
        choices: dict[float, str] = {}
        for entry in self.value_list.entries if self.value_list else ():
            choices.setdefault(entry.value, entry.text)
        return choices

    @property
    def raw_limits(self) -> tuple[int, int]:
        """Smallest and largest raw integer that the bits can hold."""
        length = min(max(self.line.length, 1), 64)
        return (-(1 << length - 1), (1 << length - 1) - 1) if self.is_signed else (0, (1 << length) - 1)

    @property
    def receivers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name.text for name in self.line.receivers if name.text != NO_NODE))

    @cached_property
    def bits(self) -> list[int]:
        """The numbers of its bits in the frame (8 * byte + bit): Intel from the lowest, Motorola from the highest."""
        start, length = self.line.start, min(self.line.length, 8 * MOST_BYTES)
        if not self.is_big_endian:
            return list(range(start, start + length))
        bits = []
        for _ in range(length):
            bits.append(start)
            start = start - 1 if start % 8 else start + 15
        return bits


@dataclass
class Message:
    """A message with all that the file says about it."""

    line: MessageLine
    number: int = 0  # of its line in the file
    signals: list[Signal] = field(default_factory=list)
    comment: str = ""
    attributes: dict[str, Assignment] = field(default_factory=dict)
    further_senders: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.line.name.text

    @property
    def title(self) -> str:
        return self.name

    @property
    def is_extended(self) -> bool:
        return bool(self.line.identifier & EXTENDED)

    @property
    def frame_id(self) -> int:
        return self.line.identifier & ~EXTENDED

    @property
    def is_independent(self) -> bool:
        """True for what is no message but a place for signals that are in none."""
        return self.name == INDEPENDENT_SIGNALS

    @property
    def senders(self) -> tuple[str, ...]:
        names = (self.line.sender.text, *self.further_senders)
        return tuple(dict.fromkeys(name for name in names if name != NO_NODE))

    @property
    def receivers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(node for signal in self.signals for node in signal.receivers))

    @cached_property
    def signal_by_name(self) -> dict[str, Signal]:
        """Of a name that comes twice, the first."""
        return {signal.name: signal for signal in reversed(self.signals)}


class Document:
    """A DBC file."""

    def __init__(self, path: Path, text: str, raw: bytes) -> None:
        self.path = path
        self.text = text
        self.raw = raw
        self.tree: Tree = parse(text)
        self.nodes = tuple(dict.fromkeys(name.text for name in self.tree.nodes if name.text != NO_NODE))
        self.places = Places(text)  # of offsets
        self.messages = [_message(line, self.places) for line in self.tree.messages]
        self.message_by_id = {message.line.identifier: message for message in reversed(self.messages)}
        self.definitions: dict[tuple[bool, str], Definition] = {}
        for definition in self.tree.definitions:
            self.definitions.setdefault((is_relation(definition.kind), definition.name.text), definition)
        self.defaults = {(one.relation, one.name.text): one.value for one in self.tree.defaults}
        self.comment = ""
        self.attributes: dict[str, Assignment] = {}
        self.node_comments: dict[str, str] = {}
        self.node_attributes: dict[str, dict[str, Assignment]] = {node: {} for node in self.nodes}
        self._link()

    def find(self, target: Target) -> "Message | Signal | None":
        """The message or signal that a statement is about; None for anything else, or if there is none."""
        if target.identifier is None:
            return None
        message = self.message_by_id.get(target.identifier)
        if message is None or target.name is None:
            return message
        return message.signal_by_name.get(target.name.text)

    def signals(self) -> Iterator[Signal]:
        """All signals of all messages."""
        for message in self.messages:
            yield from message.signals

    def attribute(self, owner: "Message | Signal | Document", name: str) -> Attribute | None:
        """The value of an attribute, or its default; the text of an ENUM. None if it has neither."""
        assignment = owner.attributes.get(name)
        value = assignment.value if assignment else self.defaults.get((False, name))
        if value is None:
            return None
        definition = self.definitions.get((False, name))
        if definition and definition.type == "ENUM" and isinstance(value.value, int):
            index = value.value
            return definition.values[index] if 0 <= index < len(definition.values) else index
        return value.value

    def number(self, owner: "Message | Signal | Document", name: str) -> float | None:
        """The value of an attribute, or its default, if that is a number."""
        value = self.attribute(owner, name)
        return None if isinstance(value, str) else value

    def _link(self) -> None:
        for comment in self.tree.comments:
            owner = self.find(comment.target)
            if owner is not None:
                owner.comment = owner.comment or comment.text
            elif comment.target.kind == "":
                self.comment = self.comment or comment.text
            elif comment.target.kind == "BU_" and comment.target.name:
                self.node_comments.setdefault(comment.target.name.text, comment.text)
        for assignment in self.tree.assignments:
            target = assignment.target
            owner = None if assignment.relation else self.find(target)
            if owner is not None:
                owner.attributes[assignment.name.text] = assignment
            elif target.kind == "":
                self.attributes[assignment.name.text] = assignment
            elif target.kind == "BU_" and target.name and target.name.text in self.node_attributes:
                self.node_attributes[target.name.text][assignment.name.text] = assignment
        for value_list in self.tree.value_lists:
            owner = self.find(value_list.target)
            if isinstance(owner, Signal) and owner.value_list is None:
                owner.value_list = self._resolved(value_list)
        for value_type in self.tree.value_types:
            owner = self.find(value_type.target)
            if isinstance(owner, Signal):
                owner.value_type = value_type.type
        for mux in self.tree.mux_ranges:
            owner = self.find(mux.target)
            if isinstance(owner, Signal):
                owner.mux_ranges = mux
        for senders in self.tree.senders:
            owner = self.find(senders.target)
            if isinstance(owner, Message):
                owner.further_senders += tuple(name.text for name in senders.names)

    def _resolved(self, value_list: ValueList) -> ValueList:
        """The list with the entries of the VAL_TABLE_ that it names, if it names one."""
        if value_list.table is None:
            return value_list
        tables = {table.name.text: table for table in reversed(self.tree.value_tables)}
        table = tables.get(value_list.table.text)
        return ValueList(value_list.at, value_list.target, table.entries if table else [], value_list.table)


def is_relation(kind: str) -> bool:
    """True for the kind of an attribute that belongs to a node and a message, signal or environment variable."""
    return kind.endswith("_REL_")


def _message(line: MessageLine, places: Places) -> Message:
    message = Message(line, places.line(line.at))
    message.signals = [Signal(signal, message, places.line(signal.at)) for signal in line.signals]
    return message


def read_document(path: Path | str) -> Document:
    """The document in a file, whatever its content. Raises UserError if the file cannot be read."""
    path = Path(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot read the DBC: {error.strerror or error}") from None
    return read_text(raw, path)


def read_text(raw: bytes, path: Path | str = "-") -> Document:
    """The document in the bytes of a file: UTF-8 if they are that, else Windows-1252 as Vector's tools write it."""
    content = raw.removeprefix(BOM)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    # A line end is one character, so that offsets stay: the \r of \r\n counts as a blank.
    return Document(Path(path), re.sub(r"\r(?!\n)", "\n", text), raw)
