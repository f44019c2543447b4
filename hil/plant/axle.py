"""One step of an axle: motor, shaft, wheels, tyres. Plain scalars in, plain scalars out: this runs 2000 times a second.

The driveline is two inertias on a spring: the motor (seen from the wheels) and the wheels of the axle. The spring is
stepped symplectically (motor first, then twist from the new speeds), which adds no damping of its own and is stable to
300 Hz at 1 ms. The tyre is far stiffer: its force is taken linearly implicit in the wheel's speed, so that any slip
stiffness, down to standstill, is stable. Below `relaxation_speed_mps` slip is counted against that speed.

Tyre: F = mu N sin(shape atan(B slip)) with B = stiffness / (mu shape): the stiffness of the parameters at small slip,
mu N at the peak, less behind it (Pacejka's formula with E = 0).
"""

from __future__ import annotations

from collections.abc import Callable
from math import atan, cos, exp, sin, sqrt

from hil.plant.parameters import Parameters

AxleResult = tuple[float, float, float, float, float, float, float, float]
"""torque Nm, motor speed rad/s, twist rad, wheel speed rad/s, tyre force N, slip, DC power W, loss W."""

AxleStep = Callable[
    [float, float, float, float, float, bool, bool, float, float, float, float, float],
    AxleResult,
]

CUT_S = 0.005
"""Time in which a power stage that is cut loses full torque; the protocol allows 10 ms."""

_LEAST_SLIDE_RADPS = 15.0
"""Below this speed the fixed drag falls linearly, so that it stops a motor and does not turn it round."""


def make_axle_step(parameters: Parameters, step_s: float) -> AxleStep:
    """A function for one step of `step_s` seconds with the parameters bound.

    It takes torque Nm, motor speed rad/s, twist rad, wheel speed rad/s, target torque Nm, whether the power stage
    is cut, whether the gates are on, share of the power that the link's voltage allows (0..1), friction coefficient,
    load on the axle N, car speed m/s, brake torque Nm (0 or more).
    """
    motor, losses, tyre, driveline = parameters.motor, parameters.losses, parameters.tyre, parameters.driveline
    lag = 1.0 - exp(-step_s / motor.torque_lag_s)
    slew_nm = motor.torque_slew_nmps * step_s
    cut_nm = motor.torque_max_nm * step_s / CUT_S
    torque_max, power_max, power_corner = motor.torque_max_nm, motor.power_max_w, motor.power_corner_radps
    power_fall = (motor.power_max_w - motor.power_top_w) / (motor.power_top_radps - motor.power_corner_radps)
    ratio = driveline.gear_ratio
    inertia_wheels = 2.0 * tyre.wheel_inertia_kgm2
    inertia_motor = driveline.motor_inertia_kgm2
    stiffness = driveline.stiffness_nmprad
    damping = driveline.damping_share * 2.0 * sqrt(stiffness * inertia_motor * ratio * ratio)
    per_motor = step_s / inertia_motor
    radius = tyre.rolling_radius_m
    shape = tyre.peak_shape
    stiff_over_shape = tyre.slip_stiffness / shape
    least_speed = tyre.relaxation_speed_mps
    drag1, drag2, drag0 = losses.drag_linear_w, losses.drag_square_w, losses.drag_fixed_w
    gates, weak, amp1 = losses.gates_fixed_w, losses.weakening_w, losses.current_linear_w / losses.nm_per_a
    square = losses.current_square_w / losses.nm_per_a**2 + losses.torque_square_w
    square_weak = losses.torque_square_w * losses.torque_square_weakening
    cross, corner = losses.torque_speed_w, losses.corner_radps

    def step(
        torque: float,
        speed: float,
        twist: float,
        wheel: float,
        target: float,
        cut: bool,
        gates_on: bool,
        link_share: float,
        mu: float,
        load: float,
        car: float,
        brake: float,
    ) -> AxleResult:
        # What motor and link can give at this speed, whatever the inverter's software asks for.
        turning = speed if speed >= 0.0 else -speed
        power = power_max - power_fall * (turning - power_corner) if turning > power_corner else power_max
        most = torque_max * turning
        power *= link_share
        most = torque_max if most <= power and power > 0.0 else power / turning if turning > 0.0 else 0.0
        # Actuator: first-order lag with a slew limit; a cut power stage falls straight to zero.
        if cut or not gates_on:
            torque = torque - cut_nm if torque > cut_nm else torque + cut_nm if torque < -cut_nm else 0.0
        else:
            target = most if target > most else -most if target < -most else target
            change = (target - torque) * lag
            torque += slew_nm if change > slew_nm else -slew_nm if change < -slew_nm else change

        # Drag brakes the shaft, gates on or off; the other losses come out of the link.
        drag = drag1 * turning + drag2 * turning * turning + drag0
        sliding = turning if turning > _LEAST_SLIDE_RADPS else _LEAST_SLIDE_RADPS
        drive = torque - drag / sliding * (speed / sliding)
        dc_power = torque * speed
        loss = drag
        if gates_on:
            size = torque if torque >= 0.0 else -torque
            over = turning / corner - 1.0
            heat = gates + (amp1 + square * size + cross * turning) * size
            if over > 0.0:
                heat += (weak * over + square_weak * size * size) * over
            dc_power += heat
            loss += heat

        shaft = stiffness * twist + damping * (speed / ratio - wheel)
        speed += per_motor * (drive - shaft / ratio)

        against = car if car > least_speed else -car if car < -least_speed else least_speed
        slip = (wheel * radius - car) / against
        b = stiff_over_shape / mu
        bs = b * slip
        angle = shape * atan(bs)
        grip = mu * load
        force = grip * sin(angle)
        rise = grip * cos(angle) * shape * b / (1.0 + bs * bs) * radius / against
        if rise < 0.0:
            rise = 0.0
        effective = inertia_wheels + step_s * radius * rise
        momentum = effective * wheel + step_s * (shaft - radius * force)
        stop = brake * step_s
        momentum = momentum - stop if momentum > stop else momentum + stop if momentum < -stop else 0.0
        turned = momentum / effective
        force += rise * (turned - wheel)
        twist += step_s * (speed / ratio - turned)
        return torque, speed, twist, turned, force, slip, dc_power, loss

    return step
