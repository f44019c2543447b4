"""The command line: discovery, speed of `--help` by what it imports, errors and exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

from twinaxle import __version__, cli, commands
from twinaxle.errors import UserError

HEAVY = {"cantools", "can", "numpy", "mpremote", "serial", "hil", "wltp", "pandas", "asyncio"}


def run(*arguments: str, **kwargs: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-m", "twinaxle", *arguments], capture_output=True, text=True, check=False, **kwargs
    )


class Command:
    """A command that does what the test says."""

    def __init__(self, outcome: int | BaseException) -> None:
        self.outcome = outcome

    def add_parser(self, subparsers: object) -> None:
        subparsers.add_parser("act")  # type: ignore[attr-defined]

    def run(self, args: object) -> int:
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


def test_help_names_every_command() -> None:
    result = run("--help")
    assert result.returncode == 0
    for module in Path(commands.__path__[0]).glob("[a-z]*.py"):
        assert f"\n    {module.stem.replace('_', '-')}" in result.stdout


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from twinaxle.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print('\\nmodules', *sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = {name.partition(".")[0] for name in result.stdout.rpartition("modules ")[2].split()}
    assert "twinaxle" in modules
    assert not modules & HEAVY


def test_version() -> None:
    assert run("--version").stdout == f"twinaxle {__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["calibrate", "--no-such-option"]])
def test_wrong_use_exits_2_with_a_hint(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert "usage: twinaxle" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("outcome", "code", "message"),
    [
        (0, 0, ""),
        (1, 1, ""),
        (UserError("dbc/x.dbc:3: no such thing"), 2, "twinaxle act: dbc/x.dbc:3: no such thing\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_outcome_becomes_the_exit_code(
    outcome: int | BaseException,
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(cli, "load_commands", lambda: {"act": Command(outcome)})
    assert cli.main(["act"]) == code
    assert capsys.readouterr().err == message


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_standard_output_on_a_full_disk_is_said() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-c", _MANY_LINES]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr == "twinaxle act: [Errno 28] No space left on device\n"


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_are_no_error(closed: str) -> None:
    command = f"'{sys.executable}' -m twinaxle check --list {closed}"
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_our_own_bug_shows_its_trace_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "load_commands", lambda: {"act": Command(ZeroDivisionError())})
    with pytest.raises(ZeroDivisionError):
        cli.main(["act"])


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of a POSIX shell")
def test_reader_that_goes_away_is_no_error() -> None:
    command = f"'{sys.executable}' -c \"{_MANY_LINES}\" | head -n 1"
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert result.stderr == ""


_MANY_LINES = (
    "import sys, types; from twinaxle import cli\n"
    "c = types.SimpleNamespace(add_parser=lambda s: s.add_parser('act'), "
    "run=lambda a: [print('x' * 99) for _ in range(99999)] and 0)\n"
    "cli.load_commands = lambda: {'act': c}\n"
    "sys.exit(cli.main(['act']))"
)
