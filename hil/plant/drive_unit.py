"""One drive unit: motor, inverter's power stage, reducer. What it can give, what it loses, how warm it gets."""

from __future__ import annotations

from ctypes import Structure

from hil.native import structure
from hil.plant.parameters import Losses, Motor, Parameters


def torque_available_nm(motor: Motor, speed_radps: float, voltage_v: float) -> float:
    """Torque that the unit can give at this speed (either sign) and link voltage, Nm, 0 or more.

    Constant torque up to the power limit; the limit holds up to the corner speed and falls linearly behind it. Below
    `full_power_voltage_v` power falls with the voltage. Nothing above the highest speed.
    """
    speed = abs(speed_radps)
    if speed * 60.0 / 6.283185307179586 > motor.speed_max_rpm or voltage_v <= 0.0:
        return 0.0
    fall = (motor.power_max_w - motor.power_top_w) / (motor.power_top_radps - motor.power_corner_radps)
    over = speed - motor.power_corner_radps
    power_w = motor.power_max_w - (fall * over if over > 0.0 else 0.0)
    if voltage_v < motor.full_power_voltage_v:
        power_w *= voltage_v / motor.full_power_voltage_v
    if speed * motor.torque_max_nm <= power_w:
        return motor.torque_max_nm
    return power_w / speed


def loss_w(losses: Losses, torque_nm: float, speed_radps: float, gates_on: bool) -> float:
    """Loss of one unit in W (motor, inverter, reducer), either sign of torque and speed. Formula of the loss model."""
    speed = abs(speed_radps)
    total = losses.drag_linear_w * speed + losses.drag_square_w * speed * speed + losses.drag_fixed_w
    if not gates_on:
        return total
    torque = abs(torque_nm)
    current = torque / losses.nm_per_a
    over = speed / losses.corner_radps - 1.0
    if over < 0.0:
        over = 0.0
    return (
        total
        + losses.gates_fixed_w
        + losses.weakening_w * over * over
        + (losses.current_linear_w + losses.current_square_w * current) * current
        + losses.torque_square_w * torque * torque * (1.0 + losses.torque_square_weakening * over)
        + losses.torque_speed_w * torque * speed
    )


@structure
class DriveUnit(Structure):
    """State of one axle's unit. Nodes write the inputs, the plant writes the truth.

    Inputs: `target_torque_nm` (already inside the inverter's limits), `gates_on`, `discharge` (active discharge of the
    link), `cut` (the power stage takes the torque away at once instead of by the torque control), `friction_mu`.
    Truth: `torque_nm` of the motor, `speed_radps` of its shaft, `wheel_speed_radps`, `slip` (positive when driving),
    `normal_force_n`, `dc_power_w` (positive out of the battery), `loss_w`, temperatures.
    """

    target_torque_nm: float
    gates_on: bool
    discharge: bool
    cut: bool
    friction_mu: float
    torque_nm: float
    speed_radps: float
    wheel_speed_radps: float
    twist_rad: float
    slip: float
    normal_force_n: float
    tyre_force_n: float
    dc_power_w: float
    loss_w: float
    loss_j: float
    stator_degc: float
    inverter_degc: float
    coolant_degc: float

    def __init__(self, parameters: Parameters) -> None:
        super().__init__()
        self.begin(parameters)

    def begin(self, parameters: Parameters) -> None:
        """Take the parameters: dry road, everything at the ambient temperature."""
        self.parameters = parameters
        self.friction_mu = 1.0
        self.stator_degc = self.inverter_degc = self.coolant_degc = parameters.battery.ambient_degc

    @property
    def speed_rpm(self) -> float:
        """Motor speed, rpm."""
        return self.speed_radps * 60.0 / 6.283185307179586

    def torque_available_nm(self, speed_radps: float, voltage_v: float) -> float:
        """See the function of the same name."""
        return torque_available_nm(self.parameters.motor, speed_radps, voltage_v)

    def warm(self, loss_j: float, seconds: float) -> None:
        """Heat balance over an interval in which `loss_j` was lost."""
        thermal = self.parameters.thermal
        to_coolant_s = thermal.stator_wpk * (self.stator_degc - self.coolant_degc) * seconds
        to_coolant_i = thermal.inverter_wpk * (self.inverter_degc - self.coolant_degc) * seconds
        to_air = thermal.coolant_wpk * (self.coolant_degc - self.parameters.battery.ambient_degc) * seconds
        self.stator_degc += (loss_j * thermal.stator_loss_share - to_coolant_s) / thermal.stator_jpk
        self.inverter_degc += (loss_j * thermal.inverter_loss_share - to_coolant_i) / thermal.inverter_jpk
        self.coolant_degc += (to_coolant_s + to_coolant_i - to_air) / thermal.coolant_jpk
