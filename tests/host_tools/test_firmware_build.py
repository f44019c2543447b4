"""Building the flash folder, with a small firmware of its own; sizes of the real firmware (RT-03)."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from twinaxle.cli import main
from twinaxle.errors import UserError
from twinaxle.firmware import build, sizes
from twinaxle.firmware.build import build_flash, flash_items
from twinaxle.firmware.bytecode import BYTECODE
from twinaxle.micropython import find_micropython

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no MicroPython command for Windows on PyPI")

VIPER = """\
import micropython


@micropython.viper
def total(data: ptr8, length: int) -> int:
    result = 0
    for i in range(length):
        result += data[i]
    return result


@micropython.viper
def second(data) -> int:
    p = ptr8(data)
    return int(uint(p[1]))


def fail():
    raise ValueError
"""


@pytest.fixture
def firmware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small firmware; the store of compiled files is the test's own."""
    monkeypatch.setattr(build, "BUILD", tmp_path / "build")
    folder = tmp_path / "firmware"
    (folder / "vcu").mkdir(parents=True)
    (folder / "boot.py").write_text("")
    (folder / "main.py").write_text("import vcu.app\n")
    (folder / "vcu" / "__init__.py").write_text("")
    (folder / "vcu" / "app.py").write_text(VIPER)
    (folder / "calibration").mkdir()
    (folder / "calibration" / "car.toml").write_text("")
    return folder


def listing(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def run_micropython(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [find_micropython().path, "-c", code],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_layout_and_sizes(firmware: Path, tmp_path: Path) -> None:
    out = tmp_path / "flash"
    files = build_flash(out, firmware=firmware)
    assert listing(out) == ["boot.py", "main.py", "vcu/__init__.mpy", "vcu/app.mpy"]
    assert [path.as_posix() for path, _ in files] == listing(out)
    assert all((out / path).stat().st_size == size for path, size in files)


@pytest.mark.parametrize("march", [None, BYTECODE])
def test_what_was_built_runs(march: str | None, firmware: Path, tmp_path: Path) -> None:
    out = tmp_path / "flash"
    build_flash(out, march, firmware)
    result = run_micropython(out, "from vcu.app import *; print(total(b'\\x01\\xff\\x03', 3), second(b'\\x01\\xff'))")
    assert result.stdout == "259 255\n", result.stdout


@pytest.mark.parametrize("march", [None, BYTECODE])
def test_trace_backs_name_the_source_and_its_line(march: str | None, firmware: Path, tmp_path: Path) -> None:
    out = tmp_path / "flash"
    build_flash(out, march, firmware)
    result = run_micropython(out, "from vcu.app import fail; fail()")
    line = VIPER.splitlines().index("    raise ValueError") + 1
    assert f'File "vcu/app.py", line {line}, in fail' in result.stdout


def test_code_for_the_board_differs_and_is_refused_here(firmware: Path, tmp_path: Path) -> None:
    if find_micropython().architecture == "armv7emsp":
        pytest.skip("this machine is the board's architecture")
    build_flash(tmp_path / "board", "armv7emsp", firmware)
    assert "incompatible .mpy arch" in run_micropython(tmp_path / "board", "import vcu.app").stdout


def test_same_source_gives_the_same_bytes(firmware: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_flash(tmp_path / "a", "armv7emsp", firmware)
    monkeypatch.setattr(build, "BUILD", tmp_path / "another-build")
    build_flash(tmp_path / "b", "armv7emsp", firmware)
    for name in listing(tmp_path / "a"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_only_what_changed_is_compiled(firmware: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    compile_one = build.compile_source

    def spy(path: Path, name: str, source: bytes, march: str) -> bytes:
        compiled.append(name)
        return compile_one(path, name, source, march)

    monkeypatch.setattr(build, "compile_source", spy)
    out = tmp_path / "flash"
    build_flash(out, firmware=firmware)
    assert sorted(compiled) == ["vcu/__init__.py", "vcu/app.py"]
    compiled.clear()
    before = (out / "vcu" / "app.mpy").stat()
    build_flash(out, firmware=firmware)
    assert compiled == []
    assert (out / "vcu" / "app.mpy").stat().st_ino == before.st_ino
    (firmware / "vcu" / "app.py").write_text(VIPER + "\nx = 1\n")
    build_flash(out, firmware=firmware)
    assert compiled == ["vcu/app.py"]


def test_removed_source_leaves_the_flash_but_data_stays(firmware: Path, tmp_path: Path) -> None:
    out = tmp_path / "flash"
    build_flash(out, firmware=firmware)
    (out / "faults.bin").write_bytes(b"stored")
    (firmware / "vcu" / "app.py").unlink()
    build_flash(out, firmware=firmware)
    assert listing(out) == ["boot.py", "faults.bin", "main.py", "vcu/__init__.mpy"]


def test_parallel_builds_into_one_folder(firmware: Path, tmp_path: Path) -> None:
    out = tmp_path / "flash"
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: build_flash(out, firmware=firmware), range(16)))
    assert all(result == results[0] for result in results)
    assert listing(out) == ["boot.py", "main.py", "vcu/__init__.mpy", "vcu/app.mpy"]
    assert not list(tmp_path.rglob("*.part"))


def test_source_that_does_not_compile_is_named(firmware: Path, tmp_path: Path) -> None:
    (firmware / "vcu" / "app.py").write_text("x = 1\ndef f(:\n")
    with pytest.raises(UserError) as error:
        build_flash(tmp_path / "flash", firmware=firmware)
    assert f"{firmware}/vcu/app.py does not compile" in str(error.value)
    assert 'File "vcu/app.py", line 2' in str(error.value)
    assert not (tmp_path / "flash" / "vcu" / "app.mpy").exists()


def test_unknown_architecture(firmware: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"unknown architecture 'z80'\. Known: .*armv7emsp"):
        build_flash(tmp_path / "flash", "z80", firmware)


def test_folder_that_is_no_firmware(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"boot\.py is missing"):
        flash_items(tmp_path)


@pytest.mark.req("RT-03")
def test_compiled_firmware_fits_the_board() -> None:
    measured = sizes.measure_sizes()
    assert measured.mpy_files
    assert measured.mpy_bytes <= 48 * 1024, f"{measured.mpy_bytes} bytes"


def test_sizes_command_counts_and_judges(
    firmware: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = sizes.Sizes(build_flash(tmp_path / "flash", "armv7emsp", firmware))
    monkeypatch.setattr(sizes, "measure_sizes", lambda: measured)
    compiled = sum(path.stat().st_size for path in (tmp_path / "flash").rglob("*.mpy"))
    assert main(["firmware", "sizes"]) == 0
    told = capsys.readouterr().out
    assert "vcu/app.mpy" in told
    assert f"{compiled}  bytes of .mpy for armv7emsp; RT-03 allows 49152: ok" in told
    monkeypatch.setattr(sizes, "MPY_LIMIT_BYTES", compiled - 1)
    assert main(["firmware", "sizes"]) == 1
    assert ": OVER" in capsys.readouterr().out


def test_build_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["firmware", "build", "--march", "armv7emsp", "-o", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "main.py").is_file()
    assert "armv7emsp" in capsys.readouterr().out
    assert main(["firmware", "build", "--march", "z80", "-o", str(tmp_path / "out")]) == 2
