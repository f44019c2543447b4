"""The firmware's `machine` for playing a recording: frames come from lists, what is sent goes into a log.

Runs in MicroPython and, for the emulated board, in CPython. Nothing here allocates once the recording runs.
"""

from view_length import set_length

PWRON_RESET = 1

hooks = {}
waiting = []  # frames that come in this period: id, data, id, data ...
position = [0, 0]  # next of the waiting, bytes in the log
log = bytearray(1 << 16)  # of what is sent: id (2 bytes), data (8 bytes); id 0xFFFF ends a period


def reset_cause():
    return PWRON_RESET


def reset():
    raise SystemExit(1)


def idle():
    hooks["idle"]()


def note(can_id, data):
    at = position[1]
    log[at] = can_id & 255
    log[at + 1] = can_id >> 8
    i = 0
    while i < 8:
        log[at + 2 + i] = data[i] if data else 0
        i += 1
    position[1] = at + 10


class Pin:
    OUT = 1

    def __init__(self, name, mode=0, value=0):
        pass

    def on(self):
        pass

    def off(self):
        pass


class Timer:
    def __init__(self, number):
        pass

    def init(self, period, callback, hard=False):
        hooks["timer"] = callback

    def deinit(self):
        pass


class WDT:
    def __init__(self, timeout):
        pass

    def feed(self):
        pass


class CAN:
    IRQ_TX = 1
    IRQ_RX = 2
    IRQ_TX_FAILED = 4
    IRQ_STATE = 8
    STATE_BUS_OFF = 4
    FLAG_UNORDERED = 16

    def __init__(self, number, bitrate):
        self._mailbox = 0

    def recv(self, into):
        at = position[0]
        data = waiting[at + 1]
        view = into[1]
        set_length(view, 8)
        i = 0
        while i < 8:
            view[i] = data[i]
            i += 1
        into[0] = waiting[at]
        position[0] = at + 2
        return into

    def send(self, can_id, data, flags=0):
        note(can_id, data)
        self._mailbox = (self._mailbox + 1) % 3
        return self._mailbox

    def state(self):
        return 1

    def cancel_send(self, mailbox):
        return True

    def set_filters(self, filters):
        pass

    def irq(self, handler, trigger=0, hard=False):
        hooks["frame"] = handler

    def get_counters(self, counters):
        return counters
