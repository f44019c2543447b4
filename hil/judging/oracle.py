"""The oracle: watches the safety goals G1 to G6 in every run, from the bus and the plant's truth alone.

It shares nothing with the firmware and believes nothing that the firmware says of itself but its state (G3 speaks of
states). A goal is violated when its condition has held for longer than its time; the first violation of each is kept.
The conditions, with their figures, are in `hil.judging.goals`.
"""

from __future__ import annotations

from dataclasses import dataclass

from hil.judging import goals
from hil.judging.goals import LASTING, PERIOD_NS
from hil.judging.observer import Observer
from hil.native import memory
from hil.plant import Plant


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken safety goal: `time_ns` is when it was established, not when it began."""

    goal: str
    time_ns: int
    text: str


class Oracle:
    """Call `check` once every `PERIOD_NS`; read `violations` at the end of the run.

    Raises UserError for a database whose messages `hil.judging.goals` cannot read.
    """

    def __init__(self, observer: Observer, plant: Plant) -> None:
        self._plant = plant
        self._situation = _situation(observer, plant)
        self._memories = memory(self._situation), memory(plant), observer.line_memory
        self.violations: list[Violation] = []
        self.excused: dict[str, str] = {}

    def excuse(self, goal: str, reason: str) -> None:
        """For a test that breaks a goal on purpose, such as an inverter that lies about its torque."""
        self.excused[goal] = reason

    @property
    def verdict(self) -> list[Violation]:
        """Violations that no test excused."""
        return [violation for violation in self.violations if violation.goal not in self.excused]

    def check(self, now_ns: int) -> None:
        """Look at bus and plant once."""
        self._plant.advance(now_ns)
        broken = goals.look(*self._memories, now_ns)
        if broken:
            self._take_down(broken, now_ns)

    def _take_down(self, broken: int, now_ns: int) -> None:
        for bit, (goal, wrong, limit_ms) in enumerate(LASTING):
            if broken >> bit & 1:
                self._violate(goal, now_ns, f"{wrong} for more than {limit_ms} ms: {self._situation}")
        if broken >> goals.G5 & 1:
            battery = self._plant.battery
            link_v, pack_v = battery.link_voltage_at_close_v, battery.pack_voltage_v
            self._violate("G5", now_ns, f"contactor closed with {link_v:.0f} V on the link, {pack_v:.0f} V in the pack")

    def _violate(self, goal: str, now_ns: int, text: str) -> None:
        if all(known.goal != goal for known in self.violations):
            self.violations.append(Violation(goal, now_ns, text))


def _situation(observer: Observer, plant: Plant) -> goals.Situation:
    """Before the first look: nothing seen, nothing asked for."""

    def signal(message: str, name: str) -> goals.Signal:
        return goals.signal_of(observer.newest(message).message, name)

    now = goals.Situation(
        gear=signal("PedalsDriver", "Gear"),
        apps1=signal("PedalsDriver", "Apps1"),
        apps2=signal("PedalsDriver", "Apps2"),
        brake_switch=signal("PedalsDriver", "BrakeSwitch"),
        brake_pressure=signal("PedalsDriver", "BrakePressure"),
        vcu_state=signal("VcuStatus", "State"),
        front_state=signal("InvFrontStatus", "State"),
        rear_state=signal("InvRearStatus", "State"),
        fault_level=signal("BmsStatus", "FaultLevel"),
        hvil_closed=signal("BmsStatus", "HvilClosed"),
        contactor_state=signal("BmsPack", "ContactorState"),
        gear_reverse=observer.raw("PedalsDriver", "Gear", "R"),
        gear_drive=observer.raw("PedalsDriver", "Gear", "D"),
        gear_none=observer.raw("PedalsDriver", "Gear", "N"),
        contactors_closed=observer.raw("BmsPack", "ContactorState", "Closed"),
        rolling_radius_m=plant.parameters.tyre.rolling_radius_m,
    )
    now.torque_states[:] = [observer.raw("VcuStatus", "State", name) for name in ("Drive", "Limp")]
    now.lost_states[:] = [observer.raw("InvFrontStatus", "State", name) for name in ("Init", "Lockout", "Fault")]
    now.since_ns[:] = [goals.NOT_BROKEN] * len(LASTING)
    return now


__all__ = ["PERIOD_NS", "Oracle", "Violation"]
