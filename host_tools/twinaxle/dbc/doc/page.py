"""What a page is made of, before it becomes Markdown or HTML."""

from dataclasses import dataclass, field
from typing import NamedTuple

from twinaxle.dbc.syntax import Signal


class Link(NamedTuple):
    """A text that leads to a heading."""

    text: str
    anchor: str


Cell = str | Link | list[str | Link]  # a list is written with commas


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the page's title."""

    level: int
    text: str
    anchor: str = ""


@dataclass(frozen=True)
class Paragraph:
    """Plain text."""

    text: str


@dataclass(frozen=True)
class Table:
    """Rows below a header. Columns in `numbers` are set to the right."""

    header: tuple[str, ...]
    rows: list[list[Cell]]
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Segment:
    """Neighbouring bits of one byte that belong to the same signals (none: unused), from bit `high` down to `low`.

    `is_largest` is true in the place where the signal's name is best written.
    """

    high: int
    low: int
    signals: tuple[Signal, ...]
    is_largest: bool = False

    @property
    def width(self) -> int:
        return self.high - self.low + 1


@dataclass(frozen=True)
class BitLayout:
    """Picture of a message's bits: for each byte its segments from bit 7 to 0. `title` says which frames it shows."""

    title: str
    rows: list[list[Segment]]


Block = Heading | Paragraph | Table | BitLayout


@dataclass
class Page:
    """A page. `source` is the file that it was made from."""

    title: str
    source: str
    blocks: list[Block] = field(default_factory=list)
