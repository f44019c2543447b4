"""Measurements in JUnit form: as properties of a pytest case, or as a file of their own for runs outside pytest."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping
from pathlib import Path

from hil.measure import Measurement, failure_text, limit_text

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
    root = ElementTree.Element("testsuites")
    element = ElementTree.SubElement(root, "testsuite", name=suite)
    tests = failed = 0
    for run, measurements in runs.items():
        for item in measurements:
            tests += 1
            failed += item.passed is False
            _case(element, run, item)
    for run, text in failures:
        tests += 1
        failed += 1
        case = ElementTree.SubElement(element, "testcase", classname=run, name="run", time="0")
        ElementTree.SubElement(case, "failure", message=text, type="run").text = text
    counts = {"tests": str(tests), "failures": str(failed), "errors": "0", "skipped": "0", "time": "0"}
    for node in (root, element):
        node.attrib.update(counts)
    ElementTree.indent(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def _case(suite: ElementTree.Element, run: str, item: Measurement) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=run, name=item.name, time="0")
    properties = ElementTree.SubElement(case, "properties")
    for name, value in junit_properties([item]):
        ElementTree.SubElement(properties, "property", name=name, value=value)
    if item.passed is False:
        failure = ElementTree.SubElement(case, "failure", message=failure_text(item), type="limit")
        failure.text = failure_text(item)


def _text(item: Measurement) -> str:
    unit = f" {item.unit}" if item.unit else ""
    limit = limit_text(item.limit, item.unit)
    text = f"{item.value:.6g}{unit}" + (f" ({limit})" if limit else "")
    return text if item.published is None else f"{text}, published {item.published:.6g}{unit}"
