"""What a rule is, the table of all rules, and what a rule finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from twinaxle.dbc.syntax import Document


class Severity(IntEnum):
    """How bad a finding is."""

    STYLE = 0  # works, but hinders a tool or a reader
    WARNING = 1  # most likely not what was meant
    ERROR = 2  # contradicts itself, or tools refuse or misread it

    def __str__(self) -> str:
        return self.name.lower()


class Hit(NamedTuple):
    """What a rule's function gives: an offset into the text, what is wrong there and what to do."""

    at: int
    text: str


Check = Callable[[Document], Iterator[Hit]]


@dataclass(frozen=True)
class Rule:
    """A rule. `group` is the module that it is in; `title` says in a few words what it finds."""

    id: str
    severity: Severity
    title: str
    group: str
    check: Check


class Finding(NamedTuple):
    """One place where a rule is broken; line and column from 1."""

    rule: Rule
    line: int
    column: int
    text: str


RULES: dict[str, Rule] = {}  # by id, group by group


def rule(id_: str, severity: Severity, title: str) -> Callable[[Check], Check]:
    """Put a function into the table of rules."""

    def add(check: Check) -> Check:
        assert id_ not in RULES, id_
        RULES[id_] = Rule(id_, severity, title, check.__module__.rpartition(".")[2], check)
        return check

    return add
