"""Filter expressions."""

from collections.abc import Callable

import pytest

from tests.sniff.conftest import ENGINE, EXTENDED, Frames, Session, frame
from twinaxle.errors import UserError
from twinaxle.sniff.content import text_of
from twinaxle.sniff.filters import parse_filter

Pass = Callable[[str], set[str]]


@pytest.fixture
def passing(session: Session, engine: Frames) -> Pass:
    """The rows that pass an expression, by identifier."""
    frames = [
        *engine([0.0, 0.01]),
        frame(0.02, EXTENDED, "90010000"),
        frame(0.03, 0x101, "FF"),
        frame(0.03, 0x7FF, "00", channel="can1"),
    ]
    session.hear(*frames, frame(0.04, 0x101, "FE"))

    def passing(expression: str) -> set[str]:
        test = parse_filter(expression, text_of)
        return {f"{row.can_id:X}" for row in session.store.rows.values() if test(row)}

    return passing


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("", {"100", "101", "7FF", "CF004FE"}),
        ("100", {"100"}),
        ("0x101", {"101"}),
        ("100-1ff", {"100", "101"}),
        ("0cf004fe", {"CF004FE"}),
        ("!100-1FF", {"7FF", "CF004FE"}),
        ("100|7ff", {"100", "7FF"}),
        ("!100|7ff", {"101", "CF004FE"}),
        ("eng", {"100"}),
        ("ENGINE", {"100"}),
        ("Eng*e", {"100"}),
        ("?evel", {"CF004FE"}),
        ("rpm", {"100"}),
        ("on", {"100"}),
        ("100.00", {"CF004FE"}),
        ("level engine", set()),
        ("level|engine !100", {"CF004FE"}),
        ("from:ecu", {"100"}),
        ("from:PANEL", {"CF004FE"}),
        ("to:panel", {"100"}),
        ("is:unknown", {"101", "7FF"}),
        ("is:changed", {"101"}),
        ("is:absent", set()),
        ("on:can1", {"7FF"}),
    ],
)
def test_expressions(passing: Pass, expression: str, expected: set[str]) -> None:
    assert passing(expression) == expected


@pytest.mark.parametrize(
    ("expression", "word"),
    [("is:green", "is:green"), ("node:ECU", "node:"), ("from:", "from:"), ("a||b", "a||b"), ("!", "!"), ("ok |", "|")],
)
def test_wrong_terms_are_named(expression: str, word: str) -> None:
    with pytest.raises(UserError, match="filter") as error:
        parse_filter(expression, text_of)
    assert f"`{word}`" in str(error.value)


def test_late_and_bad_messages(session: Session, engine: Frames) -> None:
    good = engine([0.0, 0.01])
    session.hear(*good, frame(0.02, ENGINE, "FF" * 8), frame(0.02, 0x101, ""))
    late, bad = (parse_filter(f"is:{what}", text_of) for what in ("late", "bad"))
    row = next(row for row in session.store.rows.values() if row.name)
    assert bad(row) and not late(row)
    session.hear(now_s=0.1)
    assert late(row)
