"""The program around the tick: start, beat, housekeeping at rest, end."""

import gc
import os
import sys
from array import array
from time import sleep_ms, ticks_us

import machine
import micropython
from boards import pybv11 as board
from micropython import const
from uctypes import addressof

from vcu import watchdog
from vcu.calibration import cal, check
from vcu.can_port import CanPort
from vcu.monitor import memory
from vcu.signals import signals
from vcu.tick import Vcu
from vcu.timing import HEAP_FREE, RESET_CAUSE, figures, note

_PERIOD_MS = const(10)
_STANDBY = const(1)  # dbc: VcuStatus.State.Standby
_EXCEPTION = const(5)  # dbc: VcuTiming.ResetCause.Exception
_CTRL_C = const(3)
_STATE = const(0)  # sig: state
_CAN_RAN = const(85)  # sig: can_ran
_MONITOR_RAN = const(32)  # as in monitor.py
_BACKLOG = const(2)  # as in can_port.py
# In `_beats`: control periods
_CAME = const(0)
_DONE = const(1)
_STATE_NOW = const(2)  # the vehicle's after the last one
_CALIBRATION_BAD = const(66)  # sig: calibration_bad
_NEW_TRACE = "trace.new"
_TRACE = "trace.txt"

_lines = tuple(machine.Pin(name, machine.Pin.OUT, value=0) for name in (board.ENABLE_FRONT, board.ENABLE_REAR))
_timer = machine.Timer(-1)
_beats = array("i", (0, 0, 0))


def _beat(beats):
    # Of closures see can_port.py
    @micropython.viper
    def on_timer(_):
        counted = ptr32(int(beats))
        counted[_CAME] = counted[_CAME] + 1

    return on_timer


def _reset_cause():
    try:
        os.rename(_NEW_TRACE, _TRACE)
        return _EXCEPTION
    except OSError:
        return machine.reset_cause()


def run():
    """Drive. Ends only by an exception."""
    can = machine.CAN(board.CAN_ID, board.BITRATE)
    figures[RESET_CAUSE] = _reset_cause()
    port = CanPort(can, signals)
    vcu = Vcu(cal, port, _lines[0], _lines[1])
    signals[_CALIBRATION_BAD] = 0 if check() else 1  # SF-11
    machine.Pin(board.LED_RUN, machine.Pin.OUT, value=1)
    feed = watchdog.take_over()
    _timer.init(period=_PERIOD_MS, callback=_beat(addressof(_beats)), hard=True)
    _loop(_turn(addressof(_beats), vcu.tick, port, feed))


def _turn(beats, tick, port, feed):
    # Of closures see can_port.py
    parts = (
        signals, memory, figures, beats, port.work, tick, feed, note, ticks_us, port.transmit, sleep_ms, machine.idle
    )  # fmt: skip

    @micropython.viper
    def turn() -> int:
        # Does the control periods that are due, then waits a little. Returns the vehicle's state, at once if it changes
        signals, memory, figures, beats, work, tick, feed, note, clock, transmit, sleep, idle = parts
        counted = ptr32(int(beats))
        periods = counted[_CAME] - counted[_DONE]
        if periods:
            counted[_DONE] = counted[_DONE] + periods
            began = clock()
            tick(periods)
            s = ptr32(signals)
            ran = ptr32(memory)
            if s[_CAN_RAN] and ran[_MONITOR_RAN]:  # SF-08: and the control path came to its end
                feed()
            s[_CAN_RAN] = 0
            ran[_MONITOR_RAN] = 0
            note(figures, began, clock())
            if s[_STATE] != counted[_STATE_NOW]:
                counted[_STATE_NOW] = s[_STATE]
                return s[_STATE]
        if counted[_CAME] == counted[_DONE]:
            if ptr32(work)[_BACKLOG]:
                sleep(2)  # counts SysTicks, of which the first may come at once: a frame's time at least
                transmit(0)
            else:
                idle()
        return counted[_STATE_NOW]

    return turn


def _loop(turn):
    state = signals[_STATE]
    gc.disable()
    _housekeeping()
    micropython.heap_lock()  # RT-02: from here on nothing allocates
    while True:
        now = turn()
        if now != state:
            state = now
            if state == _STANDBY:
                micropython.kbd_intr(_CTRL_C)
                micropython.heap_unlock()
                _housekeeping()
                micropython.heap_lock()
            else:
                micropython.kbd_intr(-1)  # SF-09


def _housekeeping():
    # Only where the car stands with HV off: takes some ms
    gc.collect()
    figures[HEAP_FREE] = gc.mem_free() >> 6


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
