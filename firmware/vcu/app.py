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
from vcu.tick import Vcu
from vcu.timing import Timing

_PERIOD_MS = const(10)
_STANDBY = const(1)  # dbc: VcuStatus.State.Standby
_EXCEPTION = const(5)  # dbc: VcuTiming.ResetCause.Exception
_CTRL_C = const(3)
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
    timing = Timing(_reset_cause())
    vcu = Vcu(cal, CanPort(can), timing, _lines[0], _lines[1])
    vcu.faults.calibration_bad = not check()  # SF-11
    machine.Pin(board.LED_RUN, machine.Pin.OUT, value=1)
    feed = watchdog.take_over()
    beat = _Beat()
    _loop(vcu, beat, feed)


def _loop(vcu, beat, feed):
    port = vcu.port
    monitor = vcu.monitor
    states = vcu.states
    timing = vcu.timing
    tick = vcu.tick
    idle = machine.idle
    state = states.state
    gc.disable()
    _housekeeping(timing)
    micropython.heap_lock()  # RT-02: from here on nothing allocates
    while True:
        periods = beat.due
        if periods:
            beat.due = 0
            timing.begin()
            tick(periods)
            if port.ran and monitor.ran:  # SF-08: and the control path came to its end
                port.ran = monitor.ran = False
                feed()
            timing.end()
            if states.state != state:
                state = states.state
                if state == _STANDBY:
                    micropython.kbd_intr(_CTRL_C)
                    micropython.heap_unlock()
                    _housekeeping(timing)
                    micropython.heap_lock()
                else:
                    micropython.kbd_intr(-1)  # SF-09
        elif port.backlog:
            sleep_ms(1)
            port.flush()
        else:
            idle()


def _housekeeping(timing):
    # Only where the car stands with HV off: takes some ms
    gc.collect()
    timing.heap_free = gc.mem_free()


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
