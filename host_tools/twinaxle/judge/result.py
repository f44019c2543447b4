"""What the judge says: one `Check` for each rule and what it was applied to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Outcome(Enum):
    """Of one check. A NOTE does not count: there was nothing to judge, or nothing is asked of it."""

    PASS = "pass"
    FAIL = "fail"
    NOTE = "note"


@dataclass(frozen=True)
class Check:
    """A rule applied to a message, a signal or the whole bus.

    `text` says what was found and what is allowed. `count` is the number of violations, `first_s` the time of the first
    one since the start of the log. `values` has the figures behind the text, with their units in the names.
    """

    rule: str
    subject: str
    outcome: Outcome
    text: str
    count: int = 0
    first_s: float | None = None
    values: Mapping[str, float | int | None] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """True if the rule is broken."""
        return self.outcome is Outcome.FAIL


@dataclass(frozen=True)
class MessageRow:
    """The figures of one identifier, whatever the rules say of them. Times in ms; None where there is none."""

    name: str
    key: int
    frames: int
    cycle_asked_ms: float | None
    cycle_min_ms: float | None
    cycle_mean_ms: float | None
    cycle_max_ms: float | None
    e2e_bad: int | None
    lost: int | None


@dataclass(frozen=True)
class Judgement:
    """The judge's result for one log or one stretch of a live bus.

    `source` names what was judged, `dbc` and `protocol_hash` by what. `notes` are for the user, such as that the log is
    truncated.
    """

    source: str
    dbc: str
    protocol_hash: int
    frames: int
    duration_s: float
    checks: tuple[Check, ...]
    rows: tuple[MessageRow, ...]
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Check, ...]:
        """The broken rules."""
        return tuple(check for check in self.checks if check.failed)


def judged(
    rule: str,
    subject: str,
    text: str,
    count: int,
    first_s: float | None = None,
    *,
    allowed: int = 0,
    **values: float | int | None,
) -> Check:
    """A check that passes with at most `allowed` violations."""
    outcome = Outcome.FAIL if count > allowed else Outcome.PASS
    return Check(rule, subject, outcome, text, count, first_s if count else None, values)


def note(rule: str, subject: str, text: str, **values: float | int | None) -> Check:
    """A check that does not count."""
    return Check(rule, subject, Outcome.NOTE, text, 0, None, values)
