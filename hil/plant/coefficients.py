"""What the plant's step takes from the parameters: products and inverses worked out once, for one step width."""

from __future__ import annotations

from ctypes import Structure
from math import exp, pi, sqrt

from hil.native import structure
from hil.plant.parameters import Parameters

GRAVITY_MPS2 = 9.81

CUT_S = 0.005
"""Time in which a power stage that is cut loses full torque; the protocol allows 10 ms."""

DEAD_V = 20.0
"""Under this link voltage a drive unit gives no torque at all: its gate supplies are off."""

LEAST_SLIDE_RADPS = 15.0
"""Below this speed the fixed drag falls linearly, so that it stops a motor and does not turn it round."""


@structure
class Coefficients(Structure):
    """Constants of the step; units by the names of `Parameters`."""

    step_s: float
    # motor
    lag: float
    slew_nm: float
    cut_nm: float
    torque_max_nm: float
    power_max_w: float
    power_corner_radps: float
    power_fall_ws: float
    speed_max_radps: float
    share_per_v: float
    dead_v: float
    # losses
    drag_linear: float
    drag_square: float
    drag_fixed: float
    least_slide_radps: float
    gates: float
    weakening: float
    torque_linear: float
    torque_square: float
    torque_square_weakening: float
    torque_speed: float
    corner_radps: float
    # driveline and tyres
    ratio: float
    stiffness: float
    damping: float
    per_motor: float
    inertia_wheels: float
    radius_m: float
    shape: float
    stiff_over_shape: float
    least_speed_mps: float
    # body
    mass_kg: float
    weight_n: float
    rolling: float
    air: float
    transfer_gain: float
    transfer_lag: float
    front_static_n: float
    rear_static_n: float
    front_nm_per_bar: float
    rear_nm_per_bar: float
    # pack and link
    resistance_ohm: float
    auxiliaries_w: float
    link_f: float
    bleed_s: float
    discharge_s: float
    precharge_s: float


def coefficients(parameters: Parameters, step_s: float) -> Coefficients:
    """The constants for steps of `step_s` seconds."""
    motor, losses, tyre, driveline = parameters.motor, parameters.losses, parameters.tyre, parameters.driveline
    vehicle, brakes, pack = parameters.vehicle, parameters.brakes, parameters.battery
    weight_n = vehicle.mass_kg * GRAVITY_MPS2
    motor_at_wheels = driveline.motor_inertia_kgm2 * driveline.gear_ratio**2
    return Coefficients(
        step_s=step_s,
        lag=1.0 - exp(-step_s / motor.torque_lag_s),
        slew_nm=motor.torque_slew_nmps * step_s,
        cut_nm=motor.torque_max_nm * step_s / CUT_S,
        torque_max_nm=motor.torque_max_nm,
        power_max_w=motor.power_max_w,
        power_corner_radps=motor.power_corner_radps,
        power_fall_ws=(motor.power_max_w - motor.power_top_w) / (motor.power_top_radps - motor.power_corner_radps),
        speed_max_radps=motor.speed_max_rpm * pi / 30.0,
        share_per_v=1.0 / motor.full_power_voltage_v,
        dead_v=DEAD_V,
        drag_linear=losses.drag_linear_w,
        drag_square=losses.drag_square_w,
        drag_fixed=losses.drag_fixed_w,
        least_slide_radps=LEAST_SLIDE_RADPS,
        gates=losses.gates_fixed_w,
        weakening=losses.weakening_w,
        torque_linear=losses.current_linear_w / losses.nm_per_a,
        torque_square=losses.current_square_w / losses.nm_per_a**2 + losses.torque_square_w,
        torque_square_weakening=losses.torque_square_w * losses.torque_square_weakening,
        torque_speed=losses.torque_speed_w,
        corner_radps=losses.corner_radps,
        ratio=driveline.gear_ratio,
        stiffness=driveline.stiffness_nmprad,
        damping=driveline.damping_share * 2.0 * sqrt(driveline.stiffness_nmprad * motor_at_wheels),
        per_motor=step_s / driveline.motor_inertia_kgm2,
        inertia_wheels=2.0 * tyre.wheel_inertia_kgm2,
        radius_m=tyre.rolling_radius_m,
        shape=tyre.peak_shape,
        stiff_over_shape=tyre.slip_stiffness / tyre.peak_shape,
        least_speed_mps=tyre.relaxation_speed_mps,
        mass_kg=vehicle.mass_kg,
        weight_n=weight_n,
        rolling=vehicle.rolling_resistance * weight_n,
        air=0.5 * vehicle.air_density_kgpm3 * vehicle.drag_area_m2,
        transfer_gain=vehicle.mass_kg * vehicle.cg_height_m / vehicle.wheelbase_m,
        transfer_lag=step_s / (vehicle.load_transfer_lag_s + step_s),
        front_static_n=weight_n * vehicle.front_weight_share,
        rear_static_n=weight_n * (1.0 - vehicle.front_weight_share),
        front_nm_per_bar=brakes.torque_per_bar_nm * brakes.front_share,
        rear_nm_per_bar=brakes.torque_per_bar_nm * (1.0 - brakes.front_share),
        resistance_ohm=pack.resistance_ohm,
        auxiliaries_w=pack.auxiliaries_w,
        link_f=pack.link_capacitance_f,
        bleed_s=1.0 / pack.bleed_ohm,
        discharge_s=1.0 / pack.discharge_ohm,
        precharge_s=1.0 / pack.precharge_ohm,
    )
