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

# From, to, all of these, none of these. The first row that fits wins.
_TABLE = array(
    "i",
    (
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
    ),
)  # fmt: skip

_PEDALS_MSG = const(0)  # dbc: PedalsDriver
_LIMITS_MSG = const(7)  # dbc: BmsLimits
_PACK_MSG = const(8)  # dbc: BmsPack
_STATUS_MSG = const(9)  # dbc: BmsStatus
_PLUG_SLOT = const(58)  # dbc: BmsStatus.PlugConnected

_LATE_MS = const(266)  # cal: timing.bms_late_ms [ms]


@micropython.viper
def _next(table: ptr32, size: int, state: int, conditions: int) -> int:
    i = 0
    while i < size:
        if table[i] == state:
            needed = table[i + 2]
            if conditions & needed == needed and not conditions & table[i + 3]:
                return table[i + 1]
        i += 4
    return state


class States:
    """`state` as in VcuStatus. `driving`: Drive or Limp, the only ones with torque. `live`: high voltage is wanted."""

    def __init__(self, rx, ages, cal, pedals, gear, motion, hv, faults, front, rear):
        self._rx = rx
        self._ages = ages
        self._cal = cal
        self._pedals = pedals
        self._gear = gear
        self._motion = motion
        self._hv = hv
        self._faults = faults
        self._front = front
        self._rear = rear
        self._size = len(_TABLE)
        self.state = _INIT
        self.driving = False
        self.live = False
        self.plug = False

    def step(self, torque_free):
        """Once a tick, after all that it looks at. `torque_free`: no torque was commanded in the last tick."""
        hv = self._hv
        faults = self._faults
        state = self.state
        if state == _STANDBY and self._pedals.pressed_button:
            faults.clear()
        now = _next(_TABLE, self._size, state, self._conditions(torque_free))
        if now != state:
            self.state = now
            self.driving = now == _DRIVE or now == _LIMP
            self.live = now != _INIT and now != _STANDBY
            if now == _PRECHARGE:
                hv.begin_try()
            elif state == _INIT and now == _FAULT:
                faults.restarted_live = True

    def _conditions(self, torque_free):
        rx = self._rx
        ages = self._ages
        pedals = self._pedals
        gear = self._gear
        hv = self._hv
        faults = self._faults
        front = self._front
        rear = self._rear
        late = self._cal[_LATE_MS]
        c = 0
        heard = ages[_STATUS_MSG] < late
        if heard and ages[_PEDALS_MSG] < late and ages[_PACK_MSG] < late and ages[_LIMITS_MSG] < late:
            c |= _NODES
        self.plug = plug = heard and rx[_PLUG_SLOT] != 0
        if plug:
            c |= _PLUG
        if hv.open:
            c |= _OPEN
            if hv.off:
                c |= _OFF
        elif hv.closed:
            c |= _CLOSED
        if hv.done:
            c |= _PRECHARGED
        if hv.slow:
            c |= _SLOW
        if hv.stays_live:
            c |= _GIVE_UP
        if faults.stop:
            c |= _STOP
            if faults.urgent:
                c |= _URGENT
        if torque_free and self._motion.rest:
            c |= _REST
        if gear.park:
            c |= _PARK
        if pedals.released:
            if pedals.pressed_button:
                if pedals.brake and hv.may_try():
                    c |= _START
                if gear.park and self._motion.rest:
                    c |= _STOP_BUTTON
            # SM-03
            if pedals.brake and gear.wanted and not pedals.fault:
                c |= _GO
        if front.able:
            if rear.able and not front.lost and not rear.lost:
                c |= _BOTH
            elif rear.lost and not front.lost:
                c |= _ONE
        elif rear.able and front.lost and not rear.lost:
            c |= _ONE
        return c
