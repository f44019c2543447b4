"""Our DBC against the line patterns with which SavvyCAN reads a DBC (collin80/SavvyCAN, dbc/dbchandler.cpp).

SavvyCAN takes a file line by line, with runs of blanks made one, and drops a line that its pattern does not match.
"""

import re

import pytest

from twinaxle.dbc import powertrain
from twinaxle.dbc.database import POWERTRAIN

NUMBER = r"([0-9.+\-eE]+)"
LAYOUT = rf'(\d+)\|(\d+)@(\d+)([\+|\-]) \({NUMBER},{NUMBER}\) \[{NUMBER}\|{NUMBER}\] "(.*)" (.*)'
PATTERNS = {
    "BO_ ": r"^BO_ (\w+) (\w+) *: (\w+) (\w+)",
    "SG_ ": rf"^SG_ *(\w+) *: *{LAYOUT}",
    "BU_:": r"^BU_:(.*)",
    "CM_ SG_ ": r'^CM_ SG_ *(\w+) *(\w+) *"(.*)";',
    "CM_ BO_ ": r'^CM_ BO_ *(\w+) *"(.*)";',
    "CM_ BU_ ": r'^CM_ BU_ *(\w+) *"(.*)";',
    "VAL_ ": r"^VAL_ (\w+) (\w+) (.*);",
    "BA_DEF_ BO_ ": r'^BA_DEF_ BO_ "*(\w+)"* "*(\w+)"* (?:(\d+) (\d+)|(.*))',
    "BA_DEF_ SG_ ": r'^BA_DEF_ SG_ "*(\w+)"* "*(\w+)"* (?:(\d+) (\d+)|(.*))',
    "BA_DEF_DEF_ ": r'^BA_DEF_DEF_ "*(\w+)"* "*([#\w]*)"*',
    # Attributes of the whole file, which come first here, are nothing to SavvyCAN.
    'BA_ "': r'^BA_ "*(\w+)"* (?:BO_ (\d+) |SG_ (\d+) "*(\w+)"* |BU_ "*(\w+)"* )?"*([#\w]+)"*;$',
}  # fmt: skip
LINES = [" ".join(line.split()) for line in POWERTRAIN.read_text(encoding="ascii").splitlines()]


def lines_of(keyword: str) -> list[str]:
    return [line for line in LINES if line.startswith(keyword)]


@pytest.mark.parametrize("keyword", PATTERNS)
def test_every_line_is_read(keyword: str) -> None:
    lines = lines_of(keyword)
    assert lines
    for line in lines:
        assert re.match(PATTERNS[keyword], line), line


def test_nothing_is_left_over() -> None:
    """Each line of the file is one of these, or of the head, or an attribute of the whole file."""
    body = LINES[LINES.index("BS_:") + 1 :]
    known = (*PATTERNS, 'CM_ "', 'BA_DEF_ "')
    assert [line for line in body if line and not line.startswith(known)] == []


def test_signals_are_read_as_they_are_meant() -> None:
    """What SavvyCAN takes out of the lines is what the file says."""
    signals = [signal for message in powertrain().messages.values() for signal in message.signals]
    for line, signal in zip(lines_of("SG_ "), signals, strict=True):
        found = re.match(PATTERNS["SG_ "], line)
        assert found is not None
        name, start, length, order, sign, factor, offset, low, high, unit, receivers = found.groups()
        assert (name, int(start), int(length), order) == (signal.name, signal.start, signal.length, "1")
        assert (sign == "-", float(factor), float(offset)) == (signal.is_signed, signal.factor, signal.offset)
        assert (float(low), float(high), unit) == (signal.minimum, signal.maximum, signal.unit)
        assert receivers.split(",")[0] in powertrain().nodes


def test_values_are_read_as_they_are_meant() -> None:
    for line in lines_of("VAL_ "):
        found = re.match(PATTERNS["VAL_ "], line)
        assert found is not None
        values = {int(value): text for value, text in re.findall(r'(\d+) "(.*?)"', found[3])}
        assert values == dict(powertrain().by_id[int(found[1])].signal(found[2]).choices)
