"""Each planted defect is found by its rule at its line; good files give nothing."""

from pathlib import Path

import pytest

from tests.dbc.lint.compare import DOCUMENT, replace_table
from tests.dbc.lint.plants import GOOD, PLANTS, Plant
from twinaxle.dbc.database import POWERTRAIN
from twinaxle.dbc.lint import RULES, Finding, lint
from twinaxle.dbc.syntax import read_document, read_text

# Rules that may speak too, since what is planted for one breaks the other as well.
CONSEQUENCES = {
    ("signed-bit", "range-beyond-raw"),
    ("signed-bit", "value-beyond-raw"), ("attribute-definition", "attribute-range"),
    ("zero-factor", "start-outside-range"), ("inverted-range", "start-outside-range"),
    ("single-value-range", "start-outside-range"), ("unknown-value-table", "value-table-by-name"),
    ("unknown-message", "e2e-no-timeout"), ("undefined-attribute", "e2e-no-timeout"),
    ("attribute-type", "e2e-no-timeout"), ("repeated-section", "unused-node"),
    ("duplicate-value-list", "duplicate-value"), ("mux-range", "overlapping-signals"),
    ("mux-loop", "overlapping-signals"),
}  # fmt: skip


def found(plant: Plant) -> list[Finding]:
    return lint(read_text(plant.raw()))


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.rule}: {plant.what}")
def test_planted_defect_is_found_at_its_line(plant: Plant) -> None:
    findings = found(plant)
    own = [finding for finding in findings if finding.rule.id == plant.rule]
    assert own and own[0].line == plant.line, findings


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.rule}: {plant.what}")
def test_nothing_else_is_found(plant: Plant) -> None:
    """One defect, one rule: no avalanche."""
    others = {finding.rule.id for finding in found(plant)} - {plant.rule}
    assert not {(plant.rule, other) for other in others} - CONSEQUENCES, found(plant)


def test_every_rule_has_a_plant() -> None:
    assert {plant.rule for plant in PLANTS} == set(RULES)


@pytest.mark.parametrize("path", [POWERTRAIN, GOOD], ids=lambda path: path.name)
def test_good_file_gives_nothing(path: Path) -> None:
    assert lint(read_document(path)) == []


@pytest.mark.parametrize("path", [POWERTRAIN, GOOD], ids=lambda path: path.name)
def test_windows_line_ends_are_fine(path: Path) -> None:
    assert lint(read_text(path.read_bytes().replace(b"\n", b"\r\n"))) == []


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.rule}: {plant.what}")
def test_line_is_the_same_with_windows_line_ends(plant: Plant) -> None:
    if plant.rule in ("line-ends", "multi-line-comment"):
        return
    findings = lint(read_text(plant.raw().replace(b"\n", b"\r\n")))
    assert plant.line in [finding.line for finding in findings if finding.rule.id == plant.rule]


def test_table_of_the_document_is_not_stale() -> None:
    """`python -m tests.dbc.lint.compare --write` mends it."""
    document = DOCUMENT.read_text(encoding="utf-8")
    assert replace_table(document) == document
