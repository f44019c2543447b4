"""The virtual car's physics: two driven axles, body, brakes, road, pack and DC link, in fixed steps of virtual time.

Nodes write the inputs and call `advance(time_ns)` before they read. Steps lie on a fixed grid, so the result does not
depend on when `advance` is called; an input counts from the next step on.

Inputs: `front`, `rear` (see `DriveUnit`), `main_closed`, `precharge_closed`, `brake_pressure_bar`, `parking_lock`,
`slope_percent`, `wind_mps` (head wind), `set_friction`.
Truth: `speed_mps`, `accel_mps2`, `distance_m`, `front`, `rear`, `battery`, `link_voltage_v`, `brake_energy_wh`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

from hil.plant.axle import make_axle_step
from hil.plant.battery import Battery
from hil.plant.drive_unit import DriveUnit
from hil.plant.parameters import Parameters, load_parameters

GRAVITY_MPS2 = 9.81
STEP_NS = 1_000_000
_SLOW_NS = 100_000_000
"""Heat and open-circuit voltage are stepped this often: they change within minutes."""

_HELD_MPS = 0.02
_DEAD_V = 20.0
"""Under this link voltage a drive unit gives no torque at all: its gate supplies are off."""
_LOCK_NM = 1e6
"""Brake torque of the parking lock: more than any tyre can turn."""


class Plant:
    """The car. Args: parameters (default: the 78 kWh car), `step_ns` (a divisor of 100 ms)."""

    def __init__(self, parameters: Parameters | None = None, *, step_ns: int = STEP_NS) -> None:
        if step_ns <= 0 or _SLOW_NS % step_ns:
            raise ValueError(f"step_ns={step_ns} does not divide {_SLOW_NS} ns")
        self.parameters = parameters or load_parameters()
        self.step_ns = step_ns
        self.front = DriveUnit(self.parameters)
        self.rear = DriveUnit(self.parameters)
        self.battery = Battery(self.parameters)
        self.brake_pressure_bar = 0.0
        self.parking_lock = False
        self.slope_percent = 0.0
        self.wind_mps = 0.0
        self.speed_mps = 0.0
        self.accel_mps2 = 0.0
        self.distance_m = 0.0
        self.road_energy_j = 0.0
        """Work against rolling resistance, air and slope."""
        self._transfer_n = 0.0
        self._steps = 0
        self._steps_slow = _SLOW_NS // step_ns
        self._axle_step = make_axle_step(self.parameters, step_ns * 1e-9)
        self._run = self._make_run()
        self._heat_marks = (0.0, 0.0, 0.0)
        self._pack_heat_j = 0.0
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
        return self._steps * self.step_ns

    def set_friction(self, front_mu: float, rear_mu: float | None = None) -> None:
        """Friction between tyre and road: dry 1.0, wet 0.7, snow 0.3, ice 0.1; the same for both axles unless given."""
        self.front.friction_mu = front_mu
        self.rear.friction_mu = front_mu if rear_mu is None else rear_mu

    def _share_loads(self) -> None:
        vehicle = self.parameters.vehicle
        weight = vehicle.mass_kg * GRAVITY_MPS2
        self.front.normal_force_n = weight * vehicle.front_weight_share - self._transfer_n
        self.rear.normal_force_n = weight * (1.0 - vehicle.front_weight_share) + self._transfer_n

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
        steps = time_ns // self.step_ns - self._steps
        while steps > 0:
            to_slow = self._steps_slow - self._steps % self._steps_slow
            now = steps if steps < to_slow else to_slow
            self._run(now)
            self._steps += now
            steps -= now
            if now == to_slow:
                self._slow()

    def _make_run(self) -> Callable[[int], None]:
        """The function that runs a number of steps with the inputs as they are.

        What never changes is bound once, what changes is held in locals during the steps: `advance` is called some
        500 times a second.
        """
        vehicle, brakes, cells = self.parameters.vehicle, self.parameters.brakes, self.parameters.battery
        front, rear, battery = self.front, self.rear, self.battery
        axle_step, h = self._axle_step, self.step_ns * 1e-9
        mass, weight = vehicle.mass_kg, vehicle.mass_kg * GRAVITY_MPS2
        rolling = vehicle.rolling_resistance * weight
        air = 0.5 * vehicle.air_density_kgpm3 * vehicle.drag_area_m2
        transfer_gain = vehicle.mass_kg * vehicle.cg_height_m / vehicle.wheelbase_m
        transfer_lag = h / (vehicle.load_transfer_lag_s + h)
        front_static = weight * vehicle.front_weight_share
        rear_static = weight - front_static
        front_nmpbar = brakes.torque_per_bar_nm * brakes.front_share
        rear_nmpbar = brakes.torque_per_bar_nm * (1.0 - brakes.front_share)
        resistance, auxiliaries = cells.resistance_ohm, cells.auxiliaries_w
        four_r, half_g = 4.0 * resistance, 0.5 / resistance
        radius = self.parameters.tyre.rolling_radius_m
        share_per_v = 1.0 / self.parameters.motor.full_power_voltage_v

        def run(steps: int) -> None:
            slope_n, rolling_n = 0.0, rolling
            if self.slope_percent:
                climb = self.slope_percent * 0.01
                across = sqrt(1.0 + climb * climb)
                slope_n, rolling_n = weight * climb / across, rolling / across
            wind = self.wind_mps
            if self.parking_lock:
                front_brake = rear_brake = _LOCK_NM
            else:
                front_brake, rear_brake = self.brake_pressure_bar * front_nmpbar, self.brake_pressure_bar * rear_nmpbar
            roll = h * rolling_n / mass
            f_torque, f_speed, f_twist, f_wheel = (
                front.torque_nm,
                front.speed_radps,
                front.twist_rad,
                front.wheel_speed_radps,
            )
            r_torque, r_speed, r_twist, r_wheel = (
                rear.torque_nm,
                rear.speed_radps,
                rear.twist_rad,
                rear.wheel_speed_radps,
            )
            f_target, f_cut, f_gates, f_mu = front.target_torque_nm, front.cut, front.gates_on, front.friction_mu
            r_target, r_cut, r_gates, r_mu = rear.target_torque_nm, rear.cut, rear.gates_on, rear.friction_mu
            f_force = r_force = f_slip = r_slip = f_power = r_power = f_loss = r_loss = 0.0
            f_loss_j, r_loss_j = front.loss_j, rear.loss_j
            speed, distance, transfer, accel = self.speed_mps, self.distance_m, self._transfer_n, self.accel_mps2
            road_j = self.road_energy_j
            closed = battery.main_closed
            ocv, link, current = battery.open_circuit_v, battery.link_voltage_v, battery.pack_current_a
            ocv_square = ocv * ocv
            # Locked wheels hold as much as brakes and road can, and the rolling resistance with them.
            front_grip, rear_grip, per_radius = f_mu * front_static, r_mu * rear_static, 1.0 / radius
            holding_n = rolling_n + min(front_brake * per_radius, front_grip) + min(rear_brake * per_radius, rear_grip)
            cell_j, terminal_j, heat_j = battery.energy_j, battery.terminal_energy_j, self._pack_heat_j

            for _ in range(steps):
                share = link * share_per_v if closed or link > _DEAD_V else 0.0
                if share > 1.0:
                    share = 1.0
                f_torque, f_speed, f_twist, f_wheel, f_force, f_slip, f_power, f_loss = axle_step(
                    f_torque,
                    f_speed,
                    f_twist,
                    f_wheel,
                    f_target,
                    f_cut,
                    f_gates,
                    share,
                    f_mu,
                    front_static - transfer,
                    speed,
                    front_brake,
                )
                r_torque, r_speed, r_twist, r_wheel, r_force, r_slip, r_power, r_loss = axle_step(
                    r_torque,
                    r_speed,
                    r_twist,
                    r_wheel,
                    r_target,
                    r_cut,
                    r_gates,
                    share,
                    r_mu,
                    rear_static + transfer,
                    speed,
                    rear_brake,
                )
                f_loss_j += f_loss * h
                r_loss_j += r_loss * h

                # Body. Rolling resistance is dry friction: it stops the car and holds it.
                head = speed + wind
                outer = air * head * (head if head >= 0.0 else -head) + slope_n
                moved = speed + h * (f_force + r_force - outer) / mass
                moved = moved - roll if moved > roll else moved + roll if moved < -roll else 0.0
                if f_wheel == 0.0 and r_wheel == 0.0 and -_HELD_MPS < moved < _HELD_MPS and abs(outer) < holding_n:
                    moved = 0.0
                accel = (moved - speed) / h
                mean = 0.5 * (moved + speed)
                distance += h * mean
                road_j += h * mean * (outer + (rolling_n if mean >= 0.0 else -rolling_n))
                speed = moved
                transfer += (transfer_gain * accel - transfer) * transfer_lag

                if closed:
                    power = f_power + r_power + auxiliaries
                    root = ocv_square - four_r * power
                    current = (ocv - (root**0.5 if root > 0.0 else 0.0)) * half_g
                    link = ocv - current * resistance
                    cell_j += ocv * current * h
                    terminal_j += link * current * h
                    heat_j += resistance * current * current * h
                else:
                    battery.link_voltage_v = link
                    battery.link_alone(f_power + r_power, front.discharge + rear.discharge, h)
                    link, current = battery.link_voltage_v, battery.pack_current_a
                    cell_j += ocv * current * h

            front.torque_nm, front.speed_radps, front.twist_rad, front.wheel_speed_radps = (
                f_torque,
                f_speed,
                f_twist,
                f_wheel,
            )
            rear.torque_nm, rear.speed_radps, rear.twist_rad, rear.wheel_speed_radps = (
                r_torque,
                r_speed,
                r_twist,
                r_wheel,
            )
            front.tyre_force_n, front.slip, front.dc_power_w, front.loss_w, front.loss_j = (
                f_force, f_slip, f_power, f_loss, f_loss_j,
            )  # fmt: skip
            rear.tyre_force_n, rear.slip, rear.dc_power_w, rear.loss_w, rear.loss_j = (
                r_force,
                r_slip,
                r_power,
                r_loss,
                r_loss_j,
            )
            self.speed_mps, self.distance_m, self._transfer_n, self.accel_mps2 = speed, distance, transfer, accel
            self.road_energy_j = road_j
            front.normal_force_n, rear.normal_force_n = front_static - transfer, rear_static + transfer
            battery.link_voltage_v, battery.pack_current_a = link, current
            battery.pack_voltage_v = link if closed else ocv - current * resistance
            battery.energy_j, battery.terminal_energy_j = cell_j, terminal_j
            self._pack_heat_j = heat_j

        return run

    def _slow(self) -> None:
        """Heat and open-circuit voltage, once every 100 ms."""
        seconds = _SLOW_NS * 1e-9
        front_j, rear_j, pack_j = self._heat_marks
        self.front.warm(self.front.loss_j - front_j, seconds)
        self.rear.warm(self.rear.loss_j - rear_j, seconds)
        self.battery.warm(self._pack_heat_j - pack_j, seconds)
        self._heat_marks = (self.front.loss_j, self.rear.loss_j, self._pack_heat_j)
        self.battery.rest()
