"""The control of a motor controller: command, limits, protections, torque, gates. Compiled, see `hil.native`.

`command` takes a command frame, `control` is one pass. They work on what the unit has measured; `measure` takes that
from the plant, and where a fault has put itself in between, the node writes it instead.
"""

from __future__ import annotations

import math
from ctypes import Structure, c_double, c_int64
from typing import Annotated, Any, get_args

from hil.bus.calm import Words
from hil.native import access, compiled, structure
from hil.nodes.inverter_rating import FaultCode, State
from hil.nodes.layout import Doubles, Layout, layout_at, receive
from hil.nodes.transmit import queue_next
from hil.plant.drive_unit import DriveUnit
from hil.plant.dynamics import available_nm
from hil.plant.state import State as PlantState

RPM_PER_RADPS = 60.0 / (2.0 * math.pi)

STATES: tuple[State, ...] = get_args(State)
FAULTS: tuple[FaultCode, ...] = get_args(FaultCode)
INIT, LOCKOUT, STANDBY, TORQUE, DISCHARGE, FAULT = range(6)
NONE, COMMAND_TIMEOUT, OVER_VOLTAGE, UNDER_VOLTAGE, OVER_CURRENT, OVER_TEMPERATURE, RESOLVER, HARDWARE, OVER_SPEED = (
    range(9)
)
MODE_OFF, MODE_STANDBY, MODE_TORQUE, MODE_DISCHARGE = range(4)
HONEST, ECHO, FROZEN_TARGET, SIGN = range(4)

COMMAND_SIGNALS = ("Mode", "TorqueRequest", "TorqueLimitDrive", "TorqueLimitRegen", "SpeedLimit")
STATUS_SIGNALS = ("State", "TorqueActual", "Speed", "EchoCounter", "GatesOn", "Derating", "Warning", "FaultCode")
LIMITS_SIGNALS = ("TorqueAvailableDrive", "TorqueAvailableRegen", "DcVoltage", "DcCurrent")

# What `command` returns
BAD = 0
TAKEN = 1
RELEASED = 2  # taken, and the unit has left Lockout


@structure
class Control(Structure):
    """State and rating of one unit's control. Units by the names of `Rating`."""

    front: bool
    # rating
    good_commands: int
    fault_min_ns: int
    discharge_give_up_ns: int
    dead_link_v: float
    over_voltage_v: float
    over_voltage_clear_v: float
    regen_fade_from_v: float
    regen_fade_to_v: float
    under_voltage_v: float
    over_current_nm: float
    over_current_a: float
    over_speed_rpm: float
    over_speed_clear_rpm: float
    stator_derate_degc: float
    stator_trip_degc: float
    inverter_derate_degc: float
    inverter_trip_degc: float
    speed_fade_rpm: float
    regen_speed_rpm: float
    discharge_max_radps: float
    discharge_done_v: float
    gates_off_max_radps: float
    # the command: where its signals stand in the layout, and the newest good one
    command_layout: Layout
    place: Annotated[Words, c_int64 * 5]
    raw_of_mode: Annotated[Words, c_int64 * 4]
    mode: int
    request_nm: float
    limit_drive_nm: float
    limit_regen_nm: float
    speed_limit_rpm: float
    echo_counter: int
    last_good_ns: int
    # software
    state: int
    fault_code: int
    in_a_row: int
    available_drive_nm: float
    available_regen_nm: float
    target_nm: float
    gates_on: bool
    thermal_share: float
    hot: bool
    fault_from_ns: int
    discharge_from_ns: int
    discharge_failed: bool
    hurry: bool
    """The link is not held by the battery: the control must run faster."""
    # from outside
    enabled: bool
    injected: int
    """Protections that trip whatever is measured, one bit each."""
    lie: int
    frozen_nm: float
    reports_request: bool
    """A liar's status tells the torque asked for instead of the one measured."""
    # what is measured
    speed_radps: float
    torque_nm: float
    link_voltage_v: float
    dc_current_a: float
    stator_degc: float
    inverter_degc: float
    # what it tells: values of `STATUS_SIGNALS` and `LIMITS_SIGNALS`
    raw_of_state: Annotated[Words, c_int64 * 6]
    raw_of_fault: Annotated[Words, c_int64 * 9]
    status: Annotated[Doubles, c_double * 8]
    limits: Annotated[Doubles, c_double * 4]


_control_at = access(Control)
_plant_at = access(PlantState)


@compiled
def _unit(c: Control, plant: PlantState) -> DriveUnit:
    return plant.front_unit if c.front else plant.rear_unit


@compiled
def _measure(c: Control, plant: PlantState) -> None:
    unit = _unit(c, plant)
    c.speed_radps, c.torque_nm = unit.speed_radps, unit.torque_nm
    c.link_voltage_v = voltage = plant.pack.link_voltage_v
    c.dc_current_a = unit.dc_power_w / voltage if voltage > 1.0 else 0.0
    c.stator_degc, c.inverter_degc = unit.stator_degc, unit.inverter_degc


@compiled
def _operating(state: int) -> bool:
    return state in (TORQUE, STANDBY, DISCHARGE)


@compiled
def _lock_out(c: Control, code: int) -> None:
    c.state, c.fault_code, c.in_a_row = LOCKOUT, code, 0


@compiled
def _regen_share(c: Control) -> float:
    """Share of the regeneration (0..1) that the link voltage leaves."""
    if c.link_voltage_v <= c.regen_fade_from_v:
        return 1.0
    return max(0.0, (c.regen_fade_to_v - c.link_voltage_v) / (c.regen_fade_to_v - c.regen_fade_from_v))


@compiled
def _tripped(c: Control) -> int:
    """The protection whose condition holds, or NONE; the present fault counts with its hysteresis."""
    if c.state == INIT:
        return NONE
    present = c.fault_code if c.state == FAULT else NONE
    for code in range(OVER_VOLTAGE, OVER_SPEED + 1):
        if c.injected >> code & 1:
            return code
    if present == HARDWARE:  # latched until power-off
        return HARDWARE
    if c.link_voltage_v > (c.over_voltage_clear_v if present == OVER_VOLTAGE else c.over_voltage_v):
        return OVER_VOLTAGE
    if c.state == TORQUE and c.link_voltage_v < c.under_voltage_v:
        return UNDER_VOLTAGE
    if abs(c.torque_nm) > c.over_current_nm or abs(c.dc_current_a) > c.over_current_a:
        return OVER_CURRENT
    if abs(c.speed_radps) * RPM_PER_RADPS > (c.over_speed_clear_rpm if present == OVER_SPEED else c.over_speed_rpm):
        return OVER_SPEED
    if c.thermal_share < 1.0:
        # A trip by temperature lasts until derating would give full torque again.
        latched = present == OVER_TEMPERATURE
        stator = c.stator_degc > c.stator_derate_degc if latched else c.stator_degc >= c.stator_trip_degc
        inverter = c.inverter_degc > c.inverter_derate_degc if latched else c.inverter_degc >= c.inverter_trip_degc
        if stator or inverter:
            return OVER_TEMPERATURE
    return NONE


@compiled
def _limited(c: Control) -> float:
    """The request inside the unit's own limits and those of the command, Nm."""
    rpm = c.speed_radps * RPM_PER_RADPS
    if c.request_nm * rpm < 0.0 and abs(rpm) > c.regen_speed_rpm:
        limit = min(c.limit_regen_nm, c.available_regen_nm)
    else:
        limit = min(c.limit_drive_nm, c.available_drive_nm)
        room = c.speed_limit_rpm - abs(rpm)
        if room < c.speed_fade_rpm:
            limit *= max(0.0, room / c.speed_fade_rpm)
    return limit if c.request_nm > limit else -limit if c.request_nm < -limit else c.request_nm


@compiled
def _discharging(c: Control, now_ns: int, speed_radps: float) -> bool:
    if c.state != DISCHARGE:
        return False
    if c.link_voltage_v > c.discharge_done_v and now_ns - c.discharge_from_ns > c.discharge_give_up_ns:
        c.discharge_failed = True
        c.state = STANDBY
        return False
    return abs(speed_radps) < c.discharge_max_radps


@compiled
def _tell(c: Control) -> None:
    """What status and limits will say."""
    status, limits = c.status, c.limits
    status[0] = c.raw_of_state[c.state]
    status[1] = c.target_nm if c.lie != HONEST and c.reports_request else c.torque_nm
    status[2] = c.speed_radps * RPM_PER_RADPS
    status[3] = c.echo_counter
    status[4] = 1.0 if c.gates_on else 0.0
    status[5] = 1.0 if c.thermal_share < 1.0 else 0.0
    status[6] = 1.0 if c.hot or c.discharge_failed else 0.0
    status[7] = c.raw_of_fault[c.fault_code]
    limits[0], limits[1] = c.available_drive_nm, c.available_regen_nm
    limits[2], limits[3] = c.link_voltage_v, c.dc_current_a


@compiled
def _pass(c: Control, plant: PlantState, now_ns: int) -> None:
    """One pass: limits, protections, torque, gates, and the power stage takes them."""
    envelope = available_nm(plant.coefficients, c.speed_radps, c.link_voltage_v)
    c.available_drive_nm = envelope * c.thermal_share if c.link_voltage_v > c.under_voltage_v else 0.0
    c.available_regen_nm = c.available_drive_nm * _regen_share(c)

    code = _tripped(c)
    if code != NONE:
        if c.state != FAULT:
            c.fault_from_ns = now_ns
        c.state, c.fault_code, c.in_a_row = FAULT, code, 0
    elif c.state == FAULT:
        if now_ns - c.fault_from_ns >= c.fault_min_ns:
            c.state = LOCKOUT
    elif not c.enabled and _operating(c.state):
        _lock_out(c, NONE)

    if c.state == TORQUE:
        c.target_nm = target = _limited(c)
        gates, cut = True, False
    else:
        c.target_nm = target = 0.0
        gates, cut = abs(c.speed_radps) > c.gates_off_max_radps and c.state != INIT, True
    if c.lie != HONEST and c.enabled:
        if c.lie == FROZEN_TARGET:
            alive = plant.pack.link_voltage_v > c.dead_link_v
            target, gates, cut = (c.frozen_nm if alive else 0.0), alive, not alive
        else:
            target = -target if c.lie == SIGN else 0.0
    unit = _unit(c, plant)
    unit.target_torque_nm = target
    unit.discharge = _discharging(c, now_ns, unit.speed_radps)
    unit.gates_on = c.gates_on = gates
    unit.cut = cut
    c.hurry = gates and not plant.pack.main_closed
    _tell(c)


@compiled
def measure(control: Any, plant: Any) -> None:
    """Take what is measured from the plant."""
    _measure(_control_at(control), _plant_at(plant))


@compiled
def control_measured(control: Any, plant: Any, now_ns: int) -> None:
    """One pass of the control on what has been measured."""
    _pass(_control_at(control), _plant_at(plant), now_ns)


@compiled
def control(control: Any, plant: Any, now_ns: int) -> bool:
    """Measure, then one pass; returns `hurry`."""
    c, car = _control_at(control), _plant_at(plant)
    _measure(c, car)
    _pass(c, car, now_ns)
    return c.hurry


@compiled
def hurries(control: Any) -> bool:
    """`hurry` by itself."""
    return _control_at(control).hurry


@compiled
def report(control: Any, plant: Any, status: Any, limits: Any, line: Any, now_ns: int, port: int) -> int:
    """`control`, then status and limits into the bus's queue. Returns how many of the two were queued."""
    c, car = _control_at(control), _plant_at(plant)
    _measure(c, car)
    _pass(c, car, now_ns)
    told, bounds = layout_at(status), layout_at(limits)
    for index in range(8):
        told.values[index] = c.status[index]
    for index in range(4):
        bounds.values[index] = c.limits[index]
    if not queue_next(told, line, now_ns, port, True):
        return 0
    return 2 if queue_next(bounds, line, now_ns, port, True) else 1


@compiled
def _follow(c: Control, now_ns: int, speed_radps: float) -> None:
    """The state that the command's Mode asks for; an unknown one is Off."""
    if c.mode != c.raw_of_mode[MODE_DISCHARGE]:
        c.discharge_failed = False
        c.state = TORQUE if c.mode == c.raw_of_mode[MODE_TORQUE] else STANDBY
    elif c.state != DISCHARGE:
        slow = abs(speed_radps) < c.discharge_max_radps
        c.state = DISCHARGE if slow and not c.discharge_failed else STANDBY
        c.discharge_from_ns = now_ns


@compiled
def _command(c: Control, plant: PlantState, now_ns: int, length: int, word: int) -> int:
    layout = c.command_layout
    if not receive(layout, length, word):
        c.in_a_row = 0
        return BAD
    values = layout.values
    c.mode, c.request_nm = int(values[c.place[0]]), values[c.place[1]]
    c.limit_drive_nm, c.limit_regen_nm = values[c.place[2]], values[c.place[3]]
    c.speed_limit_rpm = values[c.place[4]]
    c.last_good_ns = now_ns
    c.echo_counter = layout.counter
    if _operating(c.state):
        _follow(c, now_ns, _unit(c, plant).speed_radps)
    elif c.state == LOCKOUT:
        quiet = c.mode in (c.raw_of_mode[MODE_OFF], c.raw_of_mode[MODE_STANDBY])
        c.in_a_row = c.in_a_row + 1 if c.request_nm == 0.0 and quiet and c.enabled else 0
        if c.in_a_row >= c.good_commands:
            c.state, c.fault_code = STANDBY, NONE
            return RELEASED
    return TAKEN


@compiled
def command(control: Any, plant: Any, now_ns: int, length: int, word: int) -> int:
    """Take a command frame. Returns BAD, TAKEN or RELEASED; a pass of the control is to follow unless it was bad."""
    return _command(_control_at(control), _plant_at(plant), now_ns, length, word)


@compiled
def obey(control: Any, plant: Any, now_ns: int, length: int, word: int) -> int:
    """`command` and `control` in one."""
    c, car = _control_at(control), _plant_at(plant)
    result = _command(c, car, now_ns, length, word)
    if result != BAD:
        _measure(c, car)
        _pass(c, car, now_ns)
    return result
