"""Writes JUnit files, the form in which build servers read results."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """One test case. `failure` is the text of a failed one, `kind` the type of the failure."""

    classname: str
    name: str
    properties: tuple[tuple[str, str], ...] = ()
    failure: str | None = None
    kind: str = "run"
    is_skipped: bool = False


def write_cases(path: Path, suite: str, cases: Iterable[Case]) -> None:
    """Write one suite; the folder is made. All times are 0: none of them is a time of the wall clock."""
    root = ElementTree.Element("testsuites")
    element = ElementTree.SubElement(root, "testsuite", name=suite)
    tests = failed = skipped = 0
    for case in cases:
        tests += 1
        failed += case.failure is not None
        skipped += case.is_skipped
        _write_case(element, case)
    counts = {"tests": str(tests), "failures": str(failed), "errors": "0", "skipped": str(skipped), "time": "0"}
    for node in (root, element):
        node.attrib.update(counts)
    ElementTree.indent(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def _write_case(suite: ElementTree.Element, case: Case) -> None:
    element = ElementTree.SubElement(suite, "testcase", classname=case.classname, name=case.name, time="0")
    if case.properties:
        properties = ElementTree.SubElement(element, "properties")
        for name, value in case.properties:
            ElementTree.SubElement(properties, "property", name=name, value=value)
    if case.failure is not None:
        ElementTree.SubElement(element, "failure", message=case.failure, type=case.kind).text = case.failure
    if case.is_skipped:
        ElementTree.SubElement(element, "skipped")
