"""The columns of the table: what each says about a message, and how long it stays when the terminal gets narrow."""

from collections.abc import Callable
from typing import NamedTuple

from twinaxle.e2e import Verdict
from twinaxle.sniff import numbers
from twinaxle.sniff.content import Look
from twinaxle.sniff.spans import Span, Style
from twinaxle.sniff.store import Row

SHORT = {
    Verdict.OK: "ok", Verdict.OK_SOME_LOST: "lost", Verdict.REPEATED: "rep", Verdict.WRONG_SEQUENCE: "seq",
    Verdict.WRONG_CRC: "crc", Verdict.INITIAL: "init", Verdict.SYNC: "sync", Verdict.INVALID_COUNTER: "ctr",
    Verdict.WRONG_LENGTH: "len",
}  # fmt: skip

_CYCLE_TOLERANCE = 0.1
"""A mean cycle this far from GenMsgCycleTime is marked."""
_JITTER_TOLERANCE = 0.5
"""A cycle that was ever this share of GenMsgCycleTime off is marked."""


class Column(NamedTuple):
    """A column. The lower the rank, the longer it stays when the terminal gets narrow."""

    title: str
    width: int
    rank: int
    cell: Callable[[Row, Look], Span]
    left: bool = False
    when: Callable[[Row], int] | None = None
    """If given, the column is there from the first row on for which this is not zero."""


def _age(row: Row, look: Look) -> Span:
    return Span(numbers.age(row.watch.age_s(look.now_s)), Style.BAD if row.is_late else Style.NORMAL)


def _cycle(row: Row, look: Look) -> Span:
    mean_s, nominal_s = row.watch.cycle_mean_s, row.watch.nominal_s
    off = mean_s is not None and nominal_s and abs(mean_s - nominal_s) > _CYCLE_TOLERANCE * nominal_s
    return Span(numbers.milliseconds(mean_s), Style.WARN if off else Style.NORMAL)


def _jitter(row: Row, look: Look) -> Span:
    jitter_s, nominal_s = row.watch.jitter_s, row.watch.nominal_s
    off = jitter_s is not None and nominal_s and jitter_s > _JITTER_TOLERANCE * nominal_s
    return Span(numbers.milliseconds(jitter_s), Style.WARN if off else Style.NORMAL)


def _nominal(row: Row, look: Look) -> Span:
    nominal_s = row.watch.nominal_s
    return Span(f"{1000 * nominal_s:.0f}" if nominal_s else "", Style.DIM)


def _verdict(row: Row, look: Look) -> Span:
    verdict = row.watch.verdict
    if verdict is None:
        return Span("")
    good = verdict.good or verdict == Verdict.INITIAL
    return Span(SHORT[verdict], Style.BAD if not good else Style.DIM if row.is_late else Style.GOOD)


def _faults(row: Row, look: Look) -> Span:
    return Span(numbers.count(row.fault_count), Style.BAD) if row.fault_count else Span("")


def _lost(row: Row, look: Look) -> Span:
    return Span(numbers.count(row.watch.lost), Style.WARN) if row.watch.lost else Span("")


COLUMNS = (
    Column("Age", 5, 5, _age),
    Column("Count", 7, 8, lambda row, look: Span(numbers.count(row.count))),
    Column("Rate/s", 6, 4, lambda row, look: Span(numbers.rate(row.rate))),
    Column("Cycle", 6, 6, _cycle),
    Column("Jitter", 6, 7, _jitter),
    Column("DBC", 5, 10, _nominal),
    Column("E2E", 4, 2, _verdict, left=True),
    Column("Bad", 5, 3, _faults, when=lambda row: row.fault_count),
    Column("Lost", 5, 9, _lost, when=lambda row: row.watch.lost),
)
"""Cycle, Jitter and DBC (GenMsgCycleTime) are in ms; Bad and Lost are frames."""
