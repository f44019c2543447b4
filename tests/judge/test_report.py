"""The judge's result as text, JSON and JUnit."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from twinaxle.judge.report import as_json, summary, text_lines, write_junit
from twinaxle.judge.result import Check, Judgement, MessageRow, Outcome

ROWS = (
    MessageRow("PedalsDriver", 0xA0, 300, 10.0, 9.76, 10.0, 10.24, 2, 0),
    MessageRow("0x7AB", 0x7AB, 1, None, None, None, None, None, None),
)
CHECKS = (
    Check("crc", "PedalsDriver", Outcome.FAIL, "2 of 300 frames with a wrong CRC", 2, 1.5, {"frames": 300}),
    Check("jitter", "PedalsDriver", Outcome.PASS, "9.760 to 10.240 ms, asked 10 +-3 ms"),
    Check("latency", "pedal to command", Outcome.NOTE, "nothing to measure in this log"),
    Check("bus-load", "bus", Outcome.PASS, "mean 27 %", values={"mean_percent": 27.0}),
)
RESULT = Judgement("logs/drive.blf", "powertrain.dbc", 0x7D23, 301, 3.0, CHECKS, ROWS, ("the log is truncated",))


def test_the_text_shows_figures_failures_and_the_sum() -> None:
    assert list(text_lines(RESULT)) == [
        "logs/drive.blf: 301 frames in 3.000 s, judged by powertrain.dbc",
        "note: the log is truncated",
        "",
        "message       frames  cycle    mean    min  max ms  E2E bad  lost",
        "PedalsDriver     300     10  10.000  9.760  10.240        2     0  FAIL",
        "0x7AB              1      -       -      -       -        -     -",
        "",
        "NOTE  latency      pedal to command  nothing to measure in this log",
        "PASS  bus-load     bus               mean 27 %",
        "FAIL  crc          PedalsDriver      2 of 300 frames with a wrong CRC  (first at 1.500 s)",
        "",
        "logs/drive.blf: 1 of 3 checks failed",
    ]
    assert any(line.startswith("PASS  jitter") for line in text_lines(RESULT, verbose=True))


def test_the_sum_of_a_good_log() -> None:
    good = Judgement("a", "b.dbc", 0, 1, 1.0, CHECKS[1:], ())
    assert summary(good) == "a: all 2 checks passed"


def test_json_has_everything() -> None:
    data = json.loads(json.dumps(as_json([RESULT]), allow_nan=False))
    assert data["passed"] is False
    log = data["logs"][0]
    assert log["checks"][0] == {
        "rule": "crc", "subject": "PedalsDriver", "outcome": "fail", "text": "2 of 300 frames with a wrong CRC",
        "count": 2, "first_s": 1.5, "values": {"frames": 300},
    }  # fmt: skip
    assert log["messages"][0]["cycle_max_ms"] == 10.24
    assert (log["dbc"], log["protocol_hash"], log["notes"]) == ("powertrain.dbc", 0x7D23, ["the log is truncated"])


def test_junit_has_a_case_for_each_check(tmp_path: Path) -> None:
    write_junit(tmp_path / "new" / "junit.xml", [RESULT])
    root = ElementTree.parse(tmp_path / "new" / "junit.xml").getroot()
    assert {name: root.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "4", "failures": "1", "skipped": "1",
    }  # fmt: skip
    cases = {(case.get("classname"), case.get("name")): case for case in root.iter("testcase")}
    failure = cases["drive_blf.crc", "PedalsDriver"].find("failure")
    assert failure is not None
    assert failure.text == "2 of 300 frames with a wrong CRC; first at 1.500 s"
    assert cases["drive_blf.latency", "pedal to command"].find("skipped") is not None
    assert cases["drive_blf.bus-load", "bus"].find("failure") is None
