"""Whatever the bytes, the lint ends with findings or none, never with a trace-back, and in time."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dbc.lint.plants import GOOD
from twinaxle.dbc.database import POWERTRAIN
from twinaxle.dbc.lint import lint, output
from twinaxle.dbc.syntax import read_document, read_text
from twinaxle.dbc.syntax.tokens import KEYWORDS

TEXT = GOOD.read_bytes()
PIECES = [
    *sorted(KEYWORDS),
    "M", "m0", "m1M", "A", "Vector__XXX", "1", "-1", "0.5", "1e400", "9" * 30, "0x10", "256", ":", "|", "@", "1+", "0-",
    "(", ")", "[", "]", ",", ";", '"', '"text"', "INT", "ENUM", "STRING", "FLOAT", "HEX", "\n", "\r\n", "\r", "//",
    "\\", "ä", "\ufeff", "\x00",
    'BO_ 256 A: 8 B\n SG_ S m1M : 0|8@1+ (1,0) [0|255] "" B\n', 'BA_DEF_ BO_ "A" ENUM "x";\n',
    "SG_MUL_VAL_ 256 S S 1-2;\n",
]  # fmt: skip


def check(raw: bytes) -> None:
    """Lints and shows, and looks at the places of what was found."""
    findings = lint(read_text(raw))
    lines = raw.count(b"\n") + raw.count(b"\r") + 1
    assert all(1 <= one.line <= lines and one.column >= 1 and one.text for one in findings)
    shown = {"x.dbc": findings}
    assert len(list(output.text_lines(shown))) == len(findings) + 1
    assert len(list(output.github_lines(shown))) == len(findings)
    assert output.json_text(shown)


@given(st.binary(max_size=200))
def test_any_bytes(raw: bytes) -> None:
    check(raw)


@given(st.lists(st.sampled_from(PIECES), max_size=60), st.sampled_from(["", " "]))
def test_any_order_of_pieces(pieces: list[str], blank: str) -> None:
    check(blank.join(pieces).encode())


@given(st.integers(0, len(TEXT)), st.integers(0, 40), st.binary(max_size=12))
def test_good_file_with_a_part_replaced(at: int, length: int, other: bytes) -> None:
    check(TEXT[:at] + other + TEXT[at + length :])


@given(st.integers(0, len(TEXT)))
def test_good_file_cut_off(at: int) -> None:
    check(TEXT[:at])


def test_lines_in_any_order() -> None:
    lines = POWERTRAIN.read_bytes().splitlines(keepends=True)
    random.Random(1).shuffle(lines)
    check(b"".join(lines))


@pytest.mark.parametrize(
    "raw",
    [
        b'"' * 10_000,
        b'"\n' * 10_000,
        b"BO_ " * 10_000,
        b"SG_ A : 0|8@1+ (1,0) [0|1] \"\" B\n" * 2_000,
        b'CM_ "' + b"\\" * 10_000,
        b'CM_ "a" "b"' * 2_000,
        b"(" * 10_000,
        b"1" * 100_000,
        b"BO_ 1 A: 8 B\n" + b' SG_ S : 0|64@1+ (1,0) [0|0] "" B\n' * 300,
        b"NS_ :\n" + b"BO_\n" * 10_000,
    ],
)  # fmt: skip
def test_nothing_makes_it_slow(raw: bytes) -> None:
    """A reading that is quadratic in any of these takes minutes."""
    check(raw)


def test_it_goes_on_behind_what_is_broken() -> None:
    text = TEXT.decode().replace("SG_ Crc : 0|8", "SG_ Crc 0|8", 1).replace('Voltage "At', "Voltage At", 1)
    text = text.replace('7 "Invalid" ;', "7 Invalid ;")
    findings = [(one.line, one.rule.id) for one in lint(read_text(text.encode()))]
    broken = (" SG_ Crc 0", "CM_ SG_ 256", "VAL_ 257")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if line.startswith(broken)]
    assert [(line, "syntax") for line in lines] == [one for one in findings if one[1] == "syntax"]


def test_columns() -> None:
    text = TEXT.decode().replace("VCU,DASH", "VCU,DAHS", 1)
    [finding] = lint(read_text(text.encode()))
    line = text.splitlines()[finding.line - 1]
    assert line[finding.column - 1 :] == "DAHS"
    assert "is it DASH?" in finding.text


def test_encodings_give_one_text() -> None:
    text = GOOD.read_text(encoding="ascii").replace("degC", "°C")
    utf8, cp1252 = read_text(text.encode()), read_text(text.encode("cp1252"))
    assert utf8.text == cp1252.text == text
    assert [one.rule.id for one in lint(cp1252)] == ["non-ascii"]


def test_document_of_the_powertrain() -> None:
    """The tolerant parser reads of a good file what cantools reads."""
    from twinaxle.dbc import powertrain

    document = read_document(POWERTRAIN)
    assert document.nodes == powertrain().nodes
    assert [message.name for message in document.messages] == list(powertrain().messages)
    for message in document.messages:
        other = powertrain().messages[message.name]
        assert (message.frame_id, message.senders, message.comment) == (other.frame_id, other.senders, other.comment)
        assert document.number(message, "GenMsgCycleTime") == other.cycle_ms
        for signal, its in zip(message.signals, other.signals, strict=True):
            line = signal.line
            assert (signal.name, line.start, line.length, signal.is_signed) == (
                its.name,
                its.start,
                its.length,
                its.is_signed,
            )
            assert (line.factor, line.offset, line.minimum, line.maximum) == (
                its.factor,
                its.offset,
                its.minimum,
                its.maximum,
            )
            assert (line.unit, signal.receivers, signal.comment) == (its.unit, its.receivers, its.comment)
            assert signal.choices == its.choices
            assert document.number(signal, "GenSigStartValue") == its.start_raw
