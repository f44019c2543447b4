"""A difference and what it does to nodes that go by the old file and nodes that go by the new one."""

from enum import IntEnum
from typing import NamedTuple


class Impact(IntEnum):
    """How far a change reaches."""

    TEXT = 0  # comments, and attributes that say nothing on timing or content
    SOFTWARE = 1  # names, ranges, start values, timeouts, receivers: nodes may change, frames do not
    WIRE = 2  # other frames on the bus, but old and new nodes understand each other
    BREAKING = 3  # an old and a new node on one bus misunderstand each other

    def __str__(self) -> str:
        return self.name.lower()


class Change(NamedTuple):
    """One difference. `subject` is what it is about; `old` and `new` are empty where there is nothing.

    Lines are those of the subject in the old and in the new file, 0 where it is not in the file.
    """

    impact: Impact
    subject: str
    what: str
    old: str
    new: str
    old_line: int = 0
    new_line: int = 0

    def __str__(self) -> str:
        values = " -> ".join(value for value in (self.old, self.new) if value)
        return f"{self.subject}: {self.what}" + (f" {values}" if values else "")
