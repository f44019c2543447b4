"""`twinaxle dbc lint`: rules on a DBC's text and meaning, each a small function that tells where it is broken."""

from twinaxle.dbc.lint.engine import lint
from twinaxle.dbc.lint.rule import RULES, Finding, Rule, Severity
from twinaxle.dbc.lint.selection import choose_rules

__all__ = ["RULES", "Finding", "Rule", "Severity", "choose_rules", "lint"]
