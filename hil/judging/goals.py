"""The safety goals G1 to G6 as conditions on the plant's truth and the bus's newest frames, compiled.

The oracle (`hil.judging.oracle`) looks through `look` once a control period. The goals and their times are those of the
requirements. A figure that they leave open stands below with its reason.
"""

from __future__ import annotations

from ctypes import Structure, c_double, c_int64
from typing import Annotated, Any

from hil.bus.calm import Calm, Words
from hil.bus.calm import at as _line_at
from hil.native import access, compiled, structure
from hil.nodes.layout import Doubles, is_plain, layout_of
from hil.plant.state import State
from twinaxle.dbc import Message
from twinaxle.errors import UserError

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

G1, G2, G3, G4, G6, G5 = range(6)
"""Bits of what `look` returns. The first five are conditions that may last for a while; G5 is an event."""

LASTING = (
    ("G1", "torque above the driver's demand", 100),
    ("G2", "torque against the selected direction", 100),
    ("G3", "torque outside Drive and Limp", 100),
    ("G4", "rear wheels locked by regeneration", 100),
    ("G6", "one unit lost and the other stopped without cause", 500),
)
"""Goal, what is wrong, time in ms that it may last."""
_LIMIT_NS = tuple(limit_ms * 1_000_000 for _, _, limit_ms in LASTING)

NOT_BROKEN = -1
_NO_UNIT_NM = float("nan")


@structure
class Signal(Structure):
    """Where a signal lies in the newest frame of its message, and its scaling."""

    can_id: int
    shift: int
    mask: int
    high: int
    offset: float
    multiplier: float
    divisor: float


def signal_of(message: Message, name: str) -> Signal:
    """Raises UserError for a signal that compiled code cannot read (Motorola, float, multiplexed, not in 8 bytes)."""
    if not is_plain(message):
        raise UserError(f"the oracle reads messages of 8 bytes with plain Intel signals; {message.name} is not one")
    layout = layout_of(message)
    at = [signal.name for signal in message.application_signals].index(name)
    return Signal(
        can_id=message.frame_id,
        shift=layout.shift[at],
        mask=layout.mask[at],
        high=layout.high[at],
        offset=layout.offset[at],
        multiplier=layout.multiplier[at],
        divisor=layout.divisor[at],
    )


@structure
class Situation(Structure):
    """What the oracle sees at one moment and remembers. `along` means in the direction of the selected gear."""

    # where to look
    gear: Signal
    apps1: Signal
    apps2: Signal
    brake_switch: Signal
    brake_pressure: Signal
    vcu_state: Signal
    front_state: Signal
    rear_state: Signal
    fault_level: Signal
    hvil_closed: Signal
    contactor_state: Signal
    # words of the value tables
    gear_reverse: int
    gear_drive: int
    gear_none: int
    torque_states: Annotated[Words, c_int64 * 2]
    lost_states: Annotated[Words, c_int64 * 3]
    contactors_closed: int
    rolling_radius_m: float
    # at this moment
    engaged: bool
    pedal_percent: float
    demand_nm: float
    """Highest torque that the driver's pedal can mean, along the gear, falling no faster than TQ-06's slew."""
    front_nm: float
    rear_nm: float
    along_nm: float
    speed_mps: float
    speed_along_mps: float
    rear_wheel_mps: float
    driving: bool
    other_unit_nm: float
    """Torque of the unit that is left when exactly one is lost; NaN otherwise."""
    # memory
    asked_nm: Annotated[Doubles, c_double * REACTION_PERIODS]
    asked_next: int
    main_was_closed: bool
    since_ns: Annotated[Words, c_int64 * len(LASTING)]
    """Since when each of the `LASTING` holds, or `NOT_BROKEN`."""

    def __str__(self) -> str:
        return (
            f"front {self.front_nm:.1f} Nm, rear {self.rear_nm:.1f} Nm, demand {self.demand_nm:.1f} Nm "
            f"({self.pedal_percent:.1f} % pedal), {self.speed_mps * 3.6:.1f} km/h, "
            f"rear wheels {self.rear_wheel_mps * 3.6:.1f} km/h"
        )


_situation_at = access(Situation)
_plant_at = access(State)


@compiled
def _value(line: Calm, signal: Signal) -> float:
    """Physical value in the newest frame; before the first that of zeros."""
    raw = line.newest_data[signal.can_id] >> signal.shift & signal.mask
    if raw > signal.high:
        raw -= signal.mask + 1
    return raw / signal.multiplier * signal.divisor + signal.offset


@compiled
def _age_ns(line: Calm, signal: Signal, now_ns: int) -> int:
    """Since the end of the newest frame; longer than any timeout when none came."""
    return now_ns - line.newest_ns[signal.can_id]


@compiled
def _travel(sensor_mv: float, low_mv: float, high_mv: float) -> float:
    return (sensor_mv - low_mv) / (high_mv - low_mv)


@compiled
def _see_driver(now: Situation, line: Calm, now_ns: int) -> float:
    """Pedal travel as the bus has it: the lower of both sensors, 0 when nobody speaks. Returns the direction."""
    gear = float(now.gear_none)
    now.pedal_percent = 0.0
    if _age_ns(line, now.gear, now_ns) <= STALE_NS:
        gear = _value(line, now.gear)
        travel1 = _travel(_value(line, now.apps1), APPS1_MV[0], APPS1_MV[1])
        travel2 = _travel(_value(line, now.apps2), APPS2_MV[0], APPS2_MV[1])
        now.pedal_percent = 100.0 * min(1.0, max(0.0, min(travel1, travel2)))
    now.engaged = gear == now.gear_reverse or gear == now.gear_drive
    return -1.0 if gear == now.gear_reverse else 1.0


@compiled
def _demand(now: Situation) -> None:
    asked_nm = now.pedal_percent * 0.01 * TORQUE_MAX_NM
    if asked_nm < CREEP_MAX_NM and now.engaged and now.speed_along_mps < CREEP_SPEED_MPS:
        asked_nm = CREEP_MAX_NM
    # The way to the shaft and the damping of the driveline (TQ-10) take their time before torque falls
    now.asked_nm[now.asked_next] = asked_nm
    now.asked_next = (now.asked_next + 1) % REACTION_PERIODS
    for index in range(REACTION_PERIODS):
        asked_nm = max(asked_nm, now.asked_nm[index])
    slew_nmps = SLEW_NEAR_ZERO_NMPS if now.demand_nm < NEAR_ZERO_NM else SLEW_NMPS
    now.demand_nm = max(asked_nm, now.demand_nm - slew_nmps * PERIOD_NS * 1e-9)


@compiled
def _lost(now: Situation, line: Calm, state: Signal, now_ns: int) -> bool:
    if _age_ns(line, state, now_ns) > STALE_NS:
        return True
    value = _value(line, state)
    return value == now.lost_states[0] or value == now.lost_states[1] or value == now.lost_states[2]


@compiled
def _cause_to_stop(now: Situation, line: Calm, now_ns: int) -> bool:
    """The brake, accelerator sensors that disagree, the battery."""
    travel1 = _travel(_value(line, now.apps1), APPS1_MV[0], APPS1_MV[1])
    travel2 = _travel(_value(line, now.apps2), APPS2_MV[0], APPS2_MV[1])
    return (
        abs(travel1 - travel2) > APPS_APART
        or _value(line, now.brake_switch) != 0.0
        or _value(line, now.brake_pressure) > BRAKING_BAR
        or _age_ns(line, now.fault_level, now_ns) > BATTERY_STALE_NS
        or _value(line, now.fault_level) != 0.0
        or _value(line, now.hvil_closed) == 0.0
        or _value(line, now.contactor_state) != now.contactors_closed
    )


@compiled
def _other_unit_nm(now: Situation, line: Calm, now_ns: int) -> float:
    """Torque of the unit that is left when one is lost and nothing else asks for both to stop."""
    if not now.engaged or now.pedal_percent <= ASKED_PERCENT:
        return _NO_UNIT_NM
    front_lost = _lost(now, line, now.front_state, now_ns)
    if front_lost == _lost(now, line, now.rear_state, now_ns) or _cause_to_stop(now, line, now_ns):
        return _NO_UNIT_NM
    return now.rear_nm if front_lost else now.front_nm


@compiled
def _see(now: Situation, car: State, line: Calm, now_ns: int) -> None:
    direction = _see_driver(now, line, now_ns)
    now.front_nm, now.rear_nm = car.front_unit.torque_nm, car.rear_unit.torque_nm
    now.along_nm = (now.front_nm + now.rear_nm) * direction
    now.speed_mps, now.speed_along_mps = car.speed_mps, car.speed_mps * direction
    now.rear_wheel_mps = car.rear_unit.wheel_speed_radps * now.rolling_radius_m
    state = _value(line, now.vcu_state)
    heard = line.newest_ns[now.vcu_state.can_id] >= 0
    now.driving = heard and (state == now.torque_states[0] or state == now.torque_states[1])
    now.other_unit_nm = _other_unit_nm(now, line, now_ns)
    _demand(now)


@compiled
def _torque_above_demand(now: Situation) -> bool:
    return now.along_nm > now.demand_nm + TORQUE_MARGIN_NM


@compiled
def _torque_against_direction(now: Situation) -> bool:
    return now.engaged and now.along_nm < -TORQUE_MARGIN_NM and now.speed_along_mps < STANDSTILL_MPS


@compiled
def _torque_outside_drive(now: Situation) -> bool:
    return not now.driving and (abs(now.front_nm) > IDLE_TORQUE_NM or abs(now.rear_nm) > IDLE_TORQUE_NM)


@compiled
def _rear_locked_by_regeneration(now: Situation) -> bool:
    locked = now.rear_wheel_mps < LOCKED_SHARE * now.speed_mps
    return locked and now.rear_nm < -IDLE_TORQUE_NM and now.speed_mps > LOCK_SPEED_MPS


@compiled
def _other_unit_stopped(now: Situation) -> bool:
    return abs(now.other_unit_nm) < IDLE_TORQUE_NM


@compiled
def _closed_without_precharge(now: Situation, car: State) -> bool:
    """G5: no contactor closed without precharge."""
    closed = car.pack.main_closed and not now.main_was_closed
    now.main_was_closed = car.pack.main_closed
    return closed and car.pack.link_voltage_at_close_v < PRECHARGED_SHARE * car.pack.pack_voltage_v


@compiled
def _lasts(now: Situation, goal: int, broken: bool, now_ns: int) -> int:
    """The goal's bit if its condition has held for longer than it may."""
    if not broken:
        now.since_ns[goal] = NOT_BROKEN
        return 0
    if now.since_ns[goal] == NOT_BROKEN:
        now.since_ns[goal] = now_ns
    return 1 << goal if now_ns - now.since_ns[goal] > _LIMIT_NS[goal] else 0


@compiled
def look(situation: Any, plant: Any, line: Any, now_ns: int) -> int:
    """Look at plant and bus once. Returns the goals that are violated, one bit each."""
    now, car = _situation_at(situation), _plant_at(plant)
    _see(now, car, _line_at(line), now_ns)
    return (
        _lasts(now, G1, _torque_above_demand(now), now_ns)
        | _lasts(now, G2, _torque_against_direction(now), now_ns)
        | _lasts(now, G3, _torque_outside_drive(now), now_ns)
        | _lasts(now, G4, _rear_locked_by_regeneration(now), now_ns)
        | _lasts(now, G6, _other_unit_stopped(now), now_ns)
        | (1 << G5 if _closed_without_precharge(now, car) else 0)
    )
