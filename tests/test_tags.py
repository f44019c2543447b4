"""Tags: numbers in the firmware that generators keep true."""

from pathlib import Path

import pytest

from twinaxle.dbc import powertrain
from twinaxle.dbc.micropython import resolver
from twinaxle.errors import UserError
from twinaxle.tags import Resolved, rewrite, rewrite_files


def resolve(path: str) -> Resolved:
    return {"a.b": Resolved(7, "1 mV"), "plain": Resolved(-3)}[path]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("_A = const(5)  # dbc: a.b", "_A = const(7)  # dbc: a.b [1 mV]"),
        ("_A = const(5)  # dbc: a.b [2 V] why", "_A = const(7)  # dbc: a.b [1 mV] why"),
        ("    A = 5 # dbc: a.b", "    A = 7 # dbc: a.b [1 mV]"),
        ("_A = const(0x10)  # dbc: a.b", "_A = const(0x7)  # dbc: a.b [1 mV]"),
        ("_A = const(-3)  # dbc: plain [V]", "_A = const(-3)  # dbc: plain"),
        ("_A = const(5)  # cal: a.b", "_A = const(5)  # cal: a.b"),
        ("_A = const(5)  # a remark on dbc: a.b", "_A = const(5)  # a remark on dbc: a.b"),
        ('text = "# dbc: a.b"', 'text = "# dbc: a.b"'),
    ],
)
def test_rewrite(line: str, wanted: str) -> None:
    text = f"x = 1\n{line}\ny = 2\n"
    assert rewrite(text, "dbc", resolve) == f"x = 1\n{wanted}\ny = 2\n"
    assert rewrite(rewrite(text, "dbc", resolve), "dbc", resolve) == rewrite(text, "dbc", resolve)


@pytest.mark.parametrize(
    "line", ["# dbc: a.b", "f(5)  # dbc: a.b", "A = 5 + 1  # dbc: a.b", "A = const(x)  # dbc: a.b"]
)
def test_tag_in_a_wrong_place(line: str) -> None:
    with pytest.raises(UserError, match=r"f\.py:3: a tag must stand after an assignment of one integer"):
        rewrite(f"\n\n{line}\n", "dbc", resolve, "f.py")


def test_unknown_path() -> None:
    with pytest.raises(UserError, match=r"f\.py:1: tag `No\.Such`: the DBC has no message No"):
        rewrite("A = 1  # dbc: No.Such", "dbc", resolver(powertrain(), "VCU"), "f.py")


def test_files(tmp_path: Path) -> None:
    stale, good = tmp_path / "stale.py", tmp_path / "good.py"
    stale.write_text("\n_A = const(1)  # dbc: a.b\n")
    good.write_text("_A = const(7)  # dbc: a.b [1 mV]\n")
    for _ in range(2):
        (found,) = rewrite_files([stale, good], "dbc", resolve, check=True)
        assert str(found).startswith(f"{stale}:2: stale tag: found `_A = const(1)")
    assert rewrite_files([stale, good], "dbc", resolve) == [found]
    assert stale.read_text() == "\n_A = const(7)  # dbc: a.b [1 mV]\n"
    assert rewrite_files([stale, good], "dbc", resolve) == []


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("PedalsDriver", Resolved(0)),
        ("PedalsDriver:id", Resolved(0xA0)),
        ("PedalsDriver:timeout", Resolved(30, "ms")),
        ("PedalsDriver:cycle", Resolved(10, "ms")),
        ("EscMotion:bit", Resolved(4)),
        ("VcuInvFrontCommand", Resolved(13)),
        ("VcuInvRearCommand:bit", Resolved(2)),
        ("PedalsDriver.Apps1", Resolved(2, "1 mV")),
        ("BmsStatus.CellTempMin", Resolved(54, "1,-40 degC")),
        ("VcuInvRearCommand.TorqueRequest", Resolved(6, "0.1 Nm")),
        ("VcuInvRearCommand.TorqueRequest:min", Resolved(-32768, "0.1 Nm")),
        ("PedalsDriver.Gear.D", Resolved(3)),
        ("VcuIdentity.FirmwareVersion", Resolved(28)),  # after the two slots of ProtocolHash
    ],
)
def test_paths_of_the_protocol(path: str, wanted: Resolved) -> None:
    assert resolver(powertrain(), "VCU")(path) == wanted


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("Nothing", "no message Nothing"),
        ("PedalsDriver.Nothing", "message PedalsDriver has no signal Nothing"),
        ("PedalsDriver.Crc", "no slot for signal Crc"),
        ("PedalsDriver.Gear.Nothing", "no value named Nothing"),
        ("PedalsDriver.Gear.D.x", "a path is"),
        ("PedalsDriver:nothing", "no `:nothing`"),
        ("PedalsDriver.Gear:nothing", "no `:nothing`"),
    ],
)
def test_wrong_paths_of_the_protocol(path: str, reason: str) -> None:
    with pytest.raises(KeyError, match=reason):
        resolver(powertrain(), "VCU")(path)


def test_messages_of_others_have_no_number() -> None:
    with pytest.raises(KeyError, match="ESC neither receives nor sends message BmsPack"):
        resolver(powertrain(), "ESC")("BmsPack")
