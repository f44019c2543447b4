"""The oracle: watches the safety goals G1 to G6 in every run, from the bus and the plant's truth alone.

It shares nothing with the firmware and believes nothing that the firmware says of itself but its state (G3 speaks of
states). A goal is violated when its condition has held for longer than its time; the first violation of each is kept.

The goals and their times are those of the requirements. A figure that they leave open stands below with its reason.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from hil.observer import Observer
from hil.plant import Plant

PERIOD_NS = 10_000_000
"""The oracle looks once a control period."""

TORQUE_MARGIN_NM = 10.0
"""G1: torque above the driver's demand (sum of both motors) that is still accepted."""

TORQUE_MAX_NM = 660.0
"""Published system torque; 100 % pedal asks for all there is (TQ-02)."""

CREEP_MAX_NM = 30.0
CREEP_SPEED_MPS = 6.0 / 3.6
"""TQ-04: creep is at most 15 Nm a motor, up to 6 km/h."""

SLEW_NMPS = 2 * 1000.0
SLEW_NEAR_ZERO_NMPS = 2 * 150.0
NEAR_ZERO_NM = 2 * 10.0
"""TQ-06: torque falls with at most this slew after the pedal is released, so G1's demand does too (both motors)."""
REACTION_PERIODS = 6
"""And it begins to fall up to 50 ms later: 12 ms to the command (RT-04), the inverter's lag, the damping of TQ-10."""

APPS1_MV = (500.0, 4500.0)
APPS2_MV = (250.0, 2250.0)
"""TQ-01: 0 and 100 % of pedal travel."""

STALE_NS = 100_000_000
"""SF-05: a node that has not been heard for the fault tolerant time demands and gives nothing."""

BATTERY_STALE_NS = 300_000_000
"""LM-03: older news of the battery limit the torque."""

APPS_APART = 0.1
BRAKING_BAR = 10.0
"""SF-02 and SF-03: these stop both units, whatever else is lost."""

STANDSTILL_MPS = 0.5
LOCK_SPEED_MPS = 15.0 / 3.6
LOCKED_SHARE = 0.2
"""G4: a wheel that turns slower than a fifth of the road's speed counts as locked."""

PRECHARGED_SHARE = 0.9
"""G5: less than SM-02's 95 %, since the contactor's own time and the sensors' errors lie between."""

IDLE_TORQUE_NM = 5.0
ASKED_PERCENT = 20.0
"""G6 is judged where the driver clearly asks for torque."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken safety goal: `time_ns` is when it was established, not when it began."""

    goal: str
    time_ns: int
    text: str


@dataclass(slots=True)
class Situation:
    """What the oracle sees at one moment. `along` means in the direction of the selected gear."""

    engaged: bool
    pedal_percent: float
    demand_nm: float
    front_nm: float
    rear_nm: float
    along_nm: float
    speed_mps: float
    speed_along_mps: float
    rear_wheel_mps: float
    driving: bool
    other_unit_nm: float | None
    """Torque of the unit that is left when exactly one is lost; None otherwise."""

    def __str__(self) -> str:
        return (
            f"front {self.front_nm:.1f} Nm, rear {self.rear_nm:.1f} Nm, demand {self.demand_nm:.1f} Nm "
            f"({self.pedal_percent:.1f} % pedal), {self.speed_mps * 3.6:.1f} km/h, "
            f"rear wheels {self.rear_wheel_mps * 3.6:.1f} km/h"
        )


def _torque_above_demand(now: Situation) -> bool:
    return now.along_nm > now.demand_nm + TORQUE_MARGIN_NM


def _torque_against_direction(now: Situation) -> bool:
    return now.engaged and now.along_nm < -TORQUE_MARGIN_NM and now.speed_along_mps < STANDSTILL_MPS


def _torque_outside_drive(now: Situation) -> bool:
    return not now.driving and (abs(now.front_nm) > IDLE_TORQUE_NM or abs(now.rear_nm) > IDLE_TORQUE_NM)


def _rear_locked_by_regeneration(now: Situation) -> bool:
    locked = now.rear_wheel_mps < LOCKED_SHARE * now.speed_mps
    return locked and now.rear_nm < -IDLE_TORQUE_NM and now.speed_mps > LOCK_SPEED_MPS


def _other_unit_stopped(now: Situation) -> bool:
    return now.other_unit_nm is not None and abs(now.other_unit_nm) < IDLE_TORQUE_NM


RULES: tuple[tuple[str, str, int, Callable[[Situation], bool]], ...] = (
    ("G1", "torque above the driver's demand", 100, _torque_above_demand),
    ("G2", "torque against the selected direction", 100, _torque_against_direction),
    ("G3", "torque outside Drive and Limp", 100, _torque_outside_drive),
    ("G4", "rear wheels locked by regeneration", 100, _rear_locked_by_regeneration),
    ("G6", "one unit lost and the other stopped without cause", 500, _other_unit_stopped),
)
"""Goal, what is wrong, time in ms that it may last, condition. G5 is an event and stands in `_precharge`."""


class Oracle:
    """Call `check` once every `PERIOD_NS`; read `violations` at the end of the run."""

    def __init__(self, observer: Observer, plant: Plant) -> None:
        self._plant = plant
        self._since_ns: dict[str, int] = {}
        self._demand_nm = 0.0
        self._asked_nm = deque([0.0], maxlen=REACTION_PERIODS)
        self._main_was_closed = False
        self._pedals, self._vcu_status = observer.newest("PedalsDriver"), observer.newest("VcuStatus")
        self._bms_status, self._bms_pack = observer.newest("BmsStatus"), observer.newest("BmsPack")
        units = observer.newest("InvFrontStatus"), observer.newest("InvRearStatus")
        self._gear, self._apps1, self._apps2 = (self._pedals.reader(name) for name in ("Gear", "Apps1", "Apps2"))
        self._vcu_state = self._vcu_status.reader("State")
        self._unit_states = tuple((unit, unit.reader("State")) for unit in units)
        self._gear_reverse = observer.raw("PedalsDriver", "Gear", "R")
        self._gear_drive = observer.raw("PedalsDriver", "Gear", "D")
        self._gear_none = observer.raw("PedalsDriver", "Gear", "N")
        self._torque_states = tuple(observer.raw("VcuStatus", "State", name) for name in ("Drive", "Limp"))
        self._lost_states = tuple(
            observer.raw("InvFrontStatus", "State", name) for name in ("Init", "Lockout", "Fault")
        )
        self._contactors_closed = observer.raw("BmsPack", "ContactorState", "Closed")
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
        now = self._situation(now_ns)
        for goal, wrong, limit_ms, broken in RULES:
            if not broken(now):
                if self._since_ns:
                    self._since_ns.pop(goal, None)
            elif now_ns - self._since_ns.setdefault(goal, now_ns) > limit_ms * 1_000_000:
                self._violate(goal, now_ns, f"{wrong} for more than {limit_ms} ms: {now}")
        self._precharge(now_ns)

    def _violate(self, goal: str, now_ns: int, text: str) -> None:
        if all(known.goal != goal for known in self.violations):
            self.violations.append(Violation(goal, now_ns, text))

    def _situation(self, now_ns: int) -> Situation:
        plant, status = self._plant, self._vcu_status
        plant.advance(now_ns)
        front_nm, rear_nm = plant.front.torque_nm, plant.rear.torque_nm
        gear, pedal_percent = self._driver(now_ns)
        direction = -1.0 if gear == self._gear_reverse else 1.0
        engaged = gear in (self._gear_reverse, self._gear_drive)
        speed_along_mps = plant.speed_mps * direction
        return Situation(
            engaged=engaged,
            pedal_percent=pedal_percent,
            demand_nm=self._demand(pedal_percent, speed_along_mps, engaged),
            front_nm=front_nm,
            rear_nm=rear_nm,
            along_nm=(front_nm + rear_nm) * direction,
            speed_mps=plant.speed_mps,
            speed_along_mps=speed_along_mps,
            rear_wheel_mps=plant.rear.wheel_speed_radps * plant.parameters.tyre.rolling_radius_m,
            driving=status.time_ns >= 0 and self._vcu_state() in self._torque_states,
            other_unit_nm=self._other_unit(now_ns, front_nm, rear_nm)
            if engaged and pedal_percent > ASKED_PERCENT
            else None,
        )

    def _driver(self, now_ns: int) -> tuple[int, float]:
        """Gear and pedal travel in percent as the bus has them: the lower of both sensors, 0 when nobody speaks."""
        if now_ns - self._pedals.time_ns > STALE_NS:
            return self._gear_none, 0.0
        travel1, travel2 = _travel(self._apps1(), APPS1_MV), _travel(self._apps2(), APPS2_MV)
        travel = travel1 if travel1 < travel2 else travel2
        return int(self._gear()), 100.0 * (0.0 if travel < 0.0 else 1.0 if travel > 1.0 else travel)

    def _demand(self, pedal_percent: float, speed_along_mps: float, engaged: bool) -> float:
        """Highest torque that the driver's pedal can mean, Nm along the gear, falling no faster than TQ-06's slew."""
        demand_nm = pedal_percent * 0.01 * TORQUE_MAX_NM
        if demand_nm < CREEP_MAX_NM and engaged and speed_along_mps < CREEP_SPEED_MPS:
            demand_nm = CREEP_MAX_NM
        # The way to the shaft and the damping of the driveline (TQ-10) take their time before torque falls
        self._asked_nm.append(demand_nm)
        demand_nm = max(self._asked_nm)
        slew_nmps = SLEW_NEAR_ZERO_NMPS if self._demand_nm < NEAR_ZERO_NM else SLEW_NMPS
        falling_nm = self._demand_nm - slew_nmps * PERIOD_NS * 1e-9
        self._demand_nm = demand_nm if demand_nm > falling_nm else falling_nm
        return self._demand_nm

    def _precharge(self, now_ns: int) -> None:
        """G5: no contactor closed without precharge."""
        battery = self._plant.battery
        if battery.main_closed and not self._main_was_closed:
            link_v, pack_v = battery.link_voltage_at_close_v, battery.pack_voltage_v
            if link_v < PRECHARGED_SHARE * pack_v:
                self._violate(
                    "G5", now_ns, f"contactor closed with {link_v:.0f} V on the link, {pack_v:.0f} V in the pack"
                )
        self._main_was_closed = battery.main_closed

    def _other_unit(self, now_ns: int, front_nm: float, rear_nm: float) -> float | None:
        """Torque of the unit that is left when one is lost and nothing else asks for both to stop."""
        front_lost, rear_lost = (
            now_ns - unit.time_ns > STALE_NS or state() in self._lost_states for unit, state in self._unit_states
        )
        if front_lost == rear_lost or self._cause_to_stop(now_ns):
            return None
        return rear_nm if front_lost else front_nm

    def _cause_to_stop(self, now_ns: int) -> bool:
        """The brake, accelerator sensors that disagree, the battery."""
        pedals = self._pedals.values()
        apart = abs(_travel(pedals.Apps1, APPS1_MV) - _travel(pedals.Apps2, APPS2_MV)) > APPS_APART
        braking = pedals.BrakeSwitch or pedals.BrakePressure > BRAKING_BAR
        if apart or braking or now_ns - self._bms_status.time_ns > BATTERY_STALE_NS:
            return True
        bms = self._bms_status.values()
        closed = self._bms_pack.values().ContactorState == self._contactors_closed
        return bms.FaultLevel != 0 or not bms.HvilClosed or not closed


def _travel(sensor_mv: float, range_mv: tuple[float, float]) -> float:
    low, high = range_mv
    return (sensor_mv - low) / (high - low)
