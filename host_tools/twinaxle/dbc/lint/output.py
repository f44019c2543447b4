"""Findings as text, JSON and GitHub's workflow commands."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from twinaxle.dbc.lint.rule import RULES, Finding, Severity

_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.STYLE: "notice"}

Findings = dict[str, list[Finding]]  # by the path as the user wrote it


def text_lines(findings: Findings) -> Iterator[str]:
    """`file:line:column: severity: text [rule]` for each, and a line that counts them."""
    for path, found in findings.items():
        for one in found:
            yield f"{path}:{one.line}:{one.column}: {one.rule.severity}: {one.text} [{one.rule.id}]"
    yield _summary(findings)


def _summary(findings: Findings) -> str:
    counts = Counter(one.rule.severity for found in findings.values() for one in found)
    files = "1 file" if len(findings) == 1 else f"{len(findings)} files"
    if not counts:
        return f"{files}: nothing found"
    named = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.STYLE: "style finding"}
    parts = [f"{counts[kind]} {name}{'s' if counts[kind] != 1 else ''}" for kind, name in named.items() if counts[kind]]
    return f"{files}: {', '.join(parts)}"


def json_text(findings: Findings) -> str:
    """One object: `findings` in order, and `counts` by severity."""
    counts = Counter(str(one.rule.severity) for found in findings.values() for one in found)
    document: dict[str, Any] = {
        "files": list(findings),
        "counts": {str(severity): counts[str(severity)] for severity in sorted(Severity, reverse=True)},
        "findings": [
            {
                "file": path,
                "line": one.line,
                "column": one.column,
                "severity": str(one.rule.severity),
                "rule": one.rule.id,
                "group": one.rule.group,
                "text": one.text,
            }
            for path, found in findings.items()
            for one in found
        ],
    }
    return json.dumps(document, indent=2)


def github_lines(findings: Findings) -> Iterator[str]:
    """One workflow command for each, which GitHub shows beside the line in a pull request."""
    for path, found in findings.items():
        file = _escaped(path).replace(":", "%3A").replace(",", "%2C")
        for one in found:
            place = f"file={file},line={one.line},col={one.column},title={one.rule.id}"
            yield f"::{_GITHUB[one.rule.severity]} {place}::{_escaped(one.text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def rule_lines() -> Iterator[str]:
    """The table of all rules."""
    width = max(map(len, RULES))
    group = ""
    for rule in RULES.values():
        if rule.group != group:
            group = rule.group
            yield f"{group}:"
        yield f"  {rule.id:{width}}  {rule.severity!s:7}  {rule.title}"
