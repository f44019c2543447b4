"""`twinaxle send` on python-can's virtual bus."""

from pathlib import Path
from typing import Any

import can
import cantools
import pytest

from tests.decode.conftest import Run
from tests.replay.conftest import BUS, received
from twinaxle.dbc import powertrain
from twinaxle.dbc.database import POWERTRAIN
from twinaxle.e2e import Checker, Verdict

PARSED = cantools.database.load_file(POWERTRAIN)


def decoded(message: can.Message) -> dict[str, Any]:
    parsed = PARSED.get_message_by_frame_id(message.arbitration_id)
    return {name: str(value) for name, value in parsed.decode(message.data).items()}


def test_one_message_by_names(run: Run, listener: can.BusABC) -> None:
    assert run("send", *BUS, "PedalsDriver", "Gear=D", "Apps1=1500", "BrakePressure=12.4") == "1 frames sent\n"
    (message,) = received(listener)
    values = decoded(message)
    assert (values["Gear"], values["Apps1"], values["BrakePressure"]) == ("D", "1500", "12.4")
    parsed = PARSED.get_message_by_name("PedalsDriver")
    assert values["Apps2"] == str(parsed.get_signal_by_name("Apps2").initial)
    assert Checker(0xA0).check(bytes(message.data)) is Verdict.INITIAL


def test_several_messages_in_their_cycles(run: Run, listener: can.BusABC, sent_s: list[float]) -> None:
    run("send", *BUS, "--count", "20", "VcuHvCommand", "HvRequest=Drive", "BmsPack@5", "PackVoltage=400", "321#01@2.5")
    messages = received(listener)
    for can_id, cycle_ms in ((0x90, 20), (0x121, 5), (0x321, 2.5)):
        times_s = [at for at, message in zip(sent_s, messages, strict=True) if message.arbitration_id == can_id]
        assert times_s == pytest.approx([sent_s[0] + turn * cycle_ms / 1000 for turn in range(20)], abs=1e-5)
    checker = Checker(0x121)
    found = [checker.check(bytes(one.data)) for one in messages if one.arbitration_id == 0x121]
    assert found == [Verdict.INITIAL] + [Verdict.OK] * 19


def test_for_some_time(run: Run, listener: can.BusABC) -> None:
    said = run("send", *BUS, "--duration", "0.1", "EscMotion")
    assert len(received(listener)) == 10
    assert said.startswith("10 frames sent; timing error")


def test_a_long_message_is_a_can_fd_frame(run: Run, listener: can.BusABC, tmp_path: Path) -> None:
    dbc = tmp_path / "fd.dbc"
    dbc.write_text(
        'VERSION ""\n\nBS_:\n\nBU_: ECU\n\nBO_ 600 Long: 64 ECU\n'
        ' SG_ First : 0|16@1+ (1,0) [0|9] "" ECU\n SG_ Far : 480|32@1+ (0.5,0) [0|9] "" ECU\n'
    )
    items = ["--dbc", dbc, "Long", "First=2", "Far=1"]
    data = bytes([2]) + bytes(59) + bytes([2]) + bytes(3)
    assert run("send", "--dry-run", *items) == f"258##0{data.hex().upper()}  Long\n"
    run("send", *BUS, *items)
    (message,) = received(listener)
    assert message.is_fd and message.dlc == 64 and bytes(message.data) == data


def test_raw_frames(run: Run, listener: can.BusABC) -> None:
    run("send", *BUS, "123#DEADBEEF", "18FF0001#11.22", "7FF#", "200#R", "00000200#R4")
    found = [
        (one.arbitration_id, one.is_extended_id, one.is_remote_frame, one.dlc, bytes(one.data))
        for one in received(listener)
    ]
    assert found == [
        (0x123, False, False, 4, b"\xde\xad\xbe\xef"), (0x18FF0001, True, False, 2, b"\x11\x22"),
        (0x7FF, False, False, 0, b""), (0x200, False, True, 0, b""), (0x200, True, True, 4, b""),
    ]  # fmt: skip


def test_protection_can_be_left_out_or_given(run: Run, listener: can.BusABC) -> None:
    run("send", *BUS, "--no-e2e", "VcuHvCommand", "HvRequest=Charge")
    run("send", *BUS, "VcuHvCommand", "Crc=0x12", "Counter=15", "--beyond-range")
    first, second = received(listener)
    assert bytes(first.data) == b"\0\x20" + bytes(6)
    assert bytes(second.data) == b"\x12\x0f" + bytes(6)


def test_dry_run_prints_frames(run: Run) -> None:
    said = run("send", "--dry-run", "VcuHvCommand", "HvRequest=Drive", "123#01@50", "18FF0001#R")
    assert said.splitlines()[0].endswith("VcuHvCommand every 20 ms") and said.startswith("090#")
    assert said.splitlines()[1:] == ["123#01  123#01 every 50 ms", "18FF0001#R  18FF0001#R"]


def test_multiplexed_message(tmp_path: Path, run: Run, listener: can.BusABC) -> None:
    dbc = tmp_path / "mux.dbc"
    dbc.write_text(
        'VERSION ""\n\nNS_ :\n\nBS_:\n\nBU_: A B\n\nBO_ 5 Mux: 2 A\n SG_ Sel M : 0|8@1+ (1,0) [0|0] "" B\n'
        ' SG_ Cold m0 : 8|8@1- (1,0) [0|0] "" B\n SG_ Warm m1 : 8|8@1+ (0.5,0) [0|0] "" B\n'
    )
    run("send", *BUS, "--dbc", dbc, "Mux", "Sel=1", "Warm=1.5")
    assert bytes(received(listener)[0].data) == b"\1\3"
    assert "only with Sel 1, not 0" in run("send", *BUS, "--dbc", dbc, "Mux", "Warm=1.5", code=2)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (["PedalsDriver", "Gear=X"], "PedalsDriver.Gear=X: is no number; names: P, R, N, D, Invalid"),
        (["PedalsDriver", "Apps1=9000"], "PedalsDriver.Apps1=9000: outside 0 to 8191 mV"),
        (["PedalsDriver", "Apps1=9000", "--beyond-range"], "13 bits hold only 0 to 8191 mV"),
        (["PedalsDriver", "Aps1=9"], "message PedalsDriver has no signal Aps1; did you mean Apps1"),
        (["PedalDriver"], "no message PedalDriver; did you mean PedalsDriver"),
        (["Gear=D"], "a value needs its message in front"),
        (["123#1"], "123#1: is no frame"),
        (["123##1"], "CAN FD"),
        (["900#"], "900#: the identifier is above 7FF"),
        (["123#11", "Gear=D"], "a raw frame (123#11) has no signals"),
        (["VcuStatus@x"], "VcuStatus@x: the cycle behind @"),
        (["123#11", "--count", "2"], "123#11: has no cycle time"),
        (["DiagRequest", "--cyclic"], "DiagRequest: has no cycle time"),
        (["VcuStatus", "--count", "0"], "--count 0"),
        (["VcuStatus", "--duration", "-1"], "--duration -1"),
    ],
)
def test_errors(run: Run, items: list[str], message: str) -> None:
    assert message in run("send", *items, *BUS, code=2)


def test_every_message_of_the_protocol_can_be_sent(run: Run, listener: can.BusABC) -> None:
    run("send", *BUS, *powertrain().messages)
    assert [PARSED.get_message_by_frame_id(one.arbitration_id).name for one in received(listener)] == [
        *powertrain().messages
    ]
