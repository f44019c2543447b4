"""`twinaxle dbc generate`."""

from pathlib import Path

import pytest

from twinaxle import paths
from twinaxle.cli import main
from twinaxle.dbc import powertrain
from twinaxle.dbc.micropython import generate


def test_generated_files_are_not_stale(capsys: pytest.CaptureFixture[str]) -> None:
    """The committed codec and every number in the firmware that comes from the DBC."""
    assert main(["dbc", "generate", "--check"]) == 0, capsys.readouterr().out


@pytest.fixture
def firmware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A firmware folder of its own, with one module that has two tags."""
    monkeypatch.setattr(paths, "FIRMWARE", tmp_path)
    (tmp_path / "vcu").mkdir()
    (tmp_path / "vcu" / "pedals.py").write_text("_A = const(0)  # dbc: PedalsDriver.Apps2\n\n_B = 3  # dbc: BmsPack\n")
    return tmp_path


def test_generate_and_check(firmware: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dbc", "generate", "--check"]) == 1
    out = capsys.readouterr().out
    assert "protocol.py:1: stale" in out
    assert "pedals.py:1: stale tag" in out
    assert "pedals.py:3: stale tag" in out
    assert not (firmware / "vcu" / "protocol.py").exists()

    assert main(["dbc", "generate"]) == 0
    source = (firmware / "vcu" / "protocol.py").read_text()
    assert source == generate(powertrain(), "VCU", {"PedalsDriver.Apps2"})
    assert source != generate(powertrain(), "VCU")
    tagged = "_A = const(3)  # dbc: PedalsDriver.Apps2 [1 mV]\n\n_B = 8  # dbc: BmsPack\n"
    assert (firmware / "vcu" / "pedals.py").read_text() == tagged
    assert main(["dbc", "generate", "--check"]) == 0

    lines = (firmware / "vcu" / "protocol.py").read_text().splitlines()
    (firmware / "vcu" / "protocol.py").write_text("\n".join([*lines[:41], lines[41] + " ", *lines[42:]]) + "\n")
    capsys.readouterr()
    assert main(["dbc", "generate", "--check"]) == 1
    assert "protocol.py:42: stale" in capsys.readouterr().out


def test_wrong_tag_leaves_everything_as_it_was(firmware: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (firmware / "vcu" / "zones.py").write_text("_A = const(0)  # dbc: No.Such\n")
    assert main(["dbc", "generate"]) == 2
    assert "zones.py:1: tag `No.Such`: the DBC has no message No" in capsys.readouterr().err
    assert not (firmware / "vcu" / "protocol.py").exists()


def test_another_output_leaves_the_firmware_alone(firmware: Path, tmp_path: Path) -> None:
    before = (firmware / "vcu" / "pedals.py").read_text()
    output = tmp_path / "other" / "esc.py"
    assert main(["dbc", "generate", "-o", str(output), "--node", "ESC"]) == 0
    assert output.read_text() == generate(powertrain(), "ESC")
    assert (firmware / "vcu" / "pedals.py").read_text() == before


def test_signals_decodes_what_the_folder_names(firmware: Path, tmp_path: Path) -> None:
    output = tmp_path / "codec.py"
    assert main(["dbc", "generate", "-o", str(output), "--signals", str(firmware)]) == 0
    assert output.read_text() == generate(powertrain(), "VCU", {"PedalsDriver.Apps2"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--signals", "no/folder"], "--signals no/folder: there is no such folder"),
        (["no.dbc"], "no.dbc: cannot read the DBC: No such file"),
        (["--node", "TRAILER"], "there is no node TRAILER (BU_ has: VCU, INV_F"),
    ],
)
def test_user_errors(firmware: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dbc", "generate", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_broken_dbc_is_told_with_file_and_line(
    firmware: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.dbc"
    path.write_text('VERSION ""\n\nNS_ :\n\nBS_:\n\nBU_: VCU\n\nBO_ 1 M: 1 VCU\n SG_ S : 4|8@1+ (1,0) [0|0] "" VCU\n')
    assert main(["dbc", "generate", str(path)]) == 2
    assert f"{path}:10: signal M.S reaches to bit 11" in capsys.readouterr().err


def test_hash(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dbc", "hash"]) == 0
    assert capsys.readouterr().out == f"{powertrain().protocol_hash:08X}\n"
