"""The program around the tick: start, beat, housekeeping at rest, end."""

import gc
import os
import sys
from time import sleep_ms

import machine
import micropython
from boards import pybv11 as board
from micropython import const

from vcu import watchdog
from vcu.calibration import cal, check
from vcu.can_port import CanPort
from vcu.monitor import memory
from vcu.signals import signals
from vcu.tick import Vcu
from vcu.timing import Figures, begin, end

_PERIOD_MS = const(10)
_STANDBY = const(1)  # dbc: VcuStatus.State.Standby
_EXCEPTION = const(5)  # dbc: VcuTiming.ResetCause.Exception
_CTRL_C = const(3)
_STATE = const(0)  # sig: state
_CAN_RAN = const(85)  # sig: can_ran
_MONITOR_RAN = const(32)  # as in monitor.py
_CALIBRATION_BAD = const(66)  # sig: calibration_bad
_NEW_TRACE = "trace.new"
_TRACE = "trace.txt"

_lines = tuple(machine.Pin(name, machine.Pin.OUT, value=0) for name in (board.ENABLE_FRONT, board.ENABLE_REAR))
_timer = machine.Timer(-1)


class _Beat:
    """Counts control periods that are due."""

    def __init__(self):
        self.due = 0
        _timer.init(period=_PERIOD_MS, callback=self._on_timer, hard=True)

    def _on_timer(self, _):
        self.due += 1


def _reset_cause():
    try:
        os.rename(_NEW_TRACE, _TRACE)
        return _EXCEPTION
    except OSError:
        return machine.reset_cause()


def run():
    """Drive. Ends only by an exception."""
    can = machine.CAN(board.CAN_ID, board.BITRATE)
    figures = Figures(_reset_cause())
    port = CanPort(can, signals)
    vcu = Vcu(cal, port, figures, _lines[0], _lines[1])
    signals[_CALIBRATION_BAD] = 0 if check() else 1  # SF-11
    machine.Pin(board.LED_RUN, machine.Pin.OUT, value=1)
    feed = watchdog.take_over()
    beat = _Beat()
    _loop(vcu.tick, port, figures, beat, feed)


def _loop(tick, port, figures, beat, feed):
    idle = machine.idle
    state = signals[_STATE]
    gc.disable()
    _housekeeping(figures)
    micropython.heap_lock()  # RT-02: from here on nothing allocates
    while True:
        periods = beat.due
        if periods:
            beat.due = 0
            begin()
            tick(periods)
            if signals[_CAN_RAN] and memory[_MONITOR_RAN]:  # SF-08: and the control path came to its end
                feed()
            signals[_CAN_RAN] = memory[_MONITOR_RAN] = 0
            end()
            if signals[_STATE] != state:
                state = signals[_STATE]
                if state == _STANDBY:
                    micropython.kbd_intr(_CTRL_C)
                    micropython.heap_unlock()
                    _housekeeping(figures)
                    micropython.heap_lock()
                else:
                    micropython.kbd_intr(-1)  # SF-09
        elif port.backlog:
            sleep_ms(2)  # counts SysTicks, of which the first may come at once: a frame's time at least
            port.flush()
        else:
            idle()


def _housekeeping(figures):
    # Only where the car stands with HV off: takes some ms
    gc.collect()
    figures.heap_free = gc.mem_free()


def _let_go():
    # No torque by either path: the lines fall, and silence locks the inverters out after 50 ms
    micropython.heap_unlock()
    for line in _lines:
        line.off()
    _timer.deinit()


def leave():
    """Ctrl-C in Standby: to the REPL, with torque impossible until a reset."""
    _let_go()
    gc.enable()
    watchdog.hand_back()


def safe_stop(error):
    """SF-09: no torque, keep the trace, start again. The contactors are dealt with after the reset, when at rest."""
    _let_go()
    try:
        gc.collect()
        with open(_NEW_TRACE, "w") as file:
            sys.print_exception(error, file)
        sys.print_exception(error)
    finally:
        machine.reset()
