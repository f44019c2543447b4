"""The firmware's `machine` for measuring: every call in the tick is a built-in method, as a C driver's is on the board.

A built-in that does next to nothing costs what any call into C costs; the work of the real driver is added by the
estimate. `sys.modules["machine"]` is also where the measurement finds what the firmware registered here.
"""

PWRON_RESET = 1

nothing = b"".isdigit  # a built-in method without arguments; returns False
hooks = {}


def reset_cause():
    return PWRON_RESET


def reset():
    raise SystemExit(1)


def idle():
    hooks["idle"]()


class Pin:
    OUT = 1

    def __init__(self, name, mode=0, value=0):
        self.on = nothing
        self.off = nothing


class Timer:
    def __init__(self, number):
        self._callback = None

    def init(self, period, callback, hard=False):
        hooks["timer"] = callback

    def deinit(self):
        pass


class WDT:
    def __init__(self, timeout):
        self.feed = nothing


class CAN:
    IRQ_TX = 1
    IRQ_RX = 2
    IRQ_TX_FAILED = 4
    IRQ_STATE = 8
    STATE_BUS_OFF = 4
    FLAG_UNORDERED = 16

    def __init__(self, number, bitrate):
        self.recv = len  # one argument, answers with something; the frame is in its place before the interrupt
        self.state = nothing
        self.cancel_send = [].count
        self._mailboxes = {can_id: can_id % 3 for can_id in range(0x800)}
        self.send = self._mailboxes.get  # (id, data) -> mailbox

    def set_filters(self, filters):
        pass

    def irq(self, handler, trigger=0, hard=False):
        hooks["frame"] = handler

    def get_counters(self, counters):
        return counters
