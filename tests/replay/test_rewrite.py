"""Rewritten frames against cantools: one signal says something else, all others what they said."""

from pathlib import Path
from typing import Any

import can
import cantools
import pytest

from tests.replay.conftest import drive
from twinaxle.dbc import load_database, powertrain
from twinaxle.dbc.database import POWERTRAIN
from twinaxle.errors import UserError
from twinaxle.logs.frames import FrameTable
from twinaxle.logs.read import table_of
from twinaxle.replay.rewrite import parse_rule, rewrite

PARSED = cantools.database.load_file(POWERTRAIN)


def apply(*rules: tuple[str, str], messages: list[can.Message] | None = None) -> tuple[FrameTable, FrameTable]:
    before = table_of(messages or drive())
    return before, rewrite(before, [parse_rule(kind, text, powertrain()) for kind, text in rules])


def values(table: FrameTable, name: str) -> list[dict[str, Any]]:
    message = PARSED.get_message_by_name(name)
    rows = (table.can_id == message.frame_id) & table.is_data & (table.length == message.length)
    return [dict(message.decode(bytes(data), decode_choices=False)) for data in table.data[rows]]


def check(rule: tuple[str, str], signal: str, expected: Any) -> None:
    """`expected(old value, values before it)` is the new value; all else stays."""
    name, _, field = signal.partition(".")
    before, after = apply(rule)
    old, new = values(before, name), values(after, name)
    assert len(old) == len(new) > 5
    for at, (was, now) in enumerate(zip(old, new, strict=True)):
        assert now == {**was, field: pytest.approx(expected(was[field], [one[field] for one in old[:at]]))}
    others = before.can_id != powertrain().messages[name].frame_id
    assert (before.data[others] == after.data[others]).all()
    assert before.words.tolist() == table_of(drive()).words.tolist()  # the given table is not touched


def test_set_offset_scale_freeze_drop() -> None:
    check(("set", "VcuStatus.State=Drive"), "VcuStatus.State", lambda was, _: 4)
    check(("set", "BmsPack.PackCurrent=-12.5"), "BmsPack.PackCurrent", lambda was, _: -12.5)
    check(("offset", "BmsPack.PackVoltage=10"), "BmsPack.PackVoltage", lambda was, _: min(was + 10, 819.0))
    check(("offset", "BmsPack.PackVoltage=-400"), "BmsPack.PackVoltage", lambda was, _: max(was - 400, 0))
    check(("scale", "InvFrontStatus.Speed=-1"), "InvFrontStatus.Speed", lambda was, _: min(-was, 32767))
    check(("freeze", "EscMotion.YawRate"), "EscMotion.YawRate", lambda was, seen: [*seen, was][0])
    check(("drop", "PedalsDriver.Apps1"), "PedalsDriver.Apps1", lambda was, _: 500)


def test_a_frozen_message_says_what_its_last_frame_before_said() -> None:
    before, after = apply(("freeze", "EscMotion@0.1:0.3"))
    old, new = values(before, "EscMotion"), values(after, "EscMotion")
    times_ns = before.time_ns[before.can_id == 0xB1] - before.time_ns.min()
    last = max(at for at, time_ns in enumerate(times_ns) if time_ns < 100_000_000)
    for at, time_ns in enumerate(times_ns):
        source = old[last] if 100_000_000 <= time_ns <= 300_000_000 else old[at]
        assert {**new[at], "Crc": 0, "Counter": 0} == {**source, "Crc": 0, "Counter": 0}
    assert 0 < last < len(times_ns) - 5


def test_a_dropped_message_is_gone_in_its_time() -> None:
    before, after = apply(("drop", "BmsPack@0.1:0.2"))
    times_ns = before.time_ns - before.time_ns.min()
    gone = (before.can_id == 0x121) & (times_ns >= 100_000_000) & (times_ns <= 200_000_000)
    assert 0 < gone.sum() < (before.can_id == 0x121).sum()
    assert after.words.tolist() == before.words[~gone].tolist()


def test_rules_follow_one_another() -> None:
    _, after = apply(("set", "VcuStatus.TorqueDemand=100"), ("scale", "VcuStatus.TorqueDemand=0.5"),
                     ("offset", "VcuStatus.TorqueDemand=1"))  # fmt: skip
    assert {one["TorqueDemand"] for one in values(after, "VcuStatus")} == {51.0}


def test_motorola_float_and_multiplexed_signals(tmp_path: Path) -> None:
    path = tmp_path / "other.dbc"
    path.write_text(
        'VERSION ""\n\nNS_ :\n\nBS_:\n\nBU_: A B\n\nBO_ 1 Big: 8 A\n SG_ Word : 3|12@0- (0.5,0) [0|0] "" B\n'
        ' SG_ Number : 16|32@1- (1,0) [0|0] "" B\n SG_ Sel M : 48|8@1+ (1,0) [0|0] "" B\n'
        ' SG_ One m1 : 56|8@1+ (1,0) [0|0] "" B\n SG_ Two m2 : 56|8@1+ (1,0) [0|0] "" B\n\n'
        "SIG_VALTYPE_ 1 Number : 1;\n"
    )
    database = load_database(path)
    parsed = cantools.database.load_file(path).get_message_by_name("Big")
    payloads = [bytes([0xF1, at, *b"\0\0\x80\x3f", at % 3, 77]) for at in range(6)]
    table = table_of([can.Message(arbitration_id=1, is_extended_id=False, data=data) for data in payloads])
    texts = [("set", "Big.Word=-3.5"), ("scale", "Big.Number=2.5"), ("set", "Two=9")]
    after = rewrite(table, [parse_rule(kind, text, database) for kind, text in texts])
    for before_data, data in zip(payloads, after.data, strict=True):
        if before_data[6] == 0:  # selects nothing, which cantools refuses
            continue
        expected = dict(parsed.decode(before_data)) | {"Word": -3.5, "Number": 2.5}
        expected |= {"Two": 9} if "Two" in expected else {}
        assert dict(parsed.decode(bytes(data))) == expected
        assert data[0] & 0xF0 == 0xF0


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("set", "VcuStatus.State", "write Message.Signal=VALUE"),
        ("freeze", "VcuStatus=1", "write Message or Message.Signal"),
        ("set", "VcuStatus.State=Driv", "VcuStatus.State=Driv: is no number; did you mean Drive"),
        ("set", "BmsLimits.Soc=101", "BmsLimits.Soc=101: outside 0 to 100 %"),
        ("set", "Nothing=1", "no signal or message Nothing"),
        ("drop", "BmsPak", "no signal or message BmsPak; did you mean BmsPack"),
        ("set", "VcuStatus.Crc=1", "belongs to the E2E protection"),
        ("offset", "BmsLimits.Soc=x", "'x' is no number"),
        ("freeze", "BmsPack@5", "@FROM:TO in seconds"),
        ("freeze", "State", "several messages have a signal State"),
    ],
)
def test_errors(kind: str, text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_rule(kind, text, powertrain())
    assert message in str(caught.value)
