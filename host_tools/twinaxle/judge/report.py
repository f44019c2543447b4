"""The judge's result as text for people, as JSON for programs and as JUnit for build servers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from twinaxle.judge.result import Check, Judgement, MessageRow, Outcome
from twinaxle.junit import Case, write_cases

_ALWAYS_SHOWN = ("latency", "bus-load")
_HEAD = ("message", "frames", "cycle", "mean", "min", "max ms", "E2E bad", "lost", "")


def text_lines(result: Judgement, *, verbose: bool = False) -> Iterator[str]:
    """What a person wants to see: the figures of each message, what fails, and the sum.

    `verbose` shows the checks that pass too.
    """
    yield f"{result.source}: {result.frames} frames in {result.duration_s:.3f} s, judged by {result.dbc}"
    yield from (f"note: {text}" for text in result.notes)
    yield ""
    yield from _table(result)
    yield ""
    shown = [check for check in result.checks if verbose or check.failed or check.rule in _ALWAYS_SHOWN]
    subject_width = max((len(check.subject) for check in shown), default=0)
    for check in sorted(shown, key=lambda check: check.failed):
        place = f"  (first at {check.first_s:.3f} s)" if check.failed and check.first_s is not None else ""
        yield f"{check.outcome.value.upper():4}  {check.rule:12} {check.subject:{subject_width}}  {check.text}{place}"
    yield ""
    yield summary(result)


def summary(result: Judgement) -> str:
    """The sum in one line."""
    judged = sum(check.outcome is not Outcome.NOTE for check in result.checks)
    failed = len(result.failed)
    verdict = f"{failed} of {judged} checks failed" if failed else f"all {judged} checks passed"
    return f"{result.source}: {verdict}"


def _table(result: Judgement) -> Iterator[str]:
    bad = {check.subject.partition(".")[0] for check in result.failed}
    lines = [_HEAD, *(_cells(row, row.name in bad) for row in result.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    for cells in lines:
        yield "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()


def _cells(row: MessageRow, is_bad: bool) -> Sequence[str]:
    def number(value: float | None, digits: int = 3) -> str:
        return "-" if value is None else f"{value:.{digits}f}"

    return (
        row.name, str(row.frames), number(row.cycle_asked_ms, 0), number(row.cycle_mean_ms), number(row.cycle_min_ms),
        number(row.cycle_max_ms), number(row.e2e_bad, 0), number(row.lost, 0), "FAIL" if is_bad else "",
    )  # fmt: skip


def as_json(results: Iterable[Judgement]) -> dict[str, Any]:
    """The results as data that JSON can hold: {"passed": bool, "logs": [...]}, names as in `Judgement`."""
    results = list(results)
    logs = []
    for result in results:
        data = asdict(result)
        data["checks"] = [_check_data(check) for check in result.checks]
        data["messages"] = data.pop("rows")
        data["passed"] = not result.failed
        logs.append(data)
    return {"passed": not any(result.failed for result in results), "logs": logs}


def _check_data(check: Check) -> dict[str, Any]:
    data = asdict(check)
    data["outcome"] = check.outcome.value
    return data


def write_junit(path: Path, results: Iterable[Judgement]) -> None:
    """A JUnit file: a case a check, the log's name and the rule as its class; what was not judged is skipped."""
    write_cases(path, "twinaxle check", (_case(result, check) for result in results for check in result.checks))


def _case(result: Judgement, check: Check) -> Case:
    # A dot would be read as a level of packages.
    source = Path(result.source).name.replace(".", "_")
    text = check.text if check.first_s is None else f"{check.text}; first at {check.first_s:.3f} s"
    return Case(
        classname=f"{source}.{check.rule}",
        name=check.subject,
        properties=(("found", check.text),),
        failure=text if check.failed else None,
        kind=check.rule,
        is_skipped=check.outcome is Outcome.NOTE,
    )
