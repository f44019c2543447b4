"""Which test verified which requirement, and which claimed ones nobody has verified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from hil.judging.measure import Measurement
from hil.judging.requirements import Requirement

Outcome = Literal["passed", "failed", "skipped"]
Status = Literal["verified", "failed", "open", "extra", "unclaimed"]

STATUS_TEXT: Mapping[Status, str] = {
    "verified": "verified",
    "failed": "failed",
    "open": "claimed, not verified",
    "extra": "checked, not claimed",
    "unclaimed": "not claimed",
}


@dataclass(frozen=True)
class Evidence:
    """What one test (or scenario) says of the requirements that it names.

    `req` holds the ids that the test itself names; those of its measurements count as well.
    """

    name: str
    outcome: Outcome
    req: tuple[str, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    report: Path | None = None

    def names(self, req_id: str) -> bool:
        """Whether this says anything of a requirement."""
        return req_id in self.req or any(req_id in item.req for item in self.measurements)

    def measured(self, req_id: str) -> list[Measurement]:
        """The measurements made for a requirement."""
        return [item for item in self.measurements if req_id in item.req]


@dataclass(frozen=True)
class Coverage:
    """A requirement with all that was found on it."""

    requirement: Requirement
    evidence: tuple[Evidence, ...]
    status: Status


def coverage(requirements: Mapping[str, Requirement], evidence: Iterable[Evidence]) -> list[Coverage]:
    """One entry a requirement, in the order of the register; evidence in order of its name."""
    found = sorted(evidence, key=lambda item: item.name)
    rows = []
    for requirement in requirements.values():
        own = tuple(item for item in found if item.names(requirement.req_id))
        rows.append(Coverage(requirement, own, _status(requirement, own)))
    return rows


def missing_claims(requirements: Mapping[str, Requirement], evidence: Iterable[Evidence]) -> list[str]:
    """Ids of the claimed requirements without a passing test, in the order of the register."""
    passed = [item for item in evidence if item.outcome == "passed"]
    return [
        requirement.req_id
        for requirement in requirements.values()
        if requirement.claimed and not any(item.names(requirement.req_id) for item in passed)
    ]


def evidence_of(name: str, measurements: Iterable[Measurement]) -> list[Evidence]:
    """The evidence of a run that is no test: for each requirement, whether the values measured for it are in limits.

    Values of which nothing is asked prove nothing and are left out.
    """
    asked = [item for item in measurements if item.passed is not None]
    req_ids = dict.fromkeys(req_id for item in asked for req_id in item.req)
    found = []
    for req_id in req_ids:
        # Each requirement gets its own verdict, so the copies of its measurements name this requirement only.
        own = tuple(item for item in asked if req_id in item.req)
        outcome: Outcome = "passed" if all(item.passed for item in own) else "failed"
        found.append(Evidence(name, outcome, (req_id,), tuple(_only(item, req_id) for item in own)))
    return found


def _only(item: Measurement, req_id: str) -> Measurement:
    return replace(item, req=(req_id,))


def _status(requirement: Requirement, evidence: tuple[Evidence, ...]) -> Status:
    if any(item.outcome == "failed" for item in evidence):
        return "failed"
    passed = any(item.outcome == "passed" for item in evidence)
    if requirement.claimed:
        return "verified" if passed else "open"
    return "extra" if passed else "unclaimed"
