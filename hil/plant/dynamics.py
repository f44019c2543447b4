"""The plant's step: both axles, body, pack and link. Compiled (see `hil.native`): this runs a thousand times a second.

The driveline is two inertias on a spring: the motor (seen from the wheels) and the wheels of the axle. The spring is
stepped symplectically (motor first, then twist from the new speeds), which adds no damping of its own and is stable to
300 Hz at 1 ms. The tyre is far stiffer: its force is taken linearly implicit in the wheel's speed, so that any slip
stiffness, down to standstill, is stable. Below `least_speed_mps` slip is counted against that speed.

Tyre: F = mu N sin(shape atan(B slip)) with B = stiffness / (mu shape): the stiffness of the parameters at small slip,
mu N at the peak, less behind it (Pacejka's formula with E = 0).
"""

from __future__ import annotations

from math import atan, cos, exp, sin, sqrt
from typing import Any

from hil.native import access, compiled
from hil.plant.battery import Battery
from hil.plant.coefficients import Coefficients
from hil.plant.drive_unit import DriveUnit
from hil.plant.state import State

_HELD_MPS = 0.02
_LOCK_NM = 1e6
"""Brake torque of the parking lock: more than any tyre can turn."""


@compiled
def _envelope_nm(k: Coefficients, turning: float, link_share: float) -> float:
    """Torque that motor and link can give at a speed (0 or more)."""
    over = turning - k.power_corner_radps
    power = (k.power_max_w - (k.power_fall_ws * over if over > 0.0 else 0.0)) * link_share
    if k.torque_max_nm * turning <= power and power > 0.0:
        return k.torque_max_nm
    return power / turning if turning > 0.0 else 0.0


@compiled
def available_nm(k: Coefficients, speed_radps: float, voltage_v: float) -> float:
    """As `drive_unit.torque_available_nm`."""
    turning = abs(speed_radps)
    if turning > k.speed_max_radps or voltage_v <= 0.0:
        return 0.0
    return _envelope_nm(k, turning, min(voltage_v * k.share_per_v, 1.0))


@compiled
def axle_step(
    k: Coefficients, unit: DriveUnit, link_share: float, load_n: float, car_mps: float, brake_nm: float
) -> None:
    """One step of an axle: motor, shaft, wheels, tyres.

    `link_share` is the share of the power that the link's voltage allows (0..1), `brake_nm` the brake's torque (0 or
    more).
    """
    h, speed = k.step_s, unit.speed_radps
    # What motor and link can give at this speed, whatever the inverter's software asks for.
    turning = abs(speed)
    most = _envelope_nm(k, turning, link_share)
    # Actuator: first-order lag with a slew limit; a cut power stage falls straight to zero.
    torque = unit.torque_nm
    if unit.cut or not unit.gates_on:
        torque = torque - k.cut_nm if torque > k.cut_nm else torque + k.cut_nm if torque < -k.cut_nm else 0.0
    else:
        target = min(max(unit.target_torque_nm, -most), most)
        torque += min(max((target - torque) * k.lag, -k.slew_nm), k.slew_nm)

    # Drag brakes the shaft, gates on or off; the other losses come out of the link.
    drag = k.drag_linear * turning + k.drag_square * turning * turning + k.drag_fixed
    sliding = max(turning, k.least_slide_radps)
    drive = torque - drag / sliding * (speed / sliding)
    dc_power = torque * speed
    loss = drag
    if unit.gates_on:
        size = abs(torque)
        heat = k.gates + (k.torque_linear + k.torque_square * size + k.torque_speed * turning) * size
        over = turning / k.corner_radps - 1.0
        if over > 0.0:
            heat += (k.weakening * over + k.torque_square_weakening * size * size) * over
        dc_power += heat
        loss += heat

    wheel = unit.wheel_speed_radps
    shaft = k.stiffness * unit.twist_rad + k.damping * (speed / k.ratio - wheel)
    speed += k.per_motor * (drive - shaft / k.ratio)

    against = car_mps if abs(car_mps) > k.least_speed_mps else k.least_speed_mps
    against = abs(against)
    slip = (wheel * k.radius_m - car_mps) / against
    b = k.stiff_over_shape / unit.friction_mu
    bs = b * slip
    angle = k.shape * atan(bs)
    grip = unit.friction_mu * load_n
    force = grip * sin(angle)
    rise = max(grip * cos(angle) * k.shape * b / (1.0 + bs * bs) * k.radius_m / against, 0.0)
    effective = k.inertia_wheels + h * k.radius_m * rise
    momentum = effective * wheel + h * (shaft - k.radius_m * force)
    stop = brake_nm * h
    momentum = momentum - stop if momentum > stop else momentum + stop if momentum < -stop else 0.0
    turned = momentum / effective

    unit.torque_nm = torque
    unit.speed_radps = speed
    unit.wheel_speed_radps = turned
    unit.twist_rad += h * (speed / k.ratio - turned)
    unit.tyre_force_n = force + rise * (turned - wheel)
    unit.slip = slip
    unit.dc_power_w = dc_power
    unit.loss_w = loss
    unit.loss_j += loss * h


@compiled
def _body_step(k: Coefficients, car: State, outer_n: float, rolling_n: float, holding_n: float) -> None:
    """One step of the body. Rolling resistance is dry friction: it stops the car and holds it."""
    h, front, rear = k.step_s, car.front_unit, car.rear_unit
    before = car.speed_mps
    moved = before + h * (front.tyre_force_n + rear.tyre_force_n - outer_n) / k.mass_kg
    roll = h * rolling_n / k.mass_kg
    moved = moved - roll if moved > roll else moved + roll if moved < -roll else 0.0
    locked = front.wheel_speed_radps == 0.0 and rear.wheel_speed_radps == 0.0
    if locked and abs(moved) < _HELD_MPS and abs(outer_n) < holding_n:
        moved = 0.0
    mean = 0.5 * (moved + before)
    car.accel_mps2 = (moved - before) / h
    car.distance_m += h * mean
    car.road_energy_j += h * mean * (outer_n + (rolling_n if mean >= 0.0 else -rolling_n))
    car.speed_mps = moved
    car.transfer_n += (k.transfer_gain * car.accel_mps2 - car.transfer_n) * k.transfer_lag


@compiled
def _pack_step(k: Coefficients, pack: Battery, load_w: float) -> None:
    """One step with the main contactors closed: the pack holds the link."""
    power = load_w + k.auxiliaries_w
    ocv = pack.open_circuit_v
    root = ocv * ocv - 4.0 * k.resistance_ohm * power
    current = (ocv - (sqrt(root) if root > 0.0 else 0.0)) * (0.5 / k.resistance_ohm)
    link = ocv - current * k.resistance_ohm
    pack.pack_current_a = current
    pack.link_voltage_v = link
    pack.energy_j += ocv * current * k.step_s
    pack.terminal_energy_j += link * current * k.step_s
    pack.heat_j += k.resistance_ohm * current * current * k.step_s


@compiled
def _link_step(k: Coefficients, pack: Battery, load_w: float, discharging: int) -> None:
    """One step of the link without the main contactors: capacitor, bleeder, precharge, active discharge, load.

    `load_w` is the units' power out of the link (negative: a spinning motor feeds it), `discharging` the number of
    units that discharge actively. The units' power moves the capacitor's energy, C V^2 / 2; resistors then pull it
    along an exponential.
    """
    square = pack.link_voltage_v * pack.link_voltage_v - 2.0 * load_w * k.step_s / k.link_f
    voltage = sqrt(square) if square > 0.0 else 0.0
    conductance = k.bleed_s + discharging * k.discharge_s
    source_a = 0.0
    if pack.precharge_closed:
        conductance += k.precharge_s
        source_a = pack.open_circuit_v * k.precharge_s
    final_v = source_a / conductance
    link = final_v + (voltage - final_v) * exp(-k.step_s * conductance / k.link_f)
    pack.link_voltage_v = link
    pack.pack_current_a = (pack.open_circuit_v - link) * k.precharge_s if pack.precharge_closed else 0.0
    pack.energy_j += pack.open_circuit_v * pack.pack_current_a * k.step_s


_coefficients_at = access(Coefficients)
_unit_at = access(DriveUnit)
_state_at = access(State)


@compiled
def one_axle_step(k: Any, unit: Any, link_share: float, load_n: float, car_mps: float, brake_nm: float) -> None:
    """`axle_step` by itself: memories of `Coefficients` and `DriveUnit`."""
    axle_step(_coefficients_at(k), _unit_at(unit), link_share, load_n, car_mps, brake_nm)


@compiled
def _run_steps(car: State, steps: int) -> None:
    """Run a number of steps with the inputs as they are."""
    k, front, rear, pack = car.coefficients, car.front_unit, car.rear_unit, car.pack
    climb = car.slope_percent * 0.01
    across = sqrt(1.0 + climb * climb)
    slope_n, rolling_n = k.weight_n * climb / across, k.rolling / across
    front_brake, rear_brake = car.brake_pressure_bar * k.front_nm_per_bar, car.brake_pressure_bar * k.rear_nm_per_bar
    if car.parking_lock:
        front_brake = rear_brake = _LOCK_NM
    # Locked wheels hold as much as brakes and road can, and the rolling resistance with them.
    front_grip, rear_grip = front.friction_mu * k.front_static_n, rear.friction_mu * k.rear_static_n
    holding_n = rolling_n + min(front_brake / k.radius_m, front_grip) + min(rear_brake / k.radius_m, rear_grip)
    discharging = (1 if front.discharge else 0) + (1 if rear.discharge else 0)

    for _ in range(steps):
        alive = pack.main_closed or pack.link_voltage_v > k.dead_v
        share = min(pack.link_voltage_v * k.share_per_v, 1.0) if alive else 0.0
        axle_step(k, front, share, k.front_static_n - car.transfer_n, car.speed_mps, front_brake)
        axle_step(k, rear, share, k.rear_static_n + car.transfer_n, car.speed_mps, rear_brake)
        head = car.speed_mps + car.wind_mps
        _body_step(k, car, k.air * head * abs(head) + slope_n, rolling_n, holding_n)
        if pack.main_closed:
            _pack_step(k, pack, front.dc_power_w + rear.dc_power_w)
        else:
            _link_step(k, pack, front.dc_power_w + rear.dc_power_w, discharging)

    front.normal_force_n = k.front_static_n - car.transfer_n
    rear.normal_force_n = k.rear_static_n + car.transfer_n
    closed = pack.main_closed
    pack.pack_voltage_v = (
        pack.link_voltage_v if closed else pack.open_circuit_v - pack.pack_current_a * k.resistance_ohm
    )


@compiled
def advance(memory: Any, time_ns: int) -> bool:
    """Step to `time_ns`, as far as the grid allows. False: only to `slow_ns`, where Python has to act (`Plant`).

    `memory` is that of a `State`.
    """
    car = _state_at(memory)
    if time_ns < car.next_ns:
        return True
    slow = time_ns >= car.slow_ns
    steps = (car.slow_ns if slow else time_ns) // car.step_ns - car.steps
    if steps > 0:
        _run_steps(car, steps)
        car.steps += steps
    car.next_ns = car.slow_ns if slow else (car.steps + 1) * car.step_ns
    return not slow
