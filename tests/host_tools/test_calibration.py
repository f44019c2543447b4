"""Calibration files: checks, compiled module in CPython and in real MicroPython, determinism."""

import subprocess
import sys
from pathlib import Path

import pytest

from twinaxle.calibration import calibration_hash, load_calibration, module_source, resolve
from twinaxle.cli import main
from twinaxle.errors import UserError
from twinaxle.micropython import find_micropython
from twinaxle.tags import Resolved

SCHEMA = """\
[pedal]
released_mv = { min = 0, max = 5000, about = "sensor 1" }
[demand]
pedal_permille = { min = 0, max = 1000, length = 3, axis = true }
speed_kmh = { min = 0, max = 250, length = 2, axis = true }
share_permille = { min = -1000, max = 1000, rows = "pedal_permille", columns = "speed_kmh", rising = "rows" }
"""
GOOD = """\
[pedal]
released_mv = 500  # measured
[demand]
pedal_permille = [0, 500, 1000]
speed_kmh = [0, 200]
share_permille = [
  [0, -100],
  [400, 300],
  [1000, 900],
]
"""


def write(folder: Path, text: str = GOOD, schema: str = SCHEMA) -> Path:
    (folder / "schema.toml").write_text(schema)
    path = folder / "car.toml"
    path.write_text(text)
    return path


def faults(folder: Path, text: str = GOOD, schema: str = SCHEMA) -> str:
    with pytest.raises(UserError) as error:
        load_calibration(write(folder, text, schema))
    return str(error.value).replace(f"{folder}/", "")


def run_micropython(folder: Path, code: str) -> str:
    result = subprocess.run(
        [find_micropython().path, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_slots_follow_the_schema_not_the_file(tmp_path: Path) -> None:
    head, _, tail = GOOD.partition("[demand]\n")
    calibration = load_calibration(write(tmp_path, f"[demand]\n{tail}{head}"))
    assert [(item.name, item.slot) for item in calibration.items.values()] == [
        ("pedal.released_mv", 0),
        ("demand.pedal_permille", 1),
        ("demand.speed_kmh", 4),
        ("demand.share_permille", 6),
    ]
    assert calibration.values == [500, 0, 500, 1000, 0, 200, 0, -100, 400, 300, 1000, 900]


def test_tags_resolve(tmp_path: Path) -> None:
    calibration = load_calibration(write(tmp_path))
    assert resolve(calibration, "demand.share_permille") == Resolved(6, "permille")
    assert resolve(calibration, "demand.share_permille.rows") == Resolved(3)
    assert resolve(calibration, "demand.share_permille.columns") == Resolved(2)
    assert resolve(calibration, "demand.pedal_permille.length") == Resolved(3)
    for name in ("demand.other", "demand", "demand.pedal_permille.depth"):
        with pytest.raises(KeyError, match=name):
            resolve(calibration, name)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("= 500", "= 5001", "car.toml:2: pedal.released_mv: 5001 is outside 0..5000."),
        ("= 500", "= 500.0", "car.toml:2: pedal.released_mv: 500.0 is not an integer"),
        ("= 500", "= true", "car.toml:2: pedal.released_mv: True is not an integer"),
        ("= 500", "= [500]", "car.toml:2: pedal.released_mv: [500] is not an integer"),
        ("= 500", "= ", "car.toml:2: not valid TOML: Invalid value"),
        ("released_mv", "release_mv", "car.toml:2: pedal.release_mv: unknown key"),
        ("released_mv", "release_mv", "car.toml:1: pedal.released_mv: missing; declared at schema.toml:2."),
        ("[pedal]\n", "loose_mv = 1\n[pedal]\n", "car.toml:1: loose_mv: unknown key"),
        ("[0, 200]", "[0, 200, 220]", "car.toml:5: demand.speed_kmh: has 3 elements; the schema asks for 2."),
        ("[0, 200]", "200", "car.toml:5: demand.speed_kmh: must be a list of 2 integers, and is 200."),
        ("[0, 200]", "[200, 200]", "car.toml:5: demand.speed_kmh: an axis must rise"),
        ("[400, 300]", "[400]", "car.toml:6: demand.share_permille: its rows differ in length: 2, 1, 2."),
        ("  [400, 300],\n", "", "car.toml:6: demand.share_permille: has 2 rows, but its axis demand.pedal_permille"),
        ("[400, 300]", "[400, -300]", "car.toml:6: demand.share_permille: must not fall along its rows."),
        ("[400, 300]", "[400, 3000]", ":6: demand.share_permille: row 2, column 2: 3000 is outside -1000..1000."),
    ],
)  # fmt: skip
def test_fault_is_told_with_file_line_and_key(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in GOOD
    assert message in faults(tmp_path, GOOD.replace(old, new, 1))


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    told = faults(tmp_path, GOOD.replace("= 500", "= 9999").replace("[0, 200]", "[0, 999]"))
    assert len(told.splitlines()) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("min = 0, max = 5000", "min = 5, max = 4", "schema.toml:2: pedal.released_mv: min 5 is above max 4"),
        ("min = 0, max = 5000", "max = 5000", "schema.toml:2: pedal.released_mv: `min` must be an integer"),
        ("max = 5000", "max = 1073741824", "schema.toml:2: pedal.released_mv: `max` must be an integer inside"),
        ("about", "abuot", "schema.toml:2: pedal.released_mv: unknown field 'abuot'"),
        (', columns = "speed_kmh"', "", "schema.toml:6: demand.share_permille: a map has both"),
        ("length = 2, axis = true", "length = 2", "demand.share_permille: its axis demand.speed_kmh is not declared"),
        ('rising = "rows"', 'rising = "up"', 'schema.toml:6: demand.share_permille: `rising` is "rows" or "columns"'),
    ],
)
def test_fault_of_the_schema(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in SCHEMA
    assert message in faults(tmp_path, schema=SCHEMA.replace(old, new, 1))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such file"):
        load_calibration(tmp_path / "none.toml")


def test_module_is_the_same_each_time_and_its_hash_follows_the_values(tmp_path: Path) -> None:
    path = write(tmp_path)
    first = load_calibration(path)
    assert module_source(first) == module_source(load_calibration(path))
    other = load_calibration(write(tmp_path, GOOD.replace("300", "301")))
    assert calibration_hash(other) != calibration_hash(first)
    assert 0 <= calibration_hash(first) < 1 << 16


@pytest.mark.parametrize(("limit", "typecode"), [("5000", "h"), ("32767", "h"), ("32768", "i")])
def test_typecode_follows_the_declared_range(limit: str, typecode: str, tmp_path: Path) -> None:
    path = write(tmp_path, schema=SCHEMA.replace("max = 5000", f"max = {limit}"))
    assert load_calibration(path).typecode == typecode


@pytest.mark.skipif(sys.platform == "win32", reason="there is no MicroPython command for Windows on PyPI")
@pytest.mark.parametrize("maximum", ["5000", "1073741823"])
def test_module_in_real_micropython(maximum: str, tmp_path: Path) -> None:
    calibration = load_calibration(write(tmp_path, schema=SCHEMA.replace("5000", maximum)))
    (tmp_path / "calibration.py").write_text(module_source(calibration))
    said = run_micropython(tmp_path, "import calibration as c; print(c.CALIBRATION_HASH, c.check(), list(c.cal))")
    assert said == f"{calibration_hash(calibration)} True {calibration.values}\n"


@pytest.mark.req("SF-11")
@pytest.mark.skipif(sys.platform == "win32", reason="there is no MicroPython command for Windows on PyPI")
def test_any_flipped_bit_fails_the_check(tmp_path: Path) -> None:
    calibration = load_calibration(write(tmp_path))
    (tmp_path / "calibration.py").write_text(module_source(calibration))
    code = """
import calibration
cal = calibration.cal
missed = 0
for slot in range(len(cal)):
    for bit in range(32):
        good = cal[slot]
        cal[slot] = good ^ (1 << bit if bit < 31 else -1 << 31)
        missed += calibration.check()
        cal[slot] = good
print(len(cal) * 32, missed, calibration.check())
"""
    assert run_micropython(tmp_path, code) == f"{len(calibration.values) * 32} 0 True\n"


def test_command_writes_checks_and_finds_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, output = write(tmp_path), tmp_path / "out" / "calibration.py"
    assert main(["calibrate", str(path), "-o", str(output), "--check"]) == 1
    assert main(["calibrate", str(path), "-o", str(output)]) == 0
    assert main(["calibrate", str(path), "-o", str(output), "--check"]) == 0
    write(tmp_path, GOOD.replace("= 500", "= 501"))
    capsys.readouterr()
    assert main(["calibrate", str(path), "-o", str(output), "--check"]) == 1
    told = capsys.readouterr().out
    assert f"{output}:8: stale" in told
    assert "make generate" in told


def test_command_with_a_broken_file_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "[pedal\n")
    assert main(["calibrate", str(path), "-o", str(tmp_path / "x.py")]) == 2
    assert "car.toml:1: not valid TOML" in capsys.readouterr().err
    assert not (tmp_path / "x.py").exists()


def test_the_committed_module_is_that_of_its_calibration(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "--check"]) == 0, capsys.readouterr().out
