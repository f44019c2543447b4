"""The car's parameters: errors name file, section and key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hil.plant import Plant, load_parameters
from hil.plant.parameters import BASE
from twinaxle.errors import UserError

EditCar = Callable[[str, str], Path]


@pytest.fixture
def edit(tmp_path: Path) -> EditCar:
    """Writes a copy of the car's file with one text replaced."""

    def change(old: str, new: str) -> Path:
        text = BASE.read_text(encoding="utf-8")
        assert text.count(old) == 1
        path = tmp_path / "car.toml"
        path.write_text(text.replace(old, new), encoding="utf-8")
        return path

    return change


def message(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_parameters(base=path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("mass_kg = 2216.0", "", ["[vehicle]", "mass_kg", "missing"]),
        ("gear_ratio = 8.57", "gear_ratio = 8.57\ngears = 2", ["[driveline]", "'gears'", "unknown"]),
        ("mass_kg = 2216.0", "mass_kg = -2216.0", ["[vehicle]", "mass_kg", "-2216", "positive"]),
        ("mass_kg = 2216.0", "mass_kg = 0", ["[vehicle]", "mass_kg", "positive"]),
        ("mass_kg = 2216.0", 'mass_kg = "heavy"', ["[vehicle]", "mass_kg", "'heavy'", "number"]),
        ("mass_kg = 2216.0", "mass_kg = true", ["[vehicle]", "mass_kg", "number"]),
        ("front_weight_share = 0.51", "front_weight_share = 51", ["[vehicle]", "front_weight_share", "at most 1"]),
        ("ocv_soc = [0.0, 0.05,", "ocv_soc = [0.0] #", ["[battery]", "ocv_soc", "two numbers"]),
        ("[driveline]", "[axles]", ["unknown section", "[axles]", "driveline"]),
        ("[brakes]", "[brakes", ["TOML"]),
    ],
)
def test_errors_name_file_section_and_key(edit: EditCar, old: str, new: str, parts: list[str]) -> None:
    path = edit(old, new)
    text = message(path)
    for part in [str(path), *parts]:
        assert part in text


def test_missing_section(tmp_path: Path) -> None:
    path = tmp_path / "car.toml"
    path.write_text("[vehicle]\n", encoding="utf-8")
    assert f"{path}: [vehicle]: mass_kg is missing" in message(path)
    path.write_text("", encoding="utf-8")
    assert f"{path}: [vehicle] is missing" in message(path)


def test_missing_file(tmp_path: Path) -> None:
    assert str(tmp_path / "none.toml") in message(tmp_path / "none.toml")


def test_unknown_variant() -> None:
    with pytest.raises(UserError, match=r"'100kWh'.*78kWh, 72kWh"):
        load_parameters("100kWh")


def test_72_kwh_variant_differs_only_in_its_pack() -> None:
    small, large = load_parameters("72kWh"), load_parameters("78kWh")
    assert large == load_parameters()
    assert (small.battery.gross_kwh, large.battery.gross_kwh) == (72.0, 78.0)
    assert small.battery.usable_kwh < large.battery.usable_kwh
    assert small.vehicle == large.vehicle
    assert small.losses == large.losses
    plant = Plant(small)
    plant.main_closed = True
    plant.advance(10_000_000_000)
    used = plant.battery.energy_wh
    assert plant.battery.soc == pytest.approx(small.battery.initial_soc - used / 72_000)


def test_every_value_carries_its_mark() -> None:
    """P, D or A behind each value, or behind the section for all of it."""
    section_marked = False
    for line in BASE.read_text(encoding="utf-8").splitlines():
        comment = line.partition("#")[2].split()
        mark = bool(comment) and comment[0].strip(":") in {"P", "D", "A", "D/A"}
        if line.startswith("["):
            section_marked = "A:" in comment or (comment[:2] == ["all", "A:"])
        elif " = " in line and not line.startswith("#"):
            assert mark or section_marked, line
