"""`twinaxle dbc diff`: each kind of difference with its impact, renames, what is no difference."""

import json
import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dbc.lint.plants import GOOD
from twinaxle.cli import main
from twinaxle.dbc.database import POWERTRAIN
from twinaxle.dbc.diff import Change, Impact, compare
from twinaxle.dbc.syntax import read_text

TEXT = GOOD.read_text(encoding="ascii")
BREAKING, WIRE, SOFTWARE, TEXT_ONLY = Impact.BREAKING, Impact.WIRE, Impact.SOFTWARE, Impact.TEXT


def changes(old: str, new: str) -> list[Change]:
    return compare(read_text(old.encode()), read_text(new.encode()))


def shown(old: str, new: str) -> list[tuple[Impact, str]]:
    return [(change.impact, str(change)) for change in changes(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "impact", "text"),
    [
        ("BO_ 1025 Spare: 2", "BO_ 1026 Spare: 2", BREAKING, "Spare: identifier 0x401 -> 0x402"),
        ("BO_ 1025 Spare: 2", "BO_ 2147484673 Spare: 2", BREAKING, "Spare: identifier 0x401 -> 0x401 extended"),
        ("BO_ 1025 Spare: 2 DASH", "BO_ 1025 Spare: 3 DASH", BREAKING, "Spare: length in bytes 2 -> 3"),
        ("BO_ 1025 Spare: 2 DASH", "BO_ 1025 Spare: 2 BMS", BREAKING, "Spare: sender DASH -> BMS"),
        ("BO_ 1025 Spare:", "BO_ 1025 Free:", SOFTWARE, "Free: message renamed Spare -> Free"),
        ("SG_ Limit : 8|8", "SG_ Limit : 9|7", BREAKING, "Spare.Limit: start bit 8 -> 9"),
        ("SG_ Limit : 8|8@1+", "SG_ Limit : 15|8@0+", BREAKING, "Spare.Limit: byte order Intel -> Motorola"),
        ("SG_ Limit : 8|8@1+", "SG_ Limit : 8|8@1-", BREAKING, "Spare.Limit: type unsigned -> signed"),
        ("SG_ Limit : 8|8@1+ (1,0)", "SG_ Limit : 8|8@1+ (2,0)", BREAKING, "Spare.Limit: factor 1 -> 2"),
        ("SG_ Limit : 8|8@1+ (1,0)", "SG_ Limit : 8|8@1+ (1,-40)", BREAKING, "Spare.Limit: offset 0 -> -40"),
        ('[0|409.5] "V"', '[0|409.5] "kV"', BREAKING, 'BatteryState.Voltage: unit "V" -> "kV"'),
        ("SG_ Cell2 m1", "SG_ Cell2 m2", BREAKING, "Cells.Cell2: multiplexing at 1 -> at 2"),
        ("Text Kind 3-3", "Text Kind 3-4", BREAKING, "Log.Text: multiplexing at 3 -> at 3-4"),
        ("1024 Number : 1;", "1024 Number : 0;", BREAKING, "Log.Number: type float -> signed"),
        ("SG_ Limit :", "SG_ Lowest :", SOFTWARE, "Spare.Lowest: signal renamed Limit -> Lowest"),
        ("[0|409.5]", "[0|400]", SOFTWARE, "BatteryState.Voltage: range [0|409.5] -> [0|400]"),
        ('"V" VCU,DASH', '"V" VCU', SOFTWARE, "BatteryState.Voltage: receivers DASH,VCU -> VCU"),
        ("SG_ 256 Voltage 100;", "SG_ 256 Voltage 0;", SOFTWARE, "BatteryState.Voltage: GenSigStartValue 100 -> 0"),
        ('Time" BO_ 257 10', 'Time" BO_ 257 20', WIRE, "Torque: GenMsgCycleTime 10 -> 20"),
        ('Time" BO_ 257 10', 'Time" BO_ 257 30', BREAKING, "Torque: GenMsgCycleTime 10 -> 30"),
        ('Type" BO_ 257 0', 'Type" BO_ 257 1', WIRE, "Torque: GenMsgSendType Cyclic -> Event"),
        ('DataId" BO_ 257 257', 'DataId" BO_ 257 5', BREAKING, "Torque: E2eDataId 257 -> 5"),
        ('Profile" BO_ 257 1', 'Profile" BO_ 257 0', BREAKING, "Torque: E2eProfile 1 -> 0"),
        ('RxTimeout" BO_ 257 30', 'RxTimeout" BO_ 257 40', SOFTWARE, "Torque: RxTimeout 30 -> 40"),
        ('3 "D"', '3 "D" 4 "B"', WIRE, 'Torque.Gear: value 4 named "B"'),
        ('3 "D" ', "", SOFTWARE, 'Torque.Gear: value 3 not named any more "D"'),
        ('3 "D"', '3 "Drive"', BREAKING, 'Torque.Gear: value 3 "D" -> "Drive"'),
        ('7 "Invalid"', '7 "INVALID"', SOFTWARE, 'Torque.Gear: value 7 "Invalid" -> "INVALID"'),
        ("At the terminals.", "Outside.", TEXT_ONLY, 'BatteryState.Voltage: comment "At the terminals." -> "Outside."'),
        ('CM_ BU_ BMS "Battery.";', "", TEXT_ONLY, 'BMS: comment "Battery." -> none'),
        ('"Address" BU_ BMS 17', '"Address" BU_ BMS 18', TEXT_ONLY, "BMS: Address 17 -> 18"),
        ('HEX 0 255', 'HEX 0 127', TEXT_ONLY, "file: definition of Address BU_ HEX 0 255 -> BU_ HEX 0 127"),
        ('VERSION "1.0"', 'VERSION "2"', TEXT_ONLY, 'file: version "1.0" -> "2"'),
        ("BU_: VCU BMS DASH", "BU_: VCU BMS DASH LOG", SOFTWARE, "LOG: node added"),
    ],
)  # fmt: skip
def test_kinds(old: str, new: str, impact: Impact, text: str) -> None:
    assert old in TEXT
    found = shown(TEXT, TEXT.replace(old, new, 1))
    assert (impact, text) in found
    assert found[0][0] == impact, "something else reaches further"


def test_lines_are_those_of_both_files() -> None:
    new = TEXT.replace("BS_:\n", "BS_:\n\n\n").replace("SG_ Limit : 8|8", "SG_ Limit : 9|7")
    [start, _] = changes(TEXT, new)
    at = TEXT[: TEXT.index("SG_ Limit")].count("\n") + 1
    assert (start.old_line, start.new_line) == (at, at + 2)


def test_message_and_signal_added_and_removed() -> None:
    message = 'BO_ 5 Fresh: 8 VCU\n SG_ One : 0|8@1+ (1,0) [0|255] "" BMS\n\n'
    signal = ' SG_ Third : 16|8@1+ (1,0) [0|255] "" VCU\n'
    wider = TEXT.replace("Spare: 2", "Spare: 3")
    more = wider.replace("BO_ 1025", message + "BO_ 1025").replace("BO_TX_BU_", signal + "\nBO_TX_BU_")
    assert shown(wider, more) == [
        (WIRE, "Spare.Third: signal added 16|8@1+"),
        (WIRE, "Fresh: message added 0x5"),
    ]  # fmt: skip
    assert [text for impact, text in shown(more, wider) if impact == BREAKING] == [
        "Spare.Third: signal removed 16|8@1+", "Fresh: message removed 0x5",
    ]  # fmt: skip


def test_signal_over_bits_that_had_a_meaning() -> None:
    new = TEXT.replace(" SG_ Limit : 8|8@1+ (1,0)", " SG_ Low : 8|4@1+ (1,0)")
    assert (BREAKING, "Spare.Low: signal added in bits that had a meaning 8|4@1+") in shown(TEXT, new)


def test_node_renamed() -> None:
    """A rename is one change, and not one of everything that the node sends and receives."""
    new = re.sub(r"\bBMS\b", "BATTERY", TEXT)
    assert shown(TEXT, new) == [(SOFTWARE, "BATTERY: node renamed BMS -> BATTERY")]


def test_message_with_other_name_and_identifier() -> None:
    new = re.sub(r"(?<!-)\b1024\b", "1030", TEXT).replace(" Log:", " Journal:")
    found = shown(TEXT, new)
    assert found[0] == (BREAKING, "Journal: identifier 0x400 -> 0x406")
    assert (SOFTWARE, "Journal: message renamed Log -> Journal") in found
    assert len(found) == 2


def test_two_messages_change_their_identifiers() -> None:
    new = re.sub(r"(?<=_ )25[67]\b", lambda found: {"256": "257", "257": "256"}[found[0]], TEXT)
    texts = [text for impact, text in shown(TEXT, new) if "identifier" in text]
    assert texts == ["BatteryState: identifier 0x100 -> 0x101", "Torque: identifier 0x101 -> 0x100"]


def test_way_of_writing_is_no_difference() -> None:
    """Order of statements, of receivers, blanks, how numbers are written, line ends."""
    head, tail = TEXT.split("CM_ ", 1)
    lines = ("CM_ " + tail).splitlines()
    random.Random(2).shuffle(lines)
    new = head + "\n".join(lines) + "\n"
    new = new.replace("VCU,DASH", "DASH, VCU").replace("(0.1,0)", "(0.10,0.0)").replace("[0|65.535]", "[0|6.5535e1]")
    assert shown(TEXT, new.replace("\n", "\r\n")) == []


@given(st.data())
def test_any_two_texts_compare(data: st.DataObject) -> None:
    """No difference to itself, and as many changes one way as the other for cut and mangled files."""
    lines = TEXT.splitlines(keepends=True)
    kept = data.draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines)))
    cut = "".join(line for line, keep in zip(lines, kept, strict=True) if keep)
    assert changes(cut, cut) == []
    assert bool(changes(TEXT, cut)) == bool(changes(cut, TEXT))


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = tmp_path / "new.dbc"
    text = POWERTRAIN.read_text(encoding="ascii")
    new.write_text(
        text.replace("(0.2,0) [0|204.6]", "(0.1,0) [0|102.3]").replace("Speeds of the four", "The four"), "ascii"
    )
    line = text[: text.index("SG_ BrakePressure")].count("\n") + 1
    assert main(["dbc", "diff", str(POWERTRAIN), str(new)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "breaking: nodes of the old and of the new file misunderstand each other",
        f"  PedalsDriver.BrakePressure: factor 0.2 -> 0.1  (line {line})",
        "",
        "software: frames stay as they are",
        f"  PedalsDriver.BrakePressure: range [0|204.6] -> [0|102.3]  (line {line})",
        "",
        "text",
        f'  EscWheelSpeeds: comment "Speeds of the four wheels." -> "The four wheels."  (line {line + 5})',
        "",
        "3 changes: 1 breaking, 1 software, 1 text",
    ]
    assert main(["dbc", "diff", str(POWERTRAIN), str(new), "--format", "json", "--exit-code"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["counts"] == {"breaking": 1, "wire": 0, "software": 1, "text": 1}
    assert document["changes"][0] == {
        "impact": "breaking", "subject": "PedalsDriver.BrakePressure", "what": "factor", "old": "0.2", "new": "0.1",
        "old_line": line, "new_line": line,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ("BS_:", "BS_:\n", {"text": 0, "software": 0, "wire": 0, "breaking": 0}),
        ("Speeds of the", "The", {"text": 1, "software": 0, "wire": 0, "breaking": 0}),
        ("[0|204.6]", "[0|200]", {"text": 1, "software": 1, "wire": 0, "breaking": 0}),
        ('CycleTime" BO_ 160 10', 'CycleTime" BO_ 160 20', {"text": 1, "software": 1, "wire": 1, "breaking": 0}),
        ("(0.2,0) [0|204.6]", "(0.1,0) [0|204.6]", {"text": 1, "software": 1, "wire": 1, "breaking": 1}),
    ],
)
def test_exit_code(old: str, new: str, codes: dict[str, int], tmp_path: Path) -> None:
    path = tmp_path / "new.dbc"
    text = POWERTRAIN.read_text(encoding="ascii")
    assert old in text
    path.write_text(text.replace(old, new, 1), "ascii")
    files = [str(POWERTRAIN), str(path)]
    assert {impact: main(["dbc", "diff", *files, "--exit-code", impact]) for impact in codes} == codes
    assert main(["dbc", "diff", *files, "--exit-code"]) == codes["wire"]
    assert main(["dbc", "diff", *files]) == 0
