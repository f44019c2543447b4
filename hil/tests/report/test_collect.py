"""Merging of a session: outcomes from all workers, measurements from the folders of the runs, claims."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hil.judging.measure import FILE_NAME, Measurements
from hil.judging.requirements import Requirement
from hil.report import Evidence, SessionResults, coverage, evidence_of, missing_claims, write_session_report

REGISTER = {
    "SF-01": Requirement("SF-01", "Safety", "E2E", claimed=True),
    "SF-02": Requirement("SF-02", "Safety", "Sensors", claimed=True),
    "SF-05": Requirement("SF-05", "Safety", "Fault tolerant time", claimed=False),
    "TQ-09": Requirement("TQ-09", "Torque", "Start", claimed=False),
}


@dataclass
class PhaseReport:
    """What pytest reports of one phase of a test."""

    nodeid: str
    when: str | None
    outcome: str
    user_properties: list[tuple[str, object]] = field(default_factory=list)


def session(*tests: tuple[str, tuple[str, str, str], list[tuple[str, object]]]) -> SessionResults:
    results = SessionResults()
    for name, outcomes, properties in tests:
        for when, outcome in zip(("setup", "call", "teardown"), outcomes, strict=True):
            if outcome:
                results.add_report(PhaseReport(name, when, outcome, properties))
    return results


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (("passed", "passed", "passed"), "passed"),
        (("passed", "failed", "passed"), "failed"),
        (("passed", "passed", "failed"), "failed"),
        (("failed", "", "passed"), "failed"),
        (("skipped", "", "passed"), "skipped"),
        (("passed", "skipped", "passed"), "skipped"),
    ],
)
def test_a_test_passes_only_when_all_its_phases_do(outcomes: tuple[str, str, str], expected: str) -> None:
    found = session(("t", outcomes, [("req", "SF-01")])).evidence()
    assert [item.outcome for item in found] == [expected]
    missing = missing_claims(REGISTER, found)
    assert missing == (["SF-02"] if expected == "passed" else ["SF-01", "SF-02"])


def test_a_test_without_a_call_proves_nothing() -> None:
    assert session(("t", ("passed", "", ""), [("req", "SF-01")])).evidence() == []


def test_order_of_workers_does_not_matter() -> None:
    properties: list[tuple[str, object]] = [("req", "SF-01")]
    tests = [(name, ("passed", "passed", "passed"), properties) for name in ("b", "a", "c")]
    assert session(*tests).evidence() == session(*reversed(tests)).evidence()


def test_measurements_come_from_the_folder_of_the_run(tmp_path: Path, measured: Measurements) -> None:
    folder = tmp_path / "run" / "t"
    measured.write(folder / FILE_NAME)
    (folder / "report.html").write_text("", encoding="utf-8")
    found = session(("t", ("passed", "failed", "passed"), [("run_folder", str(folder))])).evidence()
    assert found[0].measurements == tuple(measured)
    assert found[0].report == folder / "report.html"
    assert {row.requirement.req_id: row.status for row in coverage(REGISTER, found)} == {
        "SF-01": "failed", "SF-02": "open", "SF-05": "failed", "TQ-09": "failed",
    }  # fmt: skip


def test_a_test_may_have_several_runs(tmp_path: Path, measured: Measurements) -> None:
    for name in ("a", "b"):
        measured.write(tmp_path / name / FILE_NAME)
    runs: list[tuple[str, object]] = [("run_folder", tmp_path / name) for name in ("a", "b", "without-record")]
    found = session(("t", ("passed", "passed", "passed"), runs)).evidence()
    assert found[0].measurements == (*measured, *measured)


def test_a_skipped_or_failed_test_verifies_no_claim() -> None:
    evidence = [Evidence("a", "skipped", ("SF-01",)), Evidence("b", "failed", ("SF-02",))]
    assert missing_claims(REGISTER, evidence) == ["SF-01", "SF-02"]
    assert missing_claims(REGISTER, [*evidence, Evidence("c", "passed", ("SF-01", "SF-02"))]) == []


def test_status_of_each_kind() -> None:
    evidence = [Evidence("a", "passed", ("SF-01", "SF-05"))]
    assert [row.status for row in coverage(REGISTER, evidence)] == ["verified", "open", "extra", "unclaimed"]


def test_a_run_outside_pytest_is_judged_requirement_by_requirement(measured: Measurements) -> None:
    found = evidence_of("demo", measured)
    outcome = {item.req[0]: item.outcome for item in found}
    assert outcome == {
        "TQ-09": "passed", "SP-08": "passed", "HB-02": "passed", "SF-05": "failed", "SF-01": "failed",
    }  # fmt: skip


def test_the_session_report(tmp_path: Path, measured: Measurements) -> None:
    folder = tmp_path / "run" / "t"
    measured.write(folder / FILE_NAME)
    (folder / "report.html").write_text("", encoding="utf-8")
    results = session(
        ("test_a", ("passed", "passed", "passed"), [("req", "SF-02"), ("run_folder", folder)]),
        ("test_b", ("passed", "failed", "passed"), [("req", "SF-01")]),
    )
    path = tmp_path / "test-report.html"
    assert write_session_report(path, REGISTER, results.evidence(), {"Seed": 1}) == []
    page = path.read_text(encoding="utf-8")
    assert "1 test failed" in page
    assert page.count('href="run/t/report.html"') >= 1
    assert re.search(r'<tr id="SF-02" class="verified"', page)
    first = path.read_bytes()
    write_session_report(path, REGISTER, reversed(results.evidence()), {"Seed": 1})
    assert path.read_bytes() == first


def test_the_session_report_names_missing_claims(tmp_path: Path) -> None:
    path = tmp_path / "test-report.html"
    assert write_session_report(path, REGISTER, [Evidence("a", "passed", ("SF-01",))], {}) == ["SF-02"]
    page = path.read_text(encoding="utf-8")
    assert "Without one: SF-02." in page
    assert "1 claimed requirement not verified" in page
