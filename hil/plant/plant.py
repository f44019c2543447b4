"""The virtual car's physics: two driven axles, body, brakes, road, pack and DC link, in fixed steps of virtual time.

Nodes write the inputs and call `advance(time_ns)` before they read. Steps lie on a fixed grid, so the result does not
depend on when `advance` is called; an input counts from the next step on.

Inputs: `front`, `rear` (see `DriveUnit`), `main_closed`, `precharge_closed`, `brake_pressure_bar`, `parking_lock`,
`slope_percent`, `wind_mps` (head wind), `set_friction`.
Truth: `speed_mps`, `accel_mps2`, `distance_m`, `front`, `rear`, `battery`, `link_voltage_v`, `brake_energy_wh`.
"""

from __future__ import annotations

from hil.native import memory
from hil.plant.coefficients import GRAVITY_MPS2, coefficients
from hil.plant.dynamics import advance
from hil.plant.parameters import Parameters, load_parameters
from hil.plant.state import State

STEP_NS = 1_000_000
_SLOW_NS = 100_000_000
"""Heat and open-circuit voltage are stepped this often: they change within minutes."""


class Plant(State):
    """The car. Args: parameters (default: the 78 kWh car), `step_ns` (a divisor of 100 ms)."""

    def __init__(self, parameters: Parameters | None = None, *, step_ns: int = STEP_NS) -> None:
        if step_ns <= 0 or _SLOW_NS % step_ns:
            raise ValueError(f"step_ns={step_ns} does not divide {_SLOW_NS} ns")
        super().__init__()
        self.parameters = parameters or load_parameters()
        self.step_ns = self.next_ns = step_ns
        self.slow_ns = _SLOW_NS
        self.coefficients = coefficients(self.parameters, step_ns * 1e-9)
        self.front, self.rear, self.battery = self.front_unit, self.rear_unit, self.pack
        for part in (self.front, self.rear, self.battery):
            part.begin(self.parameters)
        self._memory = memory(self)
        self._heat_marks = (0.0, 0.0, 0.0)
        self._share_loads()

    # --- contactors and link, as the nodes know them ---

    @property
    def main_closed(self) -> bool:
        """The main contactors conduct."""
        return self.battery.main_closed

    @main_closed.setter
    def main_closed(self, closed: bool) -> None:
        battery = self.battery
        if closed and not battery.main_closed:
            battery.link_voltage_at_close_v = battery.link_voltage_v
        battery.main_closed = closed
        if not closed:
            battery.pack_current_a = 0.0
            battery.rest()

    @property
    def precharge_closed(self) -> bool:
        """The precharge relay conducts."""
        return self.battery.precharge_closed

    @precharge_closed.setter
    def precharge_closed(self, closed: bool) -> None:
        self.battery.precharge_closed = closed

    @property
    def link_voltage_v(self) -> float:
        """Voltage of the DC link."""
        return self.battery.link_voltage_v

    @property
    def time_ns(self) -> int:
        """The time up to which the plant has been stepped."""
        return self.steps * self.step_ns

    def set_friction(self, front_mu: float, rear_mu: float | None = None) -> None:
        """Friction between tyre and road: dry 1.0, wet 0.7, snow 0.3, ice 0.1; the same for both axles unless given."""
        self.front.friction_mu = front_mu
        self.rear.friction_mu = front_mu if rear_mu is None else rear_mu

    def _share_loads(self) -> None:
        vehicle = self.parameters.vehicle
        weight = vehicle.mass_kg * GRAVITY_MPS2
        self.front.normal_force_n = weight * vehicle.front_weight_share - self.transfer_n
        self.rear.normal_force_n = weight * (1.0 - vehicle.front_weight_share) + self.transfer_n

    def place(self, speed_mps: float) -> None:
        """Have the car roll at this speed from now on, wheels and motors with it."""
        self.speed_mps = speed_mps
        for unit in (self.front, self.rear):
            unit.wheel_speed_radps = speed_mps / self.parameters.tyre.rolling_radius_m
            unit.speed_radps = unit.wheel_speed_radps * self.parameters.driveline.gear_ratio
            unit.twist_rad = 0.0

    # --- time ---

    def advance(self, time_ns: int) -> None:
        """Step to `time_ns`, or as near before it as the grid allows. Times already reached cost nothing."""
        while not advance(self._memory, time_ns):
            self._slow()

    def _slow(self) -> None:
        """Heat and open-circuit voltage, once every 100 ms."""
        self.slow_ns += _SLOW_NS
        seconds = _SLOW_NS * 1e-9
        front_j, rear_j, pack_j = self._heat_marks
        self.front.warm(self.front.loss_j - front_j, seconds)
        self.rear.warm(self.rear.loss_j - rear_j, seconds)
        self.battery.warm(self.battery.heat_j - pack_j, seconds)
        self._heat_marks = (self.front.loss_j, self.rear.loss_j, self.battery.heat_j)
        self.battery.rest()


__all__ = ["GRAVITY_MPS2", "STEP_NS", "Plant"]
