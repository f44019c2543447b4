"""Plays a recording to the firmware's own program and keeps what it sends, byte for byte.

    micropython play_log.py RECORDING

RECORDING is a file as for cost.py. Prints the log of `machine` (see board/machine.py) as hexadecimal digits, one line a
period. The emulated board runs `play` as well.
"""

import sys
from time import now

import machine
import micropython

_FRAME_BYTES = 10
_PERIOD_US = 10_000


class Enough(Exception):
    """The recording has ended."""


class Gc:
    """The firmware's `gc`: how much heap is free is no matter here."""

    @staticmethod
    def collect():
        pass

    disable = enable = collect

    @staticmethod
    def mem_free():
        return 64_000


def frames_of(recording):
    """[id, data, id, data ...] of each period."""
    periods = []
    at = 0
    while at < len(recording):
        frames = []
        count = recording[at]
        at += 1
        for _ in range(count):
            frames.append(recording[at] | recording[at + 1] << 8)
            frames.append(bytes(recording[at + 2 : at + _FRAME_BYTES]))
            at += _FRAME_BYTES
        periods.append(frames)
    return periods


def play(app, recording, after=None, received=None):
    """Run `app` (the firmware's module) through a recording.

    `received(period)` is called when the interrupts of a period's frames are over, `after(period)` when it has ended.
    """
    periods = frames_of(recording)
    state = [-1]
    enough = Enough()

    def idle():
        # The heap is locked here
        period = state[0]
        if period >= 0:
            machine.note(0xFFFF, None)
            if after:
                after(period)
        period += 1
        if period == len(periods):
            raise enough
        state[0] = period
        now[0] = period * _PERIOD_US
        machine.waiting = periods[period]
        machine.position[0] = 0
        while machine.position[0] < len(machine.waiting):
            machine.hooks["frame"](None)  # one interrupt for each frame
        if received:
            received(period)
        machine.hooks["timer"](None)

    machine.hooks["idle"] = idle
    app.gc = Gc
    try:
        app.run()
    except Enough:
        micropython.heap_unlock()
    return machine.log[: machine.position[1]]


def main(path):
    from vcu import app

    with open(path, "rb") as file:
        recording = file.read()
    log = play(app, recording)
    for at in range(0, len(log), _FRAME_BYTES):
        print("".join(f"{byte:02x}" for byte in log[at : at + _FRAME_BYTES]))


if __name__ == "__main__":
    main(sys.argv[1])
