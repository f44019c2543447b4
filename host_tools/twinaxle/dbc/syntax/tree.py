"""The statements of a DBC, one class for each, with the offsets at which things stand in the text."""

from dataclasses import dataclass, field
from typing import NamedTuple

NO_NODE = "Vector__XXX"  # what a DBC has in place of a node if there is none


class Name(NamedTuple):
    """A name and the offset of its first character."""

    text: str
    at: int


class Value(NamedTuple):
    """A value of an attribute: a number or a string."""

    value: float | str
    at: int

    def __str__(self) -> str:
        return f'"{self.value}"' if isinstance(self.value, str) else plain(self.value)


class Entry(NamedTuple):
    """One row of a value table."""

    value: float
    text: str
    at: int


class Range(NamedTuple):
    """Selector values from `low` to `high`."""

    low: int
    high: int
    at: int


@dataclass(slots=True)
class Target:
    """What a comment, an attribute or a value list belongs to. `kind` is BO_, SG_, BU_, EV_ or, for the file, empty.

    Of a relation between a node and a message or signal, `node` is the node's name.
    """

    kind: str
    at: int
    identifier: int | None = None
    name: Name | None = None
    node: Name | None = None

    @property
    def key(self) -> tuple[str, int | None, str | None, str | None]:
        """Equal for two targets that are the same."""
        return self.kind, self.identifier, self.name and self.name.text, self.node and self.node.text

    def __str__(self) -> str:
        parts = [self.node and self.node.text, self.kind, self.identifier, self.name and self.name.text]
        return " ".join(str(part) for part in parts if part not in (None, "")) or "the file"


@dataclass(slots=True)
class SignalLine:
    """SG_. `mux` is empty, M, m3 or m3M; `order` 1 is Intel, 0 Motorola."""

    at: int
    name: Name
    mux: str
    start: int
    length: int
    layout_at: int
    order: int
    sign: str
    factor: float
    offset: float
    scaling_at: int
    minimum: float
    maximum: float
    range_at: int
    unit: str
    receivers: tuple[Name, ...]
    end: int


@dataclass(slots=True)
class MessageLine:
    """BO_ with its SG_ lines."""

    at: int
    identifier: int
    name: Name
    length: int
    length_at: int
    sender: Name
    signals: list[SignalLine] = field(default_factory=list)


@dataclass(slots=True)
class Comment:
    """CM_."""

    at: int
    target: Target
    text: str


@dataclass(slots=True)
class Definition:
    """BA_DEF_ and BA_DEF_REL_. `kind` is as in Target, or BU_BO_REL_ and so on for a relation."""

    at: int
    kind: str
    name: Name
    type: str
    minimum: float | None
    maximum: float | None
    values: tuple[str, ...]


@dataclass(slots=True)
class Default:
    """BA_DEF_DEF_ and BA_DEF_DEF_REL_."""

    at: int
    name: Name
    value: Value
    relation: bool


@dataclass(slots=True)
class Assignment:
    """BA_ and BA_REL_: an attribute's value."""

    at: int
    name: Name
    target: Target
    value: Value
    relation: bool


@dataclass(slots=True)
class ValueList:
    """VAL_: the value table of a signal or environment variable, or the name of a VAL_TABLE_."""

    at: int
    target: Target
    entries: list[Entry]
    table: Name | None


@dataclass(slots=True)
class ValueTable:
    """VAL_TABLE_."""

    at: int
    name: Name
    entries: list[Entry]


@dataclass(slots=True)
class ValueType:
    """SIG_VALTYPE_: 1 is a float of 32 bits, 2 of 64."""

    at: int
    target: Target
    type: int


@dataclass(slots=True)
class MuxRanges:
    """SG_MUL_VAL_."""

    at: int
    target: Target
    selector: Name
    ranges: list[Range]


@dataclass(slots=True)
class Senders:
    """BO_TX_BU_: further senders of a message."""

    at: int
    target: Target
    names: tuple[Name, ...]


@dataclass(slots=True)
class SignalGroup:
    """SIG_GROUP_."""

    at: int
    target: Target
    name: Name
    signals: tuple[Name, ...]


@dataclass(slots=True)
class Problem:
    """Something that is not DBC, seen by the parser. `rule` is the rule that tells of it."""

    rule: str
    at: int
    text: str


@dataclass(slots=True)
class Tree:
    """All statements of a file by kind, in the order of the file."""

    keywords: list[Name] = field(default_factory=list)  # each statement's keyword
    version: str = ""
    nodes: list[Name] = field(default_factory=list)
    messages: list[MessageLine] = field(default_factory=list)
    environment_variables: list[Name] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)
    defaults: list[Default] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    value_lists: list[ValueList] = field(default_factory=list)
    value_tables: list[ValueTable] = field(default_factory=list)
    value_types: list[ValueType] = field(default_factory=list)
    mux_ranges: list[MuxRanges] = field(default_factory=list)
    senders: list[Senders] = field(default_factory=list)
    groups: list[SignalGroup] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)  # keywords of statements that are broken, and so missing here


def plain(number: float) -> str:
    """A number as short as a DBC writes it."""
    return str(int(number)) if number == int(number) and abs(number) < 1e17 else repr(number)
