"""The states of the vehicle: one table shows every transition (SM-01)."""

from array import array

import micropython
from micropython import const

_INIT = const(0)  # dbc: VcuStatus.State.Init
_STANDBY = const(1)  # dbc: VcuStatus.State.Standby
_PRECHARGE = const(2)  # dbc: VcuStatus.State.Precharge
_READY = const(3)  # dbc: VcuStatus.State.Ready
_DRIVE = const(4)  # dbc: VcuStatus.State.Drive
_LIMP = const(5)  # dbc: VcuStatus.State.Limp
_FAULT = const(6)  # dbc: VcuStatus.State.Fault
_CHARGE = const(7)  # dbc: VcuStatus.State.Charge
_SHUTDOWN = const(8)  # dbc: VcuStatus.State.Shutdown

# Conditions
_NODES = const(1 << 0)  # pedals and battery are heard
_OPEN = const(1 << 1)  # contactors open
_OFF = const(1 << 2)  # and the link under 60 V
_CLOSED = const(1 << 3)
_PRECHARGED = const(1 << 4)  # SM-02
_SLOW = const(1 << 5)
_START = const(1 << 6)  # button with the brake pressed, a try is left
_STOP_BUTTON = const(1 << 7)  # button at rest in P
_STOP = const(1 << 8)  # a stop fault
_URGENT = const(1 << 9)  # interlock open or battery shutdown
_PLUG = const(1 << 10)
_PARK = const(1 << 11)
_GO = const(1 << 12)  # SM-03: brake pressed, D or R, pedal released
_BOTH = const(1 << 13)  # units able
_ONE = const(1 << 14)  # able, the other lost
_REST = const(1 << 15)  # the car stands and no torque is commanded
_GIVE_UP = const(1 << 16)  # the link stays live

# From, to, all of these, none of these. The first row that fits wins. (A list: the compiler would store a tuple of
# constants as text.)
_ROWS = [
    _INIT, _STANDBY, _NODES | _OPEN, 0,
    _INIT, _FAULT, _NODES | _CLOSED, 0,  # we were reset while the car was on
    _STANDBY, _CHARGE, _NODES | _PLUG | _PARK, _STOP,  # SM-05
    _STANDBY, _PRECHARGE, _NODES | _OPEN | _START, _STOP | _PLUG,
    _PRECHARGE, _FAULT, _STOP, 0,
    _PRECHARGE, _SHUTDOWN, _PLUG, 0,
    _PRECHARGE, _READY, _PRECHARGED, 0,
    _PRECHARGE, _SHUTDOWN, _SLOW, 0,
    _READY, _FAULT, _STOP, 0,
    _READY, _SHUTDOWN, _STOP_BUTTON, 0,
    _READY, _SHUTDOWN, _PLUG | _REST, 0,
    _READY, _DRIVE, _GO | _CLOSED | _BOTH, _PLUG,
    _READY, _LIMP, _GO | _CLOSED | _ONE, _PLUG,
    _DRIVE, _FAULT, _STOP, 0,
    _DRIVE, _LIMP, _ONE, 0,  # SP-07
    _DRIVE, _READY, _PARK | _REST, 0,
    _DRIVE, _READY, _PLUG | _REST, 0,
    _LIMP, _FAULT, _STOP, 0,
    _LIMP, _READY, _PARK | _REST, 0,
    _LIMP, _READY, _PLUG | _REST, 0,
    _FAULT, _SHUTDOWN, _URGENT, 0,  # SM-06
    _FAULT, _SHUTDOWN, _REST, 0,  # SF-09
    _CHARGE, _FAULT, _STOP, 0,
    _CHARGE, _SHUTDOWN, 0, _PLUG,
    _SHUTDOWN, _STANDBY, _OFF, 0,  # SM-04
    _SHUTDOWN, _STANDBY, _GIVE_UP, 0,  # its fault refuses the next start, or warns
]  # fmt: skip

SIZE = len(_ROWS)
_STATES = const(9)

# Behind the rows: where those of each state begin
_from = [_ROWS[i] for i in range(0, SIZE, 4)]
TABLE = array("i", _ROWS + [4 * _from.index(state) for state in range(_STATES)])

_PEDALS_MSG = const(0)  # dbc: PedalsDriver
_LIMITS_MSG = const(7)  # dbc: BmsLimits
_PACK_MSG = const(8)  # dbc: BmsPack
_STATUS_MSG = const(9)  # dbc: BmsStatus
_PLUG_SLOT = const(58)  # dbc: BmsStatus.PlugConnected

_TRIES_WINDOW = const(419)  # cal: hv.tries_window_ticks [ticks]
_LATE_MS = const(426)  # cal: timing.bms_late_ms [ms]

_STATE = const(0)  # sig: state
_DRIVING = const(1)  # sig: driving
_WANTED = const(2)  # sig: wanted
_LIVE = const(3)  # sig: live
_FRONT_ABLE = const(10)  # sig: front_able
_FRONT_LOST = const(11)  # sig: front_lost
_REAR_ABLE = const(20)  # sig: rear_able
_REAR_LOST = const(21)  # sig: rear_lost
_AT_REST = const(31)  # sig: rest
_RELEASED = const(33)  # sig: released
_BRAKE = const(34)  # sig: brake
_PEDAL_FAULT = const(35)  # sig: pedal_fault
_EDGE = const(37)  # sig: button_edge
_GEAR_WANTED = const(41)  # sig: gear_wanted
_IN_PARK = const(42)  # sig: park
_HV_OPEN = const(43)  # sig: hv_open
_HV_CLOSED = const(45)  # sig: hv_closed
_HV_OFF = const(46)  # sig: hv_off
_HV_DONE = const(48)  # sig: precharged
_HV_SLOW = const(49)  # sig: precharge_slow
_HV_FAST = const(50)  # sig: precharge_fast
_STAYS_LIVE = const(52)  # sig: stays_live
_NOW = const(57)  # sig: now_ticks
_TRY_OLDEST = const(58)  # sig: try_oldest
_STOP_FAULT = const(63)  # sig: stop
_URGENT_FAULT = const(64)  # sig: urgent
_RESTARTED = const(67)  # sig: restarted_live
_PLUGGED = const(68)  # sig: plug
_FRONT_DNM = const(77)  # sig: front_dnm
_REAR_DNM = const(78)  # sig: rear_dnm


@micropython.viper
def conditions(s: ptr32, rx: ptr32, ages: ptr32, cal: ptr32) -> int:
    """Once a tick, after all that it looks at: the conditions that hold."""
    late = cal[_LATE_MS]
    c = 0
    plug = 0
    if ages[_STATUS_MSG] < late:
        if ages[_PEDALS_MSG] < late and ages[_PACK_MSG] < late and ages[_LIMITS_MSG] < late:
            c |= _NODES
        if rx[_PLUG_SLOT]:
            plug = 1
            c |= _PLUG
    s[_PLUGGED] = plug
    if s[_HV_OPEN]:
        c |= _OPEN
    if s[_HV_OFF]:
        c |= _OFF
    if s[_HV_CLOSED]:
        c |= _CLOSED
    if s[_HV_DONE]:
        c |= _PRECHARGED
    if s[_HV_SLOW]:
        c |= _SLOW
    if s[_STAYS_LIVE]:
        c |= _GIVE_UP
    if s[_STOP_FAULT]:
        c |= _STOP
    if s[_URGENT_FAULT]:
        c |= _URGENT
    if s[_AT_REST] and not s[_FRONT_DNM] and not s[_REAR_DNM]:
        c |= _REST
    if s[_IN_PARK]:
        c |= _PARK
    if s[_RELEASED]:
        if s[_EDGE]:
            # SM-02: three tries in 60 s
            if s[_BRAKE] and s[_NOW] - s[_TRY_OLDEST] >= cal[_TRIES_WINDOW]:
                c |= _START
            if s[_IN_PARK] and s[_AT_REST]:
                c |= _STOP_BUTTON
        # SM-03
        if s[_BRAKE] and s[_GEAR_WANTED] and not s[_PEDAL_FAULT]:
            c |= _GO
    front = 0 if s[_FRONT_LOST] else s[_FRONT_ABLE]
    rear = 0 if s[_REAR_LOST] else s[_REAR_ABLE]
    if front and rear:
        c |= _BOTH
    elif (front and s[_REAR_LOST]) or (rear and s[_FRONT_LOST]):
        c |= _ONE
    return c


@micropython.viper
def step(s: ptr32, table: ptr32, size: int, c: int):
    """Once a tick: the next state."""
    state = s[_STATE]
    now = state
    i = table[size + state]
    while i < size and table[i] == state:
        needed = table[i + 2]
        if c & needed == needed and not c & table[i + 3]:
            now = table[i + 1]
            i = size
        i += 4
    if now == state:
        return
    s[_STATE] = now
    driving = 1 if now == _DRIVE or now == _LIMP else 0
    s[_DRIVING] = driving
    s[_WANTED] = 1 if driving or now == _READY else 0
    s[_LIVE] = 1 if now != _INIT and now != _STANDBY else 0
    if now == _PRECHARGE:
        s[_TRY_OLDEST] = s[_TRY_OLDEST + 1]
        s[_TRY_OLDEST + 1] = s[_TRY_OLDEST + 2]
        s[_TRY_OLDEST + 2] = s[_NOW]
        s[_HV_FAST] = 0
    elif state == _INIT and now == _FAULT:
        s[_RESTARTED] = 1
