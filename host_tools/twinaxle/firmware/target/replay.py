"""Runs the firmware through a recording, with the time of every period taken."""

import sys
from array import array
from time import ticks_us

import micropython

FRAME_BYTES = 10


@micropython.viper
def set_length(view, length: int):
    # A memoryview of a 64-bit MicroPython: type, offset and typecode, length, items
    ptr32(id(view))[4] = length


class Enough(Exception):
    """The recording has ended."""


class Gc:
    """The firmware's `gc`: collecting is for when the car stands, and no part of a period."""

    @staticmethod
    def collect():
        pass

    disable = enable = collect

    @staticmethod
    def mem_free():
        return 64_000


@micropython.viper
def _copy(source: ptr8, at: int, data: ptr8):
    for i in range(8):
        data[i] = source[at + i]


def count(recording):
    """Periods in a recording."""
    at = periods = 0
    while at < len(recording):
        at += 1 + recording[at] * FRAME_BYTES
        periods += 1
    return periods


class Replay:
    """One run of the firmware's `main`, driven from `machine.idle`. Times are in us, by a clock with steps of 1 us.

    `on_load()` is called when the firmware's modules are there. `between`, functions that are timed once between two
    periods; their sums are in `between_us`.
    """

    def __init__(self, recording, periods, on_load=None, between=()):
        self.recording = recording
        self.periods = periods
        self.loop_us = array("i", (0,) * periods)
        self.frames_us = array("i", (0,) * periods)
        self.frames = array("i", (0,) * periods)
        self.timer_us = 0
        self.between = between
        self.between_us = array("i", (0,) * len(between))
        self._on_load = on_load
        self._at = 0
        self._period = -1
        self._began = 0
        self._enough = Enough()

    def run(self):
        """Drive from start to the recording's end."""
        for name in list(sys.modules):
            if name == "vcu" or name[:4] == "vcu.":
                del sys.modules[name]
        import machine

        self._machine = machine
        machine.hooks["idle"] = self._idle
        from vcu import app

        if self._on_load:
            self._on_load()
        make_port = app.CanPort

        def port_of(*args):
            self._port = port = make_port(*args)
            set_length(port._frame[1], 8)  # as the real recv() does
            return port

        app.CanPort = port_of
        app.gc = Gc
        try:
            app.run()
        except Enough:
            micropython.heap_unlock()

    def _idle(self):
        # The heap is locked here
        now = ticks_us()
        period = self._period
        if period >= 0:
            self.loop_us[period] = now - self._began
        period += 1
        if period == self.periods:
            raise self._enough
        self._period = period
        between_us = self.between_us
        i = 0
        for function in self.between:
            began = ticks_us()
            function()
            between_us[i] += ticks_us() - began
            i += 1
        self._receive(period)
        timer = self._machine.hooks["timer"]
        began = ticks_us()
        timer(None)
        self.timer_us += ticks_us() - began
        self._began = ticks_us()

    def _receive(self, period):
        # For every interrupt the frame is where recv() is going to put it
        recording = self.recording
        at = self._at
        count = recording[at]
        at += 1
        frame = self._port._frame
        data = self._port.ring
        on_frame = self._machine.hooks["frame"]
        spent = 0
        for _ in range(count):
            frame[0] = recording[at] | recording[at + 1] << 8
            _copy(recording, at + 2, data)
            at += FRAME_BYTES
            began = ticks_us()
            on_frame(None)
            spent += ticks_us() - began
        self._at = at
        self.frames[period] = count
        self.frames_us[period] = spent
