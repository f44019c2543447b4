"""Which protection of a motor controller trips, with hysteresis, latching and injection."""

from __future__ import annotations

from hil.nodes.inverter_rating import FaultCode, Rating
from hil.nodes.names import pick

INJECTABLE: tuple[FaultCode, ...] = (
    "OverVoltage",
    "UnderVoltage",
    "OverCurrent",
    "OverTemperature",
    "Resolver",
    "Hardware",
    "OverSpeed",
)


def injectable(name: str) -> FaultCode:
    """The name, checked. Raises UserError for a fault that cannot be injected."""
    found = pick(name, INJECTABLE, "inverter fault to inject")
    return next(code for code in INJECTABLE if code == found)


class Protection:
    """Conditions of all fault codes but CommandTimeout. `injected`: those that hold whatever is measured."""

    def __init__(self, rating: Rating) -> None:
        self.rating = rating
        self.injected: set[FaultCode] = set()

    def tripped(
        self,
        present: FaultCode,
        *,
        torque_wanted: bool,
        rpm: float,
        link_voltage_v: float,
        torque_nm: float,
        dc_current_a: float,
    ) -> FaultCode | None:
        """The fault whose condition holds, or None; `present` is the one that the unit is in, whose hysteresis counts.

        Speed and torque are magnitudes or signed alike. Temperatures: see `overheated`.
        """
        rating = self.rating
        if self.injected:
            for code in INJECTABLE:
                if code in self.injected:
                    return code
        if present == "Hardware":  # latched until power-off
            return present
        if link_voltage_v > (rating.over_voltage_clear_v if present == "OverVoltage" else rating.over_voltage_v):
            return "OverVoltage"
        if torque_wanted and link_voltage_v < rating.under_voltage_v:
            return "UnderVoltage"
        if abs(torque_nm) > rating.over_current_nm or abs(dc_current_a) > rating.over_current_a:
            return "OverCurrent"
        if abs(rpm) > (rating.over_speed_clear_rpm if present == "OverSpeed" else rating.over_speed_rpm):
            return "OverSpeed"
        return None

    def overheated(self, present: FaultCode, stator_degc: float, inverter_degc: float) -> FaultCode | None:
        """OverTemperature or None."""
        hot = self.rating.too_hot(stator_degc, inverter_degc, tripped=present == "OverTemperature")
        return "OverTemperature" if hot else None
