"""One control period, from frames in to frames out. The order of `tick` is the way of the data through the house."""

import micropython
from micropython import const

from vcu.axle import step as axle
from vcu.commands import step as commands
from vcu.demand import step as demand
from vcu.derate import shares
from vcu.derate import step as derate
from vcu.faults import Faults, fill_fault
from vcu.faults import look as faults_present
from vcu.gear import step as gear
from vcu.hv import step as hv
from vcu.limits import step as limits
from vcu.monitor import judge, memory
from vcu.motion import step as motion
from vcu.motion import turns
from vcu.pedals import step as pedals
from vcu.protocol import ages, due, rx, tx
from vcu.receive import step as receive
from vcu.signals import signals
from vcu.slew import step as slew
from vcu.slew import swings
from vcu.slip import past
from vcu.slip import step as slip
from vcu.split import step as split
from vcu.states import SIZE, TABLE, conditions
from vcu.states import step as states
from vcu.status import fill_identity, fill_status
from vcu.timing import figures, fill_timing

_PERIOD_MS = const(10)
_INIT = const(0)  # dbc: VcuStatus.State.Init
_STANDBY = const(1)  # dbc: VcuStatus.State.Standby
_HV_COMMAND = const(4)  # dbc: VcuHvCommand:bit
_STATUS = const(8)  # dbc: VcuStatus:bit
_TIMING = const(16)  # dbc: VcuTiming:bit
_FAULT = const(64)  # dbc: VcuFault:bit
_ALL = const(0x3FFF_FFFF)

_STATE = const(0)  # sig: state
_DRIVING = const(1)  # sig: driving
_BUS_OFF = const(5)  # sig: bus_off
_REARMING = const(6)  # sig: rearming
_GAVE_UP = const(7)  # sig: gave_up
_FRONT_ABLE = const(10)  # sig: front_able
_FRONT_LOST = const(11)  # sig: front_lost
_FRONT_DISOBEYS = const(13)  # sig: front_disobeys
_FRONT_GOOD = const(17)  # sig: front_good
_REAR_ABLE = const(20)  # sig: rear_able
_REAR_LOST = const(21)  # sig: rear_lost
_REAR_DISOBEYS = const(23)  # sig: rear_disobeys
_REAR_GOOD = const(27)  # sig: rear_good
_RELEASED = const(33)  # sig: released
_EDGE = const(37)  # sig: button_edge
_PRESENT = const(61)  # sig: faults_present
_FRONT_DNM = const(77)  # sig: front_dnm
_REAR_DNM = const(78)  # sig: rear_dnm
_TRIPPED = const(79)  # sig: tripped
_ENABLE_FRONT = const(82)  # sig: enable_front
_ENABLE_REAR = const(83)  # sig: enable_rear
_LINE_FRONT = const(112)  # sig: line_front
_LINE_REAR = const(113)  # sig: line_rear

_GOOD_FRAMES = const(10)
_NO_TORQUE = const(1)  # bits of the monitor's verdict


@micropython.viper
def _rearmed(s: ptr32) -> int:
    # SF-07: ten good frames from each unit, pedal released; a unit that was lost before stays out
    if s[_BUS_OFF] or s[_GAVE_UP] or not s[_RELEASED]:
        return 0
    if not s[_FRONT_LOST] and (not s[_FRONT_ABLE] or s[_FRONT_GOOD] < _GOOD_FRAMES):
        return 0
    if not s[_REAR_LOST] and (not s[_REAR_ABLE] or s[_REAR_GOOD] < _GOOD_FRAMES):
        return 0
    return 1


class Vcu:
    """All parts, wired together. `front_line`, `rear_line`: pins of the enable lines."""

    def __init__(self, cal, port, front_line, rear_line):
        self._faults = Faults(signals)
        self._front_line = front_line
        self._rear_line = rear_line
        fill_identity(tx)
        # All that `tick` needs, looked up at once: that costs a tenth of a look-up each
        self._parts = (
            signals, rx, ages, tx, cal, port.ring, memory, shares, swings, past, TABLE, SIZE, figures,
            port.step, receive, axle, motion, turns, pedals, gear, hv, _rearmed, faults_present, conditions, states,
            demand, derate, limits, split, slew, slip, judge, commands,
            due, fill_status, port.count, fill_timing, fill_fault, self._faults.memory, port.transmit,
        )  # fmt: skip

    @micropython.viper
    def tick(self, periods: int):
        """One control period; `periods` have gone by since the last one (1, if none was missed). Allocates nothing."""
        (
            s, received, age, sent, cal, ring, raw, shares, swings, past, table, size, figures,
            can_step, receive, axle, motion, turns, pedals, gear, hv, rearmed, faults_present, conditions, states,
            demand, derate, limits, split, slew, slip, judge, commands,
            due, fill_status, count, fill_timing, fill_fault, stored, transmit,
        ) = self._parts  # fmt: skip
        now = ptr32(s)
        elapsed_ms = periods * _PERIOD_MS

        # Frames in
        can_step()
        receive(s, ring, raw, elapsed_ms)

        # What they mean
        axle(s, received, age, cal)
        motion(s, received, cal)
        turns(s, received, cal)
        pedals(s, received, cal)
        gear(s, received, cal)
        hv(s, received, cal)
        if now[_REARMING] and int(rearmed(s)):
            now[_REARMING] = 0

        # Decide
        present = int(faults_present(s, received, age, cal))
        if present != now[_PRESENT]:
            self._faults.changed(present)
        if now[_EDGE] and now[_STATE] == _STANDBY:
            self._faults.clear()
        states(s, table, size, conditions(s, received, age, cal))
        demand(s, received, cal)
        derate(shares, s, received, cal)
        limits(s, received, age, cal)
        split(s, received, cal)
        slew(s, swings, cal)
        slip(s, received, cal, past)

        # Monitor: it may only take away
        front = (now[_FRONT_DNM] & 0xFFFF ^ 0x8000) - 0x8000
        rear = (now[_REAR_DNM] & 0xFFFF ^ 0x8000) - 0x8000
        verdict = int(judge(raw, cal, front, rear, now[_DRIVING]))
        if verdict:
            self._withdraw(verdict)

        # Encode, frames out
        commands(s, sent, cal)
        if now[_ENABLE_FRONT] != now[_LINE_FRONT] or now[_ENABLE_REAR] != now[_LINE_REAR]:
            self._drive_lines()
        ready = int(due(elapsed_ms))
        if now[_STATE] == _INIT:
            ready &= _ALL - _HV_COMMAND  # nothing is known yet, so nothing is asked of the contactors
        if ready & _STATUS:
            fill_status(s, sent, cal)
        if ready & _TIMING:
            count()
            fill_timing(s, sent, figures)
        if ready & _FAULT:
            fill_fault(s, sent, stored)
        transmit(ready)

    def _withdraw(self, verdict):
        s = signals
        if verdict & _NO_TORQUE:
            s[_TRIPPED] = 1
            s[_FRONT_DNM] = s[_REAR_DNM] = 0
        s[_FRONT_DISOBEYS] = verdict >> 1 & 1
        s[_REAR_DISOBEYS] = verdict >> 2 & 1

    def _drive_lines(self):
        s = signals
        s[_LINE_FRONT] = s[_ENABLE_FRONT]
        s[_LINE_REAR] = s[_ENABLE_REAR]
        if s[_LINE_FRONT]:
            self._front_line.on()
        else:
            self._front_line.off()
        if s[_LINE_REAR]:
            self._rear_line.on()
        else:
            self._rear_line.off()
