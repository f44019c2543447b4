"""Runs the rules over a document."""

from collections.abc import Iterable

from twinaxle.dbc.lint import rules  # noqa: F401 (fills the table)
from twinaxle.dbc.lint.rule import RULES, Finding, Rule
from twinaxle.dbc.syntax import Document


def lint(document: Document, chosen: Iterable[Rule] | None = None) -> list[Finding]:
    """What the rules (default: all) find, ordered by place."""
    findings = []
    for rule in RULES.values() if chosen is None else chosen:
        for hit in rule.check(document):
            line, column = document.places.place(hit.at)
            findings.append(Finding(rule, line, column, hit.text))
    return sorted(findings, key=lambda finding: (finding.line, finding.column, -finding.rule.severity, finding.rule.id))
