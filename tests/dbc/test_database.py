"""Reading a DBC: what is refused, with file, line, message and signal; what is not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from twinaxle.dbc import Database, load_database
from twinaxle.dbc.codec import MessageCodec
from twinaxle.dbc.database import POWERTRAIN
from twinaxle.dbc.micropython import generate
from twinaxle.errors import UserError

TEXT = POWERTRAIN.read_text(encoding="ascii")
APPS2 = "SG_ Apps2 : 29|13@1+ (1,0)"
CRC = " SG_ Crc : 0|8@1+ (1,0)"


def line_of(text: str) -> int:
    """The line of the powertrain DBC that has this text."""
    return next(number for number, line in enumerate(TEXT.splitlines(), 1) if text in line)


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        (APPS2, "SG_ Apps2 29|13@1+ (1,0)", APPS2, "found 29 where : behind the signal's name should be"),
        (APPS2, "SG_ Apps2 : 29|x@1+ (1,0)", APPS2, "found x where the length in bits should be"),
        (APPS2, "SG_ Apps2 : 27|13@1+ (1,0)", APPS2, "signals Apps1 and Apps2 of PedalsDriver overlap"),
        (APPS2, "SG_ Apps2 : 29|0@1+ (1,0)", APPS2, "signal PedalsDriver.Apps2 has 0 bits"),
        (APPS2, "SG_ Apps1 : 29|13@1+ (1,0)", APPS2, "signal Apps1 of PedalsDriver is in line 67 too"),
        ("SG_ SpeedLimit : 56|8", "SG_ SpeedLimit : 60|8", "SpeedLimit : 56", "SpeedLimit reaches to bit 67"),
        ("BO_ 160 P", "BO_ 4096 P", "BO_ 160", "message PedalsDriver: 0x1000 is more than 11 bits"),
        ('BA_ "RxTimeout" BO_ 160', 'BA_ "Rxtimeout" BO_ 160', 'RxTimeout" BO_ 160', "Rxtimeout .* not defined"),
        ('"RxTimeout" BO_ 160 30', '"RxTimeout" BO_ 160 "soon"', 'RxTimeout" BO_ 160', "a string, but INT wants"),
        ('SendType" BO_ 160 0', 'SendType" BO_ 160 7', 'SendType" BO_ 160', "7 is past the last .*Cyclic, Event"),
        ("VAL_ 160 Gear", "VAL_ 160 Gaer", "VAL_ 160 Gear", "Gaer: message PedalsDriver has no signal Gaer"),
        ("VAL_ 160 Gear", "VAL_ 161 Gear", "VAL_ 160 Gear", "Gear: there is no message 161"),
    ],
)  # fmt: skip
def test_broken_file(old: str, new: str, where: str, what: str, tmp_path: Path) -> None:
    assert old in TEXT
    path = tmp_path / "broken.dbc"
    path.write_text(TEXT.replace(old, new, 1))
    with pytest.raises(UserError, match=what) as caught:
        load_database(path)
    assert str(caught.value).startswith(f"{path}:{line_of(where)}: ")


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        (CRC, " SG_ Crx : 0|8@1+ (1,0)", "BO_ 128 ", "message VcuInvFrontCommand .* no signal Crc"),
        (CRC, " SG_ Crc : 0|7@1+ (1,0)", CRC, r"VcuInvFrontCommand.Crc must be 0\|8@1\+"),
        ('BA_ "E2eDataId" BO_ 128 128;', "", "BO_ 128 ", "message VcuInvFrontCommand .* no E2eDataId"),
        ('DataId" BO_ 129 129;', 'DataId" BO_ 129 128;', 'DataId" BO_ 129', "E2eDataId 128 is that of VcuInvFront"),
        ('BA_ "E2eMaxDelta" BO_ 128 2;', "", "BO_ 128 ", "message VcuInvFrontCommand: E2eMaxDelta is 0: .* 1 to 13"),
        ('Profile" BO_ 128 1;', 'Profile" BO_ 128 5;', 'Profile" BO_ 128 1', "FrontCommand: E2eProfile 5 is not known"),
    ],
)  # fmt: skip
def test_wrong_protection(old: str, new: str, where: str, what: str, tmp_path: Path) -> None:
    assert old in TEXT
    path = tmp_path / "wrong.dbc"
    path.write_text(TEXT.replace(old, new, 1))
    with pytest.raises(UserError, match=what) as caught:
        load_database(path)
    assert str(caught.value).startswith(f"{path}:{line_of(where)}: ")


def test_many_errors_are_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "broken.dbc"
    path.write_text(TEXT.replace("@1+ (1,0)", "1+ (1,0)"))
    with pytest.raises(UserError) as caught:
        load_database(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 11 and lines[10].endswith(f"more, which `twinaxle dbc lint {path}` shows")


def test_two_messages_with_one_identifier(load_text: Callable[[str], Database]) -> None:
    with pytest.raises(UserError, match=r"made\.dbc:11: message B has the identifier 0x5 of message A"):
        load_text('VERSION ""\n\nNS_ :\n\nBS_:\n\nBU_: X\n\nBO_ 5 A: 1 X\n\nBO_ 5 B: 1 X\n')


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.dbc: cannot read the DBC: No such file"):
        load_database(tmp_path / "gone.dbc")


@pytest.mark.parametrize("content", [b"", b"hello world\n", bytes(range(256)), b"BO_ 1"])
def test_not_a_dbc(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "noise.dbc"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"noise\.dbc"):
        load_database(path)


def test_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "windows.dbc"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert load_database(path).protocol_hash == load_database(POWERTRAIN).protocol_hash
    path.write_bytes(TEXT.replace("\n", "\r\n").replace("29|13@1+", "27|13@1+").encode())
    with pytest.raises(UserError, match=rf"windows\.dbc:{line_of(APPS2)}: "):
        load_database(path)


HEAD = 'VERSION ""\n\nNS_ :\n\nBS_:\n\nBU_: A B\n\n'


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ('BO_ 1 M: 8 A\n SG_ S m3 : 0|8@1+ (1,0) [0|0] "" B\n', "line 10: message M, signal S: is multiplexed, but"),
        (
            'BO_ 1 M: 8 A\n SG_ A M : 0|8@1+ (1,0) [0|0] "" B\n SG_ B M : 8|8@1+ (1,0) [0|0] "" B\n'
            ' SG_ S m1 : 16|8@1+ (1,0) [0|0] "" B\n',
            "line 12: message M, signal S: is multiplexed, but",
        ),
        ("BO_ 1 M: 64 A\n", "line 9: message M has 64 bytes: classic CAN has 8 at most"),
        (
            'BO_ 1 M: 8 A\n SG_ Sel M : 0|30@1+ (1,0) [0|0] "" B\n SG_ S m3 : 32|8@1+ (1,0) [0|0] "" B\n',
            "line 11: message M, signal S: its selector Sel must be an integer of at most 25 bits",
        ),
    ],
)
def test_what_no_codec_can_do(body: str, what: str, load_text: Callable[[str], Database]) -> None:
    database = load_text(HEAD + body)
    with pytest.raises(UserError, match="made.dbc:" + what.removeprefix("line ")):
        generate(database, None)
    if "64 bytes" not in what:  # CAN FD, which the host can read
        with pytest.raises(UserError, match=what):
            MessageCodec(database.messages["M"])


def test_unknown_node(load_text: Callable[[str], Database]) -> None:
    with pytest.raises(UserError, match=r"there is no node VCU \(BU_ has: A, B\)"):
        generate(load_text(HEAD + "BO_ 1 M: 8 A\n"), "VCU")


@pytest.mark.parametrize(("old", "new", "bit_rate"), [("", "", 500_000), ('"Baudrate" 500', '"Baudrate" 250', 250_000),
    ("500000;", "0;", None), ("Baudrate", "Speed", None)])  # fmt: skip
def test_the_bit_rate_of_the_bus(old: str, new: str, bit_rate: int | None, tmp_path: Path) -> None:
    path = tmp_path / "other.dbc"
    path.write_text(TEXT.replace(old, new) if old else TEXT)
    assert load_database(path).bit_rate == bit_rate
    assert load_database(path).protocol_hash == load_database(POWERTRAIN).protocol_hash


@pytest.mark.parametrize(
    ("send_type", "is_cyclic", "is_purely_cyclic"),
    [
        ("", True, True),
        ("Cyclic", True, True),
        ("cyclicX", True, True),
        ("FixedPeriodic", True, True),
        ("CyclicAndSpontaneous", True, False),
        ("Cyclic_And_Event", True, False),
        ("CyclicOnChange", True, False),
        ("CyclicIfActive", False, False),
        ("CyclicIfActiveFast", False, False),
        ("Event", False, False),
        ("NoMsgSendType", False, False),
    ],
)
def test_what_a_send_type_means(send_type: str, is_cyclic: bool, is_purely_cyclic: bool) -> None:
    message = replace(load_database(POWERTRAIN).messages["PedalsDriver"], send_type=send_type)
    assert (message.is_cyclic, message.is_purely_cyclic) == (is_cyclic, is_purely_cyclic)
    assert not replace(message, cycle_ms=0).is_cyclic
