"""Which rules to run: by id, by group, by severity, or by pattern."""

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from twinaxle.dbc.lint import rules  # noqa: F401 (fills the table)
from twinaxle.dbc.lint.rule import RULES, Rule
from twinaxle.errors import UserError


def choose_rules(select: Sequence[str], ignore: Sequence[str]) -> list[Rule]:
    """The rules of `select` (all, if it is empty) without those of `ignore`.

    Each is the id of a rule, a group, a severity, or a pattern such as `attribute-*`; several may stand in one,
    separated by commas. Raises UserError for one that fits no rule.
    """
    wanted = _ids(select) if select else set(RULES)
    unwanted = _ids(ignore)
    return [rule for rule in RULES.values() if rule.id in wanted - unwanted]


def _ids(patterns: Sequence[str]) -> set[str]:
    chosen: set[str] = set()
    for pattern in (word.strip() for words in patterns for word in words.split(",")):
        fitting = {
            rule.id
            for rule in RULES.values()
            if pattern in (rule.group, str(rule.severity)) or fnmatchcase(rule.id, pattern)
        }
        if not fitting:
            known = [*RULES, *(rule.group for rule in RULES.values())]
            close = get_close_matches(pattern, known, 1)
            hint = f": did you mean {close[0]}?" if close else ": `twinaxle dbc lint --rules` lists them"
            raise UserError(f"there is no rule {pattern!r}{hint}")
        chosen |= fitting
    return chosen
