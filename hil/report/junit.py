"""Measurements in JUnit form: as properties of a pytest case, or as a file of their own for runs outside pytest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from hil.judging.measure import Measurement, failure_text, limit_text
from twinaxle.junit import Case, write_cases

REQ = "req"
"""Name of the property that holds a requirement's id."""


def junit_properties(measurements: Iterable[Measurement]) -> list[tuple[str, str]]:
    """Pairs for pytest's `record_property`: one "req" an id, one "measure.NAME" a measurement.

    The text of a measurement is "VALUE UNIT (LIMIT)", with the published figure after it when there is one.
    """
    items = list(measurements)
    req_ids = dict.fromkeys(req_id for item in items for req_id in item.req)
    return [(REQ, req_id) for req_id in req_ids] + [(f"measure.{item.name}", _text(item)) for item in items]


def write_junit(
    path: Path,
    suite: str,
    runs: Mapping[str, Iterable[Measurement]],
    failures: Iterable[tuple[str, str]] = (),
) -> None:
    """Write a JUnit file: a case a measurement, the name of its run as class, its requirements as properties.

    A value out of limits is a failure. What else went wrong in a run (its name and a text, such as a broken safety
    goal) is given by `failures` and becomes a failed case "run". Virtual time has no place in JUnit's times: all are 0.
    """
    cases = [_case(run, item) for run, measurements in runs.items() for item in measurements]
    write_cases(path, suite, [*cases, *(Case(run, "run", failure=text) for run, text in failures)])


def _case(run: str, item: Measurement) -> Case:
    failure = failure_text(item) if item.passed is False else None
    return Case(run, item.name, tuple(junit_properties([item])), failure, kind="limit")


def _text(item: Measurement) -> str:
    unit = f" {item.unit}" if item.unit else ""
    limit = limit_text(item.limit, item.unit)
    text = f"{item.value:.6g}{unit}" + (f" ({limit})" if limit else "")
    return text if item.published is None else f"{text}, published {item.published:.6g}{unit}"
