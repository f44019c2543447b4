"""Parameters of the virtual car, read from TOML: the only source of its numbers.

The units stand in the names; the source of each number (P published, D derived, A assumed) behind it in the file.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from twinaxle.errors import UserError

FOLDER = Path(__file__).parent
BASE = FOLDER / "polestar2.toml"
VARIANTS = {"78kWh": None, "72kWh": FOLDER / "polestar2_72kwh.toml"}


@dataclass(frozen=True)
class Vehicle:
    """Body: mass, axle loads, resistance."""

    mass_kg: float
    wheelbase_m: float
    front_weight_share: float
    cg_height_m: float
    drag_area_m2: float
    rolling_resistance: float
    air_density_kgpm3: float
    load_transfer_lag_s: float


@dataclass(frozen=True)
class Tyre:
    """Wheels and tyres, the same on both axles."""

    rolling_radius_m: float
    wheel_inertia_kgm2: float
    slip_stiffness: float
    peak_shape: float
    relaxation_speed_mps: float


@dataclass(frozen=True)
class Driveline:
    """One axle's reducer and shafts."""

    gear_ratio: float
    motor_inertia_kgm2: float
    stiffness_nmprad: float
    damping_share: float


@dataclass(frozen=True)
class Brakes:
    """Friction brakes."""

    torque_per_bar_nm: float
    front_share: float


@dataclass(frozen=True)
class Motor:
    """Envelope and actuator of one drive unit."""

    torque_max_nm: float
    power_max_w: float
    power_corner_radps: float
    power_top_w: float
    power_top_radps: float
    speed_max_rpm: float
    nominal_voltage_v: float
    full_power_voltage_v: float
    torque_lag_s: float
    torque_slew_nmps: float
    gates_off_max_radps: float


@dataclass(frozen=True)
class Losses:
    """Coefficients of the loss of one drive unit, W."""

    drag_linear_w: float
    drag_square_w: float
    drag_fixed_w: float
    gates_fixed_w: float
    weakening_w: float
    current_linear_w: float
    current_square_w: float
    torque_square_w: float
    torque_square_weakening: float
    torque_speed_w: float
    nm_per_a: float
    corner_radps: float


@dataclass(frozen=True)
class BatteryParameters:
    """Pack, contactors' precharge path, DC link."""

    cells_in_series: int
    cells_parallel: int
    gross_kwh: float
    usable_kwh: float
    resistance_ohm: float
    auxiliaries_w: float
    initial_soc: float
    link_capacitance_f: float
    precharge_ohm: float
    bleed_ohm: float
    discharge_ohm: float
    ambient_degc: float
    heat_capacity_jpk: float
    cooling_wpk: float
    cell_spread_degc: float
    cell_spread_v: float
    ocv_soc: tuple[float, ...]
    ocv_cell_v: tuple[float, ...]


@dataclass(frozen=True)
class Thermal:
    """Heat of one drive unit: stator and inverter to the coolant, the coolant to the air."""

    stator_jpk: float
    stator_wpk: float
    stator_loss_share: float
    inverter_jpk: float
    inverter_wpk: float
    inverter_loss_share: float
    coolant_jpk: float
    coolant_wpk: float


@dataclass(frozen=True)
class Parameters:
    """The whole car."""

    vehicle: Vehicle
    tyre: Tyre
    driveline: Driveline
    brakes: Brakes
    motor: Motor
    losses: Losses
    battery: BatteryParameters
    thermal: Thermal

    @property
    def mass_kg(self) -> float:
        """Mass of the car as tested, kg."""
        return self.vehicle.mass_kg


_SECTIONS: dict[str, type[Any]] = {
    "vehicle": Vehicle,
    "tyre": Tyre,
    "driveline": Driveline,
    "brakes": Brakes,
    "motor": Motor,
    "losses": Losses,
    "battery": BatteryParameters,
    "thermal": Thermal,
}
_MAY_BE_ZERO = {
    "drag_linear_w",
    "drag_square_w",
    "drag_fixed_w",
    "load_transfer_lag_s",
    "cell_spread_degc",
    "cell_spread_v",
}
_SHARES = {"front_weight_share", "front_share", "initial_soc", "stator_loss_share", "inverter_loss_share"}

_S = TypeVar("_S")


def load_parameters(variant: str | None = None, *, base: Path = BASE) -> Parameters:
    """The car's parameters; `variant` is "78kWh" (default) or "72kWh".

    Raises:
        UserError: unknown variant, missing file, missing, unknown or impossible value; names file, section and key.
    """
    if variant is not None and variant not in VARIANTS:
        raise UserError(f"there is no car variant {variant!r}; there are {', '.join(VARIANTS)}")
    document = _read(base)
    overlay = VARIANTS.get(variant) if variant else None
    if overlay is not None:
        for section, values in _read(overlay).items():
            document.setdefault(section, {}).update(values)
    unknown = sorted(set(document) - set(_SECTIONS))
    if unknown:
        raise UserError(f"{base}: unknown section [{unknown[0]}]; there are {', '.join(_SECTIONS)}")
    sections = {name: _section(kind, document.get(name), f"{base}: [{name}]") for name, kind in _SECTIONS.items()}
    return Parameters(**sections)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot read the car's parameters: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: not a TOML file: {error}") from error


def _section(kind: type[_S], values: object, where: str) -> _S:
    if not isinstance(values, dict):
        raise UserError(f"{where} is missing")
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for name in values:
        if name not in names:
            raise UserError(f"{where}: unknown key {name!r}; the keys are {', '.join(names)}")
    for name in names:
        if name not in values:
            raise UserError(f"{where}: {name} is missing")
    return kind(**{name: _value(values[name], name, f"{where}: {name}") for name in names})


def _value(value: object, name: str, where: str) -> object:
    if isinstance(value, list):
        if len(value) < 2 or not all(isinstance(item, int | float) for item in value):
            raise UserError(f"{where} must be a list of two numbers or more")
        return tuple(float(item) for item in value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f"{where} must be a number, not {value!r}")
    if value < 0 or (value == 0 and name not in _MAY_BE_ZERO):
        raise UserError(f"{where} = {value} must be positive")
    if name in _SHARES and value > 1:
        raise UserError(f"{where} = {value} is a share and must be at most 1")
    return value
