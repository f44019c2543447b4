"""Parameters of the plant: read from TOML, checked, frozen.

Each entry of the file is `key = { value = ..., mark = "P|D|A", note = "..." }`; the marks say published, derived or
assumed. A variant is a second file with the entries that differ. Units are in the names.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from twinaxle.errors import UserError

FOLDER = Path(__file__).parent
CAR = FOLDER / "polestar2.toml"
CAR_72KWH = FOLDER / "polestar2_72kwh.toml"
MARKS = ("P", "D", "A")


def _in(low: float, high: float) -> Any:
    """A field whose value (or each of its values) lies in `low..high`, ends included."""
    return dataclasses.field(metadata={"low": low, "high": high})


@dataclass(frozen=True, slots=True)
class Vehicle:
    mass_kg: float = _in(500, 5000)
    wheelbase_m: float = _in(1.5, 5)
    front_weight_share: float = _in(0.2, 0.8)
    cg_height_m: float = _in(0, 1.5)
    drag_area_m2: float = _in(0, 5)
    rolling_resistance: float = _in(0, 0.1)
    auxiliary_power_w: float = _in(0, 10_000)


@dataclass(frozen=True, slots=True)
class Environment:
    air_density_kgpm3: float = _in(0, 2)
    gravity_mps2: float = _in(1, 20)
    ambient_degc: float = _in(-40, 60)


@dataclass(frozen=True, slots=True)
class Tyre:
    rolling_radius_m: float = _in(0.2, 0.6)
    wheel_inertia_kgm2: float = _in(0.3, 5)
    slip_stiffness: float = _in(5, 40)
    friction_mu: float = _in(0.01, 2)
    shape: float = _in(1, 1.9)
    relaxation_length_m: float = _in(0.1, 1)
    standstill_damping_s: float = _in(0, 0.01)
    standstill_damping_to_mps: float = _in(0.1, 10)


@dataclass(frozen=True, slots=True)
class Driveline:
    ratio: float = _in(1, 20)
    stiffness_nmprad: float = _in(1000, 50_000)
    damping_nmsprad: float = _in(0, 500)
    lash_rad: float = _in(0, 0.1)


@dataclass(frozen=True, slots=True)
class Brakes:
    torque_nmpbar: float = _in(0, 500)
    front_share: float = _in(0, 1)


@dataclass(frozen=True, slots=True)
class ParkingLock:
    axle: Literal["front", "rear"]
    engage_below_mps: float = _in(0, 5)


@dataclass(frozen=True, slots=True)
class DriveUnitRating:
    motor_inertia_kgm2: float = _in(0.005, 1)
    torque_max_nm: float = _in(10, 1000)
    power_max_w: float = _in(1000, 500_000)
    power_falls_from_radps: float = _in(100, 3000)
    power_end_w: float = _in(1000, 500_000)
    power_end_radps: float = _in(100, 3000)
    speed_max_rpm: float = _in(1000, 30_000)
    full_power_above_v: float = _in(1, 1000)
    full_torque_above_v: float = _in(1, 1000)
    no_torque_below_v: float = _in(0, 1000)
    over_voltage_fade_v: tuple[float, ...] = _in(100, 1000)
    lag_s: float = _in(0.0005, 0.1)
    slew_nmps: float = _in(100, 100_000)
    back_emf_v_per_radps: float = _in(0.05, 5)
    rectifying_nm_per_radps: float = _in(0, 5)
    rectifying_max_nm: float = _in(0, 300)


@dataclass(frozen=True, slots=True)
class Loss:
    friction_nm: float = _in(0, 20)
    viscous_nms: float = _in(0, 0.1)
    electronics_w: float = _in(0, 1000)
    gates_w: float = _in(0, 2000)
    weakening_from_radps: float = _in(50, 3000)
    weakening_w: float = _in(0, 10_000)
    current_nm_per_a: float = _in(0.05, 10)
    switching_w_per_a: float = _in(0, 50)
    conduction_w_per_a2: float = _in(0, 1)
    copper_w_per_nm2: float = _in(0, 5)
    copper_weakening: float = _in(0, 5)
    proportional: float = _in(0, 0.2)


@dataclass(frozen=True, slots=True)
class Thermal:
    stator_heat_share: float = _in(0, 1)
    inverter_heat_share: float = _in(0, 1)
    stator_jpk: float = _in(100, 1e6)
    stator_kpw: float = _in(1e-4, 1)
    inverter_jpk: float = _in(100, 1e6)
    inverter_kpw: float = _in(1e-4, 1)
    coolant_jpk: float = _in(100, 1e6)
    coolant_kpw: float = _in(1e-4, 1)


@dataclass(frozen=True, slots=True)
class Pack:
    cells_in_series: int = _in(10, 400)
    cells_in_parallel: int = _in(1, 100)
    gross_energy_wh: float = _in(1000, 500_000)
    usable_energy_wh: float = _in(1000, 500_000)
    resistance_ohm: float = _in(0.001, 1)
    cell_ocv_v: tuple[float, ...] = _in(2, 5)
    start_soc: float = _in(0, 1)
    heat_capacity_jpk: float = _in(1000, 1e7)
    thermal_kpw: float = _in(1e-4, 10)
    cell_temp_spread_k: float = _in(0, 20)
    cell_voltage_spread_v: float = _in(0, 0.2)
    isolation_kohm: float = _in(0, 100_000)


@dataclass(frozen=True, slots=True)
class Link:
    capacitance_f: float = _in(1e-5, 0.1)
    precharge_ohm: float = _in(1, 1000)
    bleed_ohm: float = _in(100, 1e7)
    discharge_ohm: float = _in(10, 10_000)
    over_voltage_v: float = _in(100, 1500)


@dataclass(frozen=True, slots=True)
class Parameters:
    """Everything that the plant knows of the car; one field a section of the file."""

    vehicle: Vehicle
    environment: Environment
    tyre: Tyre
    driveline: Driveline
    brakes: Brakes
    parking_lock: ParkingLock
    drive_unit: DriveUnitRating
    loss: Loss
    thermal: Thermal
    battery: Pack
    link: Link


_SECTIONS: dict[str, type] = {
    "vehicle": Vehicle,
    "environment": Environment,
    "tyre": Tyre,
    "driveline": Driveline,
    "brakes": Brakes,
    "parking_lock": ParkingLock,
    "drive_unit": DriveUnitRating,
    "loss": Loss,
    "thermal": Thermal,
    "battery": Pack,
    "link": Link,
}


def load(car: Path = CAR, *variants: Path) -> Parameters:
    """Read a car and the variants on top of it, later files first.

    Raises `UserError` naming file and key for an unreadable file, an unknown or missing key, a wrong type, a missing
    mark or a value out of range.
    """
    merged: dict[str, dict[str, tuple[Path, Any]]] = {name: {} for name in _SECTIONS}
    for path in (car, *variants):
        for section, entries in _read(path).items():
            if section not in _SECTIONS:
                raise UserError(f"{path}: unknown section [{section}]; known: {', '.join(_SECTIONS)}")
            if not isinstance(entries, Mapping):
                raise UserError(f"{path}: {section} must be a section of entries")
            for key, entry in entries.items():
                merged[section][key] = (path, entry)
    sections = {name: _section(kind, name, merged[name], car) for name, kind in _SECTIONS.items()}
    parameters = Parameters(**sections)
    _check_together(parameters, variants[-1] if variants else car)
    return parameters


@cache
def polestar2() -> Parameters:
    """The 78 kWh car."""
    return load()


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot read the plant's parameters: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: not valid TOML: {error}") from error


def _section(kind: type, name: str, entries: dict[str, tuple[Path, Any]], car: Path) -> Any:
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for key, (path, _) in entries.items():
        if key not in fields:
            raise UserError(f"{path}: unknown key {name}.{key}; known: {', '.join(fields)}")
    values: dict[str, Any] = {}
    for key, field in fields.items():
        if key not in entries:
            raise UserError(f"{car}: {name}.{key} is missing")
        path, entry = entries[key]
        values[key] = _value(f"{path}: {name}.{key}", field, entry)
    return kind(**values)


def _value(where: str, field: dataclasses.Field[Any], entry: object) -> Any:
    if not isinstance(entry, Mapping) or "value" not in entry or not set(entry) <= {"value", "mark", "note"}:
        raise UserError(f'{where} must read {{ value = ..., mark = "P", note = "..." }}')
    if entry.get("mark") not in MARKS:
        raise UserError(f"{where}: mark must be one of {', '.join(MARKS)} (published, derived, assumed)")
    value = entry["value"]
    kind = str(field.type)
    if kind.startswith("Literal"):
        if value not in ("front", "rear"):
            raise UserError(f"{where} is {value!r}, must be 'front' or 'rear'")
        return value
    if kind.startswith("tuple"):
        if not isinstance(value, list) or len(value) < 2:
            raise UserError(f"{where} must be a list of numbers")
        return tuple(_number(where, field, item, False) for item in value)
    return _number(where, field, value, kind == "int")


def _number(where: str, field: dataclasses.Field[Any], value: object, whole: bool) -> float:
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        raise UserError(f"{where} is {value!r}, must be {'a whole number' if whole else 'a number'}")
    low, high = field.metadata["low"], field.metadata["high"]
    if not low <= value <= high:
        raise UserError(f"{where} is {value}, must lie in {low:g}..{high:g}")
    return value if whole else float(value)


def _check_together(parameters: Parameters, path: Path) -> None:
    """Conditions between values; the file named is the last one read, which most likely broke it."""
    pack, unit = parameters.battery, parameters.drive_unit
    conditions = {
        "battery.usable_energy_wh must not exceed battery.gross_energy_wh": pack.usable_energy_wh
        <= pack.gross_energy_wh,
        "battery.cell_ocv_v must rise": all(a < b for a, b in zip(pack.cell_ocv_v, pack.cell_ocv_v[1:], strict=False)),
        "drive_unit.over_voltage_fade_v must be two rising voltages": len(unit.over_voltage_fade_v) == 2
        and unit.over_voltage_fade_v[0] < unit.over_voltage_fade_v[1],
        "drive_unit.no_torque_below_v must be below full_torque_above_v": unit.no_torque_below_v
        < unit.full_torque_above_v,
        "drive_unit.power_falls_from_radps must be below power_end_radps": unit.power_falls_from_radps
        < unit.power_end_radps,
        "thermal: the heat shares must not exceed 1 together": parameters.thermal.stator_heat_share
        + parameters.thermal.inverter_heat_share
        <= 1.0,
    }
    for text, holds in conditions.items():
        if not holds:
            raise UserError(f"{path}: {text}")
