"""Folders and files of a run: what cannot be written is told before anything is driven."""

import os
from pathlib import Path

import pytest

from hil.bench import Bench
from hil.workshop import check_writable, make_folder, run_folder
from twinaxle import cli
from twinaxle.errors import UserError

pytest_plugins = ["pytester"]


@pytest.fixture
def blocked(tmp_path: Path) -> Path:
    """A path below a file, where no folder can be made (whoever asks)."""
    file = tmp_path / "file"
    file.write_text("")
    return file / "folder"


def test_a_run_folder_is_empty_and_has_a_name_that_every_system_takes(tmp_path: Path) -> None:
    folder = run_folder("test_x.py::test[a/b]", tmp_path)
    (folder / "old").write_text("")
    assert folder.name == "test_x.py-test-a-b-"
    assert list(run_folder("test_x.py::test[a/b]", tmp_path).iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(blocked: Path) -> None:
    with pytest.raises(UserError, match=rf"{blocked}: the folder cannot be made: Not a directory"):
        run_folder("x", blocked)
    with pytest.raises(UserError, match=str(blocked)):
        Bench(folder=blocked)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(UserError, match="nothing may be written"):
        make_folder(tmp_path)


def test_a_file_that_can_be_written_stays_as_it_is(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new" / "file"
    old.write_text("old")
    check_writable(old)
    check_writable(new)
    assert old.read_text() == "old"
    assert not new.exists()


@pytest.mark.parametrize("option", ["--report", "--figure"])
def test_the_demo_asks_first_whether_it_can_write(
    option: str, blocked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["demo", option, str(blocked / "x")]) == 2
    out, err = capsys.readouterr()
    assert str(blocked) in err
    assert out == ""


@pytest.mark.parametrize("named", ["/nowhere/micropython", "false"])
def test_the_demo_asks_first_for_its_interpreter(
    named: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MICROPYTHON", named)
    assert cli.main(["demo", "--report", str(tmp_path / "x.html")]) == 2
    out, err = capsys.readouterr()
    assert "MICROPYTHON" in err
    assert out == ""


def test_a_trace_folder_that_cannot_be_made_ends_the_session(pytester: pytest.Pytester, blocked: Path) -> None:
    pytester.makepyfile("def test_it(bench): pass")
    result = pytester.runpytest_subprocess("--trace-folder", str(blocked), "-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --trace-folder: *{blocked}: the folder cannot be made: Not a directory*"])


def test_a_missing_interpreter_fails_a_test_without_a_trace_back(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MICROPYTHON", "/nowhere/micropython")
    pytester.makepyfile("def test_it(bench): pass")
    result = pytester.runpytest_subprocess("--trace-folder", str(pytester.path / "logs"), "-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["MICROPYTHON=/nowhere/micropython: there is no such command. *"])
    result.stdout.no_fnmatch_line("Traceback*")
    result.stdout.no_fnmatch_line("*hil/pytest_plugin.py*")


def test_options_reach_the_bench_and_logs_stay_in_the_trace_folder(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "def test_it(bench, new_bench):\n"
        "    assert (bench.seed, bench.target) == (7, 'virtual')\n"
        "    assert bench.folder.parent.name == 'logs'\n"
        "    bench.run(0.3)\n"
        "    assert new_bench(seed=8).seed == 8\n"
    )
    options = ["--seed", "7", "--target", "virtual", "--trace-folder", "logs", "-p", "no:cacheprovider"]
    result = pytester.runpytest_subprocess(*options)
    result.assert_outcomes(passed=1)
    names = sorted(path.relative_to(pytester.path / "logs").as_posix() for path in pytester.path.glob("logs/*/*"))
    run = "test_options_reach_the_bench_and_logs_stay_in_the_trace_folder.py-test_it"
    for file in ("bus.blf", "truth.csv.gz", "measurements.jsonl", "report.html"):
        assert {f"{run}/{file}", f"{run}-2/{file}"} <= set(names)
