"""JUnit output."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from hil.judging.measure import Measurements
from hil.report import junit_properties, write_junit

EXPECTED = """\
<?xml version='1.0' encoding='utf-8'?>
<testsuites tests="2" failures="1" errors="0" skipped="0" time="0">
  <testsuite name="demo" tests="2" failures="1" errors="0" skipped="0" time="0">
    <testcase classname="Start-up" name="precharge_s" time="0">
      <properties>
        <property name="req" value="SM-02" />
        <property name="measure.precharge_s" value="0.9 s (at most 3 s)" />
      </properties>
    </testcase>
    <testcase classname="Start-up" name="sprint_s" time="0">
      <properties>
        <property name="measure.sprint_s" value="5 s (4.559 to 4.841 s), published 4.7 s" />
      </properties>
      <failure message="sprint_s = 5 s, allowed is 4.559 to 4.841 s; published: 4.7 s; a &amp; b" type="limit">\
sprint_s = 5 s, allowed is 4.559 to 4.841 s; published: 4.7 s; a &amp; b</failure>
    </testcase>
  </testsuite>
</testsuites>
"""


def test_the_file_is_the_known_one(tmp_path: Path) -> None:
    items = Measurements()
    items.measure("precharge_s", 0.9, 3, req="SM-02")
    with pytest.raises(AssertionError):
        items.measure("sprint_s", 5.0, published=4.7, tolerance_percent=3, comment="a & b")
    write_junit(tmp_path / "build" / "junit.xml", "demo", {"Start-up": items})
    assert (tmp_path / "build" / "junit.xml").read_text(encoding="utf-8") == EXPECTED


def test_counts_and_classes(measured: Measurements, tmp_path: Path) -> None:
    write_junit(tmp_path / "j.xml", "demo", {"a": measured, "b": measured})
    root = ElementTree.parse(tmp_path / "j.xml").getroot()
    assert (root.get("tests"), root.get("failures")) == ("10", "2")
    assert [case.get("classname") for case in root.iter("testcase")] == ["a"] * 5 + ["b"] * 5


def test_properties_name_each_requirement_once(measured: Measurements) -> None:
    found = junit_properties([*measured, *measured])
    assert [value for key, value in found if key == "req"] == ["TQ-09", "SP-08", "HB-02", "RT-03", "SF-05", "SF-01"]
    assert ("measure.heap_free_bytes", "41234 B") in found
    assert ("measure.realtime_factor", "74 x (at least 60 x)") in found


def test_what_else_went_wrong_is_a_failed_case(measured: Measurements, tmp_path: Path) -> None:
    write_junit(tmp_path / "j.xml", "demo", {"a": measured}, [("a", "G4: rear wheels locked")])
    root = ElementTree.parse(tmp_path / "j.xml").getroot()
    assert (root.get("tests"), root.get("failures")) == ("6", "2")
    case = root.find("testsuite/testcase[@name='run']")
    assert case is not None
    assert case.findtext("failure") == "G4: rear wheels locked"
