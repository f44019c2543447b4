"""From the ring of frames to signals: E2E check and decoding, ages, start values for what is missing."""

import micropython
from micropython import const

from vcu.monitor import see
from vcu.protocol import accept, ages, start_values, tick

_FIRST = const(32)  # as in can_port.py
_END = const(544)
_HEAD = const(4)
_TAIL = const(5)
_LATE = const(4)  # sig: late
# motion.py reaches these from the first wheel on; the codec decodes only what a tag names
_FRONT_RIGHT = const(10)  # dbc: EscWheelSpeeds.FrontRight [0.1 km/h]
_REAR_LEFT = const(11)  # dbc: EscWheelSpeeds.RearLeft [0.1 km/h]
_REAR_RIGHT = const(12)  # dbc: EscWheelSpeeds.RearRight [0.1 km/h]


@micropython.viper
def missing(age: ptr32, late: int, before: int) -> int:
    """Of the messages that were late, those that still are; one that becomes late gets its start values."""
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


@micropython.viper
def step(signals, frames, memory, elapsed_ms: int):
    """Once a tick: every frame of the ring to the monitor and to the codec.

    Keeps the signal `late`: bit m is set while message m is past its timeout (SF-01).
    """
    s = ptr32(signals)
    ring = ptr32(frames)
    late = int(tick(elapsed_ms))
    tail = ring[_TAIL]
    head = ring[_HEAD]
    if ring[_TAIL] != tail:  # the interrupt began it anew between the two; with a frame in it, it does not again
        tail = ring[_TAIL]
        head = ring[_HEAD]
    if head != tail:  # an empty ring is the interrupt's
        if head < tail:
            see(frames, tail, _END, memory)
            accept(tail >> 4, _END >> 4, frames)
            tail = _FIRST
        see(frames, tail, head, memory)
        accept(tail >> 4, head >> 4, frames)
        ring[_TAIL] = head
    s[_LATE] = int(missing(ages, late, s[_LATE])) if late else 0
