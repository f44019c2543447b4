"""What a motor controller protects itself against, and from where on. All numbers are assumed (mark A) unless said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

FROZEN = True
State = Literal["Init", "Lockout", "Standby", "Torque", "Discharge", "Fault"]
FaultCode = Literal[
    "None",
    "CommandTimeout",
    "OverVoltage",
    "UnderVoltage",
    "OverCurrent",
    "OverTemperature",
    "Resolver",
    "Hardware",
    "OverSpeed",
]


INJECTABLE: tuple[FaultCode, ...] = tuple(
    code for code in get_args(FaultCode) if code not in ("None", "CommandTimeout")
)


@dataclass(frozen=True, slots=True)
class Rating:
    """Limits of one unit. A fault's condition is over when the value is back behind its `_clear` limit."""

    init_ms: float = 100.0  # self test after power-on
    good_commands: int = 3  # in a row, to leave Lockout
    fault_min_ms: float = 100.0  # Fault lasts this long at least, so that everybody sees it
    dead_link_v: float = 50.0  # no torque from an empty link, whatever the control wants
    over_voltage_v: float = 480.0  # 108 cells of 4.2 V are 454 V
    over_voltage_clear_v: float = 465.0
    regen_fade_from_v: float = 456.0  # regeneration fades to zero between these, before the trip
    regen_fade_to_v: float = 472.0
    under_voltage_v: float = 200.0  # trips only with torque asked for
    over_current_nm: float = 420.0  # phase current as torque: 127 % of the published 330 Nm
    over_current_a: float = 700.0  # link current of one unit
    over_speed_rpm: float = 15_000.0  # the motor's maximum is 14,500 rpm
    over_speed_clear_rpm: float = 14_500.0
    stator_derate_degc: float = 150.0
    stator_trip_degc: float = 180.0
    inverter_derate_degc: float = 85.0
    inverter_trip_degc: float = 105.0
    warning_margin_k: float = 10.0  # Warning comes this much before derating
    speed_fade_rpm: float = 300.0  # drive torque fades to zero over this under the commanded SpeedLimit
    regen_speed_rpm: float = 50.0  # slower, the sign of the speed does not tell braking from driving
    discharge_max_radps: float = 50.0  # a faster motor would feed the link again
    discharge_done_v: float = 60.0
    discharge_give_up_ms: float = 3000.0  # the contactors are closed then: the resistor must not burn

    def thermal_share(self, stator_degc: float, inverter_degc: float) -> float:
        """Share of the torque (0..1) that the temperatures leave: linear from the derating to the trip temperature."""
        stator = (self.stator_trip_degc - stator_degc) / (self.stator_trip_degc - self.stator_derate_degc)
        inverter = (self.inverter_trip_degc - inverter_degc) / (self.inverter_trip_degc - self.inverter_derate_degc)
        return min(1.0, max(0.0, min(stator, inverter)))

    def hot(self, stator_degc: float, inverter_degc: float) -> bool:
        """Close to derating, or in it."""
        margin = self.warning_margin_k
        return stator_degc > self.stator_derate_degc - margin or inverter_degc > self.inverter_derate_degc - margin
