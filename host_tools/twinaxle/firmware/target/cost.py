"""Measures the firmware's control period beside the reference loops, in one MicroPython process.

    micropython cost.py RECORDING REPEATS VIPER

RECORDING holds, for each period, a byte with the number of frames and for each frame id (2 bytes) and data (8 bytes).
VIPER lists the firmware's viper functions, `module.function` joined by commas. Prints one JSON object. The clock has
steps of 1 us, so that the least of many times is half a step too low on average.
"""

import gc
import json
import sys
from array import array
from time import ticks_us

import micropython
import references

REFERENCE_LOOPS = 1000
FRAME_BYTES = 10
SETTLE = 16  # periods at the start that are not counted: caches are cold

_NONE = (1 << 31) - 1


class Enough(Exception):
    """The recording has ended."""


@micropython.viper
def _copy(source: ptr8, at: int, data: ptr8):
    for i in range(8):
        data[i] = source[at + i]


class NoLock:
    """The firmware's `micropython` while parts of it are timed, for that allocates."""


for _name in dir(micropython):
    setattr(NoLock, _name, staticmethod(getattr(micropython, _name)))
NoLock.heap_lock = NoLock.heap_unlock = staticmethod(lambda: 0)


class Replay:
    """Drives the firmware through the recording, from `machine.idle`."""

    def __init__(self, recording, on_ready=None):
        self.recording = recording
        self.periods = count(recording)
        self.loop_us = array("i", (0,) * self.periods)
        self.frames_us = array("i", (0,) * self.periods)
        self.frames = array("i", (0,) * self.periods)
        self.timer_us = 0
        self.at = 0
        self.period = -1
        self.began = 0
        self.on_ready = on_ready
        self.enough = Enough()

    def run(self):
        for name in list(sys.modules):
            if name == "vcu" or name[:4] == "vcu.":
                del sys.modules[name]
        import machine

        while machine.pending:
            machine.pending.popleft()
        machine.hooks["idle"] = self.idle
        from vcu import app

        self.machine = machine
        self.flag = machine.CAN.IRQ_RX
        make_port = app.CanPort
        make_vcu = app.Vcu

        def port_of(can):
            self.port = port = make_port(can)
            for i in range(len(port.frames)):
                port.frames[i] = [0, memoryview(bytearray(8)), 0, 0]
            return port

        def vcu_of(*args):
            vcu = make_vcu(*args)
            if self.on_ready:
                app.micropython = NoLock
                self.on_ready(app, vcu)
            return vcu

        app.CanPort = port_of
        app.Vcu = vcu_of
        try:
            app.run()
        except Enough:
            pass
        finally:
            if not self.on_ready:
                micropython.heap_unlock()
            gc.enable()

    def idle(self):
        # The heap is locked here, without `on_ready`
        now = ticks_us()
        period = self.period
        if period >= 0:
            self.loop_us[period] = now - self.began
        period += 1
        if period == self.periods:
            raise self.enough
        self.period = period
        recording = self.recording
        at = self.at
        left = recording[at]
        at += 1
        self.frames[period] = left
        port = self.port
        frames = port.frames
        on_frame = self.machine.hooks["frame"]
        append = self.machine.pending_append
        flag = self.flag
        # Every frame where recv() is going to put it, and for every interrupt "a frame", then "none"
        head = port.head
        size = len(frames)
        for _ in range(left):
            frame = frames[head]
            frame[0] = recording[at] | recording[at + 1] << 8
            _copy(recording, at + 2, frame[1])
            at += FRAME_BYTES
            head = (head + 1) % size
            append(flag)
            append(0)
        self.at = at
        began = ticks_us()
        for _ in range(left):
            on_frame(None)
        self.frames_us[period] = ticks_us() - began
        if self.on_ready:
            gc.collect()
        tick = self.machine.hooks["timer"]
        began = ticks_us()
        tick(None)
        self.timer_us += ticks_us() - began
        self.began = ticks_us()


def count(recording):
    """Periods in a recording."""
    at = periods = 0
    while at < len(recording):
        at += 1 + recording[at] * FRAME_BYTES
        periods += 1
    return periods


def measure_references(least):
    gc.disable()
    for i, (_, _, _, operations, function, base) in enumerate(references.REFERENCES):
        began = ticks_us()
        function(REFERENCE_LOOPS)
        took = ticks_us() - began
        if took < least[i][0]:
            least[i][0] = took
        if base:
            began = ticks_us()
            base(REFERENCE_LOOPS)
            took = ticks_us() - began
            if took < least[i][1]:
                least[i][1] = took
    gc.enable()


class Parts:
    """Time in parts of the tick: in the `step` of every part of `Vcu`, and in every viper function."""

    def __init__(self, viper):
        self.viper = viper
        self.us = {}
        self.calls = {}
        self.overhead_us = 0

    def timed(self, name, function):
        us = self.us
        calls = self.calls
        us[name] = 0
        calls[name] = 0

        def wrapper(*args):
            began = ticks_us()
            result = function(*args)
            us[name] += ticks_us() - began
            calls[name] += 1
            return result

        return wrapper

    def calibrate(self):
        # What the wrapper adds to a function of two arguments
        def empty(a, b):
            pass

        overheads = []
        wrapped = self.timed("", empty)
        for _ in range(301):
            self.us[""] = 0
            for _ in range(100):
                wrapped(1, 2)
            began = ticks_us()
            for _ in range(100):
                pass
            loop = ticks_us() - began
            began = ticks_us()
            for _ in range(100):
                empty(1, 2)
            overheads.append(self.us[""] - (ticks_us() - began - loop))
        del self.us[""], self.calls[""]
        self.overhead_us = sorted(overheads)[len(overheads) // 2] / 100

    def on_stages(self, app, vcu):
        for name in dir(vcu):
            part = getattr(vcu, name)
            for method in ("step", "transmit"):
                if hasattr(part, method):
                    function = getattr(part, method)
                    setattr(part, method, self.timed(name + "." + method, function))

    def on_viper(self, app, vcu):
        wrappers = {}
        functions = {}
        for path in self.viper:
            module, _, name = path.rpartition(".")
            if module in sys.modules and hasattr(sys.modules[module], name):
                function = getattr(sys.modules[module], name)
                functions[id(function)] = function
                wrappers[id(function)] = self.timed(path, function)
        for name, module in list(sys.modules.items()):
            if name[:4] == "vcu.":
                for key in dir(module):
                    value = getattr(module, key)
                    if id(value) in wrappers:
                        setattr(module, key, wrappers[id(value)])


def main(path, repeats, viper):
    with open(path, "rb") as file:
        recording = file.read()
    periods = count(recording)
    least_references = [[1 << 60, 1 << 60] for _ in references.REFERENCES]
    loop = array("i", (_NONE,) * periods)
    frames = array("i", (_NONE,) * periods)
    timer = _NONE
    for _ in range(repeats):
        measure_references(least_references)
        gc.collect()
        replay = Replay(recording)
        replay.run()
        for i in range(periods):
            if replay.loop_us[i] < loop[i]:
                loop[i] = replay.loop_us[i]
            if replay.frames_us[i] < frames[i]:
                frames[i] = replay.frames_us[i]
        timer = min(timer, replay.timer_us)
    parts = {}
    for kind in ("stages", "viper"):
        least = {}
        for _ in range(max(1, repeats // 4)):
            measured = Parts(viper)
            measured.calibrate()
            gc.collect()
            Replay(recording, measured.on_stages if kind == "stages" else measured.on_viper).run()
            for name, spent in measured.us.items():
                calls = measured.calls[name]
                net = spent - calls * measured.overhead_us
                if name not in least or net < least[name][1]:
                    least[name] = (calls, net)
        parts[kind] = least
    print(
        json.dumps(
            {
                "references": [
                    (
                        name,
                        kind,
                        instructions,
                        (took - base * (function_base is not None)) * 1000 / REFERENCE_LOOPS / operations,
                    )
                    for (name, kind, instructions, operations, _, function_base), (took, base) in zip(
                        references.REFERENCES, least_references
                    )
                ],
                "loop_us": list(loop)[SETTLE:],
                "frames_us": list(frames)[SETTLE:],
                "frames": list(replay.frames)[SETTLE:],
                "timer_us": timer,
                "periods": periods,
                "stages": parts["stages"],
                "viper": parts["viper"],
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3].split(","))
