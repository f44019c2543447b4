"""From the ring of frames to signals: E2E check and decoding, ages, start values for what is missing."""

from micropython import const

from vcu.monitor import see
from vcu.protocol import RECEIVED, accept, ages, index, start_values, tick

_RING = const(32)  # as in can_port.py
_len = len


class Receive:
    """`late`: bit m is set while message m is past its timeout and reads as its start values (SF-01)."""

    def __init__(self, port, seen):
        self._port = port
        self._seen = seen
        self.late = 0

    def step(self, elapsed_ms):
        """Once a tick."""
        late = tick(elapsed_ms)
        port = self._port
        frames = port.frames
        seen = self._seen
        tail = port.tail
        while tail != port.head:
            frame = frames[tail]
            if not frame[2]:  # neither remote nor extended
                can_id = frame[0]
                data = frame[1]
                length = _len(data)
                see(seen, can_id, data, length)
                accept(index(can_id), data, length)
            tail = (tail + 1) % _RING
            port.tail = tail
        if late:
            late = self._missing(late)
        self.late = late

    def _missing(self, late):
        # A message that was late is in time again, or is late from this tick on
        for message in range(RECEIVED):
            bit = 1 << message
            if late & bit:
                if not ages[message]:
                    late &= ~bit
                elif not self.late & bit:
                    start_values(message)
        return late
