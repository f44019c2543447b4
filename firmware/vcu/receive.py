"""From the ring of frames to signals: E2E check and decoding, ages, start values for what is missing."""

import micropython
from micropython import const

from vcu.monitor import see
from vcu.protocol import accept, ages, index, start_values, tick

_RING = const(32)  # as in can_port.py
_PEDALS_ID = const(160)  # dbc: PedalsDriver:id
_FRONT_ID = const(256)  # dbc: InvFrontStatus:id
_REAR_ID = const(257)  # dbc: InvRearStatus:id
_UNKNOWN = const(255)
_LATE = const(4)  # sig: late

_len = len


@micropython.viper
def drain(frames, numbers, memory, tail: int, head: int) -> int:
    """Take all frames of the ring, each to the monitor and to the codec; the new tail."""
    number_of = ptr8(numbers)
    while tail != head:
        # Flags are not looked at: no extended frame passes the filters, and a remote one reads as zeros: no CRC fits
        frame = frames[tail]
        can_id = int(frame[0])
        data = frame[1]
        length = int(_len(data))
        if can_id == _PEDALS_ID or can_id == _FRONT_ID or can_id == _REAR_ID:
            see(memory, can_id, data, length)
        message = number_of[can_id]
        if message != _UNKNOWN:
            accept(message, data, length)
        tail = (tail + 1) & (_RING - 1)
    return tail


@micropython.viper
def missing(ages_in, late: int, before: int) -> int:
    """Of the messages that were late, those that still are; one that becomes late gets its start values."""
    age = ptr32(ages_in)
    message = 0
    while late >> message:
        bit = 1 << message
        if late & bit:
            if not age[message]:
                late ^= bit
            elif not before & bit:
                start_values(message)
        message += 1
    return late


class Receive:
    """Keeps the signal `late`: bit m is set while message m is past its timeout (SF-01)."""

    def __init__(self, signals, port, memory):
        self._s = signals
        self._port = port
        self._memory = memory
        # Number of the message for each identifier: quicker than the codec's search
        self._numbers = numbers = bytearray(2048)
        for can_id in range(2048):
            number = index(can_id)
            numbers[can_id] = _UNKNOWN if number < 0 else number

    def step(self, elapsed_ms):
        """Once a tick."""
        late = tick(elapsed_ms)
        port = self._port
        port.tail = drain(port.frames, self._numbers, self._memory, port.tail, port.head)
        s = self._s
        s[_LATE] = missing(ages, late, s[_LATE]) if late else 0
