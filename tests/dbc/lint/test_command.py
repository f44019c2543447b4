"""`twinaxle dbc lint` as a command: formats, selection, exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dbc.lint.plants import GOOD
from twinaxle.cli import main
from twinaxle.dbc.lint import RULES

RECEIVER = "receiver DAHS is no node of BU_: is it DASH?"
RANGE = "the range [0|70] is wider than the bits can hold: [0|65.535]"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A file with an error, a warning and a style finding."""
    path = tmp_path / "broken.dbc"
    text = GOOD.read_text(encoding="ascii").replace("VCU,DASH", "VCU,DAHS", 1)
    path.write_text(text.replace("[0|65.535]", "[0|70]", 1).replace("BMS DASH\n", "BMS DASH SPARE\n", 1), "ascii")
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main(["dbc", "lint", *map(str, arguments)])
    return code, capsys.readouterr().out


def test_own_protocol_is_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys) == (0, "1 file: nothing found\n")


def test_text(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, broken, GOOD)
    assert code == 1
    assert out.splitlines() == [
        f"{broken}:11:19: style: node SPARE neither sends nor receives [unused-node]",
        f"{broken}:18:51: error: signal BatteryState.Voltage: {RECEIVER} [unknown-receiver]",
        f"{broken}:30:35: warning: signal Cells.Cell1: {RANGE} [range-beyond-raw]",
        "2 files: 1 error, 1 warning, 1 style finding",
    ]  # fmt: skip


def test_json(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, broken, "--format", "json")
    document = json.loads(out)
    assert code == 1
    assert document["counts"] == {"error": 1, "warning": 1, "style": 1}
    assert document["files"] == [str(broken)]
    assert document["findings"][1] == {
        "file": str(broken), "line": 18, "column": 51, "severity": "error", "rule": "unknown-receiver",
        "group": "references", "text": f"signal BatteryState.Voltage: {RECEIVER}",
    }  # fmt: skip


def test_github(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, broken, "--format", "github")
    assert code == 1
    assert out.splitlines()[1] == (
        f"::error file={broken},line=18,col=51,title=unknown-receiver::signal BatteryState.Voltage: {RECEIVER}"
    )
    assert [line.split()[0] for line in out.splitlines()] == ["::notice", "::error", "::warning"]


@pytest.mark.parametrize(
    ("options", "code", "rules"),
    [
        (["--select", "references"], 1, ["unused-node", "unknown-receiver"]),
        (["--select", "unknown-*,no-*"], 1, ["unknown-receiver"]),
        (["--select", "warning"], 0, ["range-beyond-raw"]),
        (["--ignore", "error", "--ignore", "style"], 0, ["range-beyond-raw"]),
        (["--ignore", "unknown-receiver"], 0, ["unused-node", "range-beyond-raw"]),
        (["--ignore", "error", "--fail-on", "warning"], 1, ["unused-node", "range-beyond-raw"]),
        (["--ignore", "error,warning", "--fail-on", "warning"], 0, ["unused-node"]),
        (["--select", "style", "--fail-on", "style"], 1, ["unused-node"]),
    ],
)
def test_selection(
    options: list[str], code: int, rules: list[str], broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    got, out = run(capsys, broken, "--format", "json", *options)
    assert [finding["rule"] for finding in json.loads(out)["findings"]] == rules
    assert got == code


def test_unknown_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dbc", "lint", "--select", "unknown-sendr"]) == 2
    assert "there is no rule 'unknown-sendr': did you mean unknown-sender?" in capsys.readouterr().err


def test_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dbc", "lint", str(tmp_path / "gone.dbc")]) == 2
    assert "gone.dbc: cannot read the DBC: No such file" in capsys.readouterr().err


def test_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "--rules")
    assert code == 0
    assert {line.split()[0] for line in out.splitlines() if line.startswith("  ")} == set(RULES)


def test_terminal_that_knows_only_ascii(tmp_path: Path) -> None:
    path = tmp_path / "degree.dbc"
    path.write_bytes(GOOD.read_bytes().replace(b"degC", "°C".encode()))
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    shown = {}
    for action in (["lint", str(path)], ["diff", str(GOOD), str(path)], ["doc", str(path)]):
        command = [sys.executable, "-m", "twinaxle", "dbc", *action]
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        shown[action[0]] = done.stdout
    assert rb"\xb0 is not ASCII" in shown["lint"]
    assert shown["doc"].startswith(b"<!-- Generated from degree.dbc")
