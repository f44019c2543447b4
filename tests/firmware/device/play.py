# Plays recorded frames to the firmware's tick in MicroPython, with the heap locked in every tick from the first on.
# Arguments: file of frames. One line a tick: words `id:data`, and words that change the CAN controller:
# `off` (bus-off), `full` and `free` (mailboxes), `trip` (the monitor finds something).
# Prints for each tick: state, fault level, front and rear torque request, front and rear enable line.
import gc
import sys
from array import array
from time import ticks_us

import micropython
from vcu.calibration import cal
from vcu.can_port import CanPort
from vcu.monitor import memory
from vcu.signals import signals
from vcu.tick import Vcu
from vcu.timing import figures, note


@micropython.viper
def set_length(view, length: int):
    # As the real recv() does. A memoryview of a 64-bit MicroPython: type, offset and typecode, length, items
    ptr32(id(view))[4] = length  # noqa: F821 (viper's)


class Can:
    IRQ_RX = 2
    STATE_BUS_OFF = 4

    def __init__(self):
        self.frames = []
        self.at = self.end = 0
        self.now = 1
        self.full = False

    def set_filters(self, filters):
        pass

    def irq(self, handler, trigger, hard):
        self.handler = handler

    def state(self):
        return self.now

    def restart(self):
        self.now = 1

    def recv(self, into):
        into[0] = self.frames[self.at]
        data = self.frames[self.at + 1]
        view = into[1]
        set_length(view, 8)
        i = 0
        while i < 8:
            view[i] = data[i]
            i += 1
        self.at += 2
        return into

    def send(self, can_id, data):
        return None if self.full else 0

    def cancel_send(self, index):
        return True

    def get_counters(self, counters):
        return counters


class Line:
    def __init__(self):
        self.level = 0

    def on(self):
        self.level = 1

    def off(self):
        self.level = 0


def read(name):
    ticks = []
    with open(name) as file:
        for line in file:
            frames = []
            action = ""
            for word in line.split():
                if ":" in word:
                    can_id, data = word.split(":")
                    frames += [int(can_id, 16), bytes.fromhex(data)]
                else:
                    action = word
            ticks.append((frames, action))
    return ticks


def main():
    ticks = read(sys.argv[1])
    can = Can()
    front, rear = Line(), Line()
    port = CanPort(can, signals)
    vcu = Vcu(cal, port, front, rear)
    results = array("h", bytes(12 * len(ticks)))
    gc.collect()
    gc.disable()
    at = 0
    for frames, action in ticks:
        can.frames = frames
        can.at = 0
        can.end = len(frames)
        if action == "off":
            can.now = 4
        elif action == "full":
            can.full = True
        elif action == "free":
            can.full = False
        elif action == "trip":
            memory[31] |= 1
        micropython.heap_lock()
        while can.at < can.end:
            can.handler(can)
        began = ticks_us()
        vcu.tick(1)
        note(figures, began, ticks_us())
        port.transmit(0)
        micropython.heap_unlock()
        results[at] = signals[0]
        results[at + 1] = signals[65]
        results[at + 2] = signals[77]
        results[at + 3] = signals[78]
        results[at + 4] = front.level
        results[at + 5] = rear.level
        at += 6
    for i in range(0, len(results), 6):
        print(*results[i : i + 6])


main()
