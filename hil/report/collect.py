"""Merges the outcomes and measurements of a test session into one report of what is verified.

Results come in as pytest's test reports, from whatever worker ran them; the values lie in the folders of the runs.
A test names its requirements by "req" properties and the folder of each of its runs by a "run_folder" property (both
in `user_properties`, which pytest carries across processes and into its JUnit file).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os.path import relpath
from pathlib import Path
from typing import Protocol

from hil.judging.measure import FILE_NAME, read_measurements
from hil.judging.requirements import Requirement
from hil.report.coverage import Evidence, Outcome, coverage, missing_claims
from hil.report.junit import REQ
from hil.report.page import Report

RUN_FOLDER = "run_folder"
"""Name of the property that holds the folder of a test's run."""

REPORT_NAME = "report.html"
"""Name of the report in the folder of a run."""


class PytestReport(Protocol):
    """What is used of `pytest.TestReport`."""

    nodeid: str
    when: str | None
    outcome: str
    user_properties: list[tuple[str, object]]


class SessionResults:
    """The outcomes of a session, one `add_report` for each report of pytest."""

    def __init__(self) -> None:
        self._outcome: dict[str, Outcome] = {}
        self._req: dict[str, tuple[str, ...]] = {}
        self._folders: dict[str, list[Path]] = {}

    def add_report(self, report: PytestReport) -> None:
        """Take the report of a test's set-up, call or tear-down; a failure in any of them fails the test."""
        name = report.nodeid
        known = self._outcome.get(name)
        if report.outcome == "failed" or known == "failed":
            self._outcome[name] = "failed"
        elif report.outcome == "skipped" or known == "skipped":
            self._outcome[name] = "skipped"
        elif report.when == "call":
            self._outcome[name] = "passed"
        self._req[name] = tuple(dict.fromkeys(str(value) for key, value in report.user_properties if key == REQ))
        folders = [Path(str(value)) for key, value in report.user_properties if key == RUN_FOLDER]
        self._folders[name] = list(dict.fromkeys(folders))

    def evidence(self) -> list[Evidence]:
        """What the tests say, in order of their names.

        Raises:
            UserError: a run's record of measurements cannot be read.
        """
        return [self._evidence(name) for name in sorted(self._outcome)]

    def _evidence(self, name: str) -> Evidence:
        folders = self._folders[name]
        records = [folder / FILE_NAME for folder in folders if (folder / FILE_NAME).exists()]
        measurements = [item for record in records for item in read_measurements(record)]
        pages = [folder / REPORT_NAME for folder in folders if (folder / REPORT_NAME).exists()]
        return Evidence(name, self._outcome[name], self._req[name], tuple(measurements), pages[0] if pages else None)


def write_session_report(
    path: Path,
    requirements: Mapping[str, Requirement],
    evidence: Iterable[Evidence],
    meta: Mapping[str, object],
    title: str = "Test report",
) -> list[str]:
    """Write the report of a session and return the claimed requirements without a passing test."""
    found = sorted(evidence, key=lambda item: item.name)
    missing = missing_claims(requirements, found)
    report = Report(title, meta)
    counts = {outcome: sum(item.outcome == outcome for item in found) for outcome in ("passed", "failed", "skipped")}
    claimed = sum(requirement.claimed for requirement in requirements.values())
    verified = claimed - len(missing)
    report.add_tile("Tests passed", f"{counts['passed']}", f"of {len(found)}", "fail" if counts["failed"] else "pass")
    report.add_tile("Tests failed", f"{counts['failed']}", "", "fail" if counts["failed"] else "pass")
    report.add_tile("Tests skipped", f"{counts['skipped']}")
    report.add_tile("Claimed and verified", f"{verified}", f"of {claimed} claimed", "fail" if missing else "pass")
    report.add_tile("Requirements", f"{len(requirements)}", f"{len(requirements) - claimed} not claimed")
    broken = [_counted(counts["failed"], "test") + " failed"] * bool(counts["failed"])
    broken += [_counted(len(missing), "claimed requirement") + " not verified"] * bool(missing)
    report.set_verdict("fail" if broken else "pass", ", ".join(broken) or "all passed, all claims verified")
    linked = [_linked(item, path.parent) for item in found]
    for item in linked:
        if item.measurements:
            report.add_scenario(item.name, None, measurements=item.measurements)
    text = "A claimed requirement needs a passing test."
    if missing:
        text += f" Without one: {', '.join(missing)}."
    report.set_coverage(coverage(requirements, linked), text)
    report.write(path)
    return missing


def _linked(item: Evidence, folder: Path) -> Evidence:
    if item.report is None:
        return item
    return Evidence(item.name, item.outcome, item.req, item.measurements, Path(relpath(item.report, folder)))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
