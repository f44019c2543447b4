"""The MicroPython text of the generated codec: the part that is the same for every DBC.

`micropython.render` fills the names in `$(...)` and drops lines whose mark `#if feature` is not met. The kernels run on
32-bit and 64-bit machines, so they never count on an integer being 32 bits wide: a word read through ptr32 is masked,
or its sign is restored by `(v ^ top) - top`, before it is compared.
"""

DOCSTRING = '''\
"""CAN protocol of $(node), generated from $(dbc) by `twinaxle dbc generate`. Do not edit.

Raw integers only; nothing here allocates once the module is loaded.

rx, tx        array('i'): a slot for each received / sent application signal (not CRC and counter), start values at
              import. A signal of more than 25 bits (or a float's bit pattern) has one for each 16 bits, lowest first.
ages          array('i'): ages[message] is the time in ms since the last good frame (past 1000000: never)
accept(at, end, frames) -> verdict on the last one: takes the frames at .. end - 1 of a buffer that holds 16 bytes for
              each: identifier$(extended) (4), length (4), data (8). A verdict up to 1 is a good frame:
              its signals are in rx and its age is 0. 0 OK, 1 OK_SOME_LOST, 2 REPEATED, 3 WRONG_SEQUENCE, 4 WRONG_CRC,
              5 INITIAL (first frame), 6 SYNC (first good frame after a wrong sequence), 7 INVALID_COUNTER,
              8 WRONG_LENGTH, 9 UNKNOWN
tick(ms)      -> late: all ages grow by ms; bit m is set while message m is at or past its RxTimeout (m < 30)
start_values(message)  puts the start (safe) values of a received message into its slots of rx
due(ms)       -> bit k is set if the k-th sent message (number RECEIVED + k, k < 30) is to be sent in this call;
              the first call is at phase 0; ms is the time to the next call
pack(ready, buf)  bit k of ready: fills bytes 8 * k on of buf from tx for the k-th sent message, each value clamped to
              what its bits hold, with counter and CRC
FILTERS       (identifier, mask, flags) for machine.CAN.set_filters, few enough to use one receive FIFO alone
SCHEDULE      (message, can_id, length, cycle ms, phase ms) of each sent message, most urgent first; cycle 0: on events
RECEIVED, SENT  how many messages; the numbers of the received ones come first
PROTOCOL_HASH_LOW, PROTOCOL_HASH_HIGH  16 bits each

Hand-written modules get slots and message numbers as constants by tags, for example
    _APPS1 = const(2)  # dbc: PedalsDriver.Apps1 [1 mV]
"""
'''

HEAD = """
# ruff: noqa: F821, SIM102 (ptr8 and ptr32 are viper's; a condition in a condition is shorter machine code)
from array import array

import micropython
from micropython import const

"""

CRC = """
def _crc_table():
    table = bytearray(256)
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x1D if crc & 0x80 else crc << 1) & 0xFF
        table[byte] = crc
    return bytes(table)


"""

KERNELS = """\
_STARTS = $(starts)
rx = array("i", _STARTS)
tx = array("i", $(tx_start))
# Ages of the received messages, E2E state of all (bits 0-3 next counter, 4 resynchronising, 5 nothing yet), time to the
# next sending of the sent ones (plus _NOW).
ages = array("i", $(state))
_swap = bytearray(8)  #if motorola


# Viper keeps the first two locals in registers, arguments first: that is why they are used again for other things.


@micropython.viper
def accept(at: int, end: int, frames: ptr8) -> int:
    frame = int(frames) + at * 16 - 16
    last = int(frames) + end * 16 - 16
    table = ptr8(_TABLE)
    slots = ptr32(rx)
    states = int(ptr8(ages))
    swap = ptr8(_swap)  #if motorola
    verdict = 9
    while frame < last:
        frame += 16
        end = ptr32(frame)[0]
        at = int(table) + _IDS + (((end ^ end >> _FOLD) & _MASK) << 3)
        while ptr32(at)[0] != end and ptr32(at)[0] != _FREE:
            at += 8
        verdict = 9
        if ptr32(at)[0] == _FREE:
            continue
        at = ptr32(at)[1]
        state = ptr32(states + at)
        entry = ptr32(int(table) + _MESSAGES + 2 * at)
        head = entry[1]
        verdict = 8
        if ptr32(frame)[1] != head & 15:
            continue
        buf = ptr8(frame + 8)
        verdict = 0
        if head & 16:
            at = int(table)
            end = (head >> 9) & 255  # the CRC from here on
$(accept_crc)
            verdict = 4
            if end != buf[0]:
                continue
            end = buf[1] & 15  # the counter from here on
            verdict = 0
            at = state[_E2E]
            if at == end:  # the one that is expected
                state[_E2E] = end + 1 if end < 14 else 0
            else:
                verdict = 7
                if end == 15:
                    continue
                state[_E2E] = end + 1 if end < 14 else 0
                verdict = 5
                if at & 32:
                    continue
                end += 1 - (at & 15)
                if end < 0:
                    end += 15
                verdict = 2
                if end == 0 or end == 15:
                    state[_E2E] = at
                    continue
                verdict = 3
                if end > (head >> 5) & 15:
                    state[_E2E] = state[_E2E] | 16
                    continue
                verdict = 6
                if at & 16:
                    continue
                verdict = 1
        state[0] = 0
        end = 0  #if motorola
        while end < 8:  #if motorola
            swap[7 - end] = buf[end]  #if motorola
            end += 1  #if motorola
        at = int(table) + (entry[0] & 0xFFFF)  # the place in the program from here on; end is the field
        end = ptr32(at)[0]
        while end:
            if end & 0x8000:  #if mux
                value = slots[end >> 16]  #if mux
                if value < ptr32(at)[1] or value > ptr32(at)[2]:  #if mux
                    at += (end & 0x7FFF) << 2  #if mux
                at += 12  #if mux
                end = ptr32(at)[0]  #if mux
                continue  #if mux
            word = frame + 8  #if motorola
            if end & 8:  #if motorola
                word = int(swap)  #if motorola
            value = (ptr32($(word) + (end & 7))[0] >> ((end >> 4) & 31)) & ((1 << ((end >> 9) & 31)) - 1)
            if end & 0x4000:
                sign = 1 << (((end >> 9) & 31) - 1)
                value = (value ^ sign) - sign
            slots[end >> 16] = value
            at += 4
            end = ptr32(at)[0]
    return verdict


@micropython.viper
def pack(ready: int, buf: ptr8):
    value = 0
    left = ready
    table = ptr8(_TABLE)
    entry = ptr32(int(table) + _MESSAGES + 8 * _RECEIVED)
    state = ptr32(int(ptr8(ages)) + 4 * _RECEIVED)
    slots = ptr32(tx)
    swap = ptr8(_swap)  #if motorola
    top = 1
    top = top << 31
    while left:
        if left & 1:
            head = entry[1]
            ptr32(buf)[0] = 0
            ptr32(buf)[1] = 0
            ptr32(swap)[0] = 0  #if motorola
            ptr32(swap)[1] = 0  #if motorola
            ready = int(table) + (entry[0] & 0xFFFF)  # the place in the program from here on
            field = ptr32(ready)[0]
            while field:
                value = slots[field >> 16]
                if field & 0x8000:  #if mux
                    if value < ptr32(ready)[1] or value > ptr32(ready)[2]:  #if mux
                        ready += (field & 0x7FFF) << 2  #if mux
                    ready += 12  #if mux
                    field = ptr32(ready)[0]  #if mux
                    continue  #if mux
                high = (1 << ((field >> 9) & 31)) - 1
                if field & 0x4000 or value & (-1 - high):
                    # signed, or it does not fit
                    value = (value ^ top) - top
                    low = 0
                    if field & 0x4000:
                        high = high >> 1
                        low = -1 - high
                    if value < low:
                        value = low
                    if value > high:
                        value = high
                    if low:
                        value &= high << 1 | 1
                word = int(buf)  #if motorola
                if field & 8:  #if motorola
                    word = int(swap)  #if motorola
                place = ptr32($(word) + (field & 7))
                place[0] = place[0] | value << ((field >> 4) & 31)
                ready += 4
                field = ptr32(ready)[0]
            ready = 0  #if motorola
            while ready < 8:  #if motorola
                buf[ready] = buf[ready] | swap[7 - ready]  #if motorola
                ready += 1  #if motorola
            if head & 16:
                value = state[_E2E]
                buf[1] = buf[1] | value
                value += 1
                if value == 15:
                    value = 0
                state[_E2E] = value
                ready = (head >> 9) & 255  # the CRC from here on
$(pack_crc)
                buf[0] = ready
        left >>= 1
        entry = ptr32(int(entry) + 8)
        state = ptr32(int(state) + 4)
        buf = ptr8(int(buf) + 8)


@micropython.viper
def tick(ms: int) -> int:
    message = _RECEIVED
    age = ptr32(ages)
    times = ptr16(int(ptr8(_TABLE)) + _MESSAGES + 2)
    late = 0
    while message:
        message -= 1
        now = age[message] + ms
        limit = times[message << 2]
        if now >= limit:
            if limit:  #if few
            if limit and message < 30:  #if many
                late |= 1 << message
            if now > 1000000:
                now = 1000000
        age[message] = now
    return late


@micropython.viper
def start_values(message: int):
    if message < 0:
        return
    if message >= _RECEIVED:
        return
    entry = ptr32(int(ptr8(_TABLE)) + _MESSAGES + message * 8)
    start = ptr32(_STARTS)
    slots = ptr32(rx)
    end = $(rx_slots)
    if message < _RECEIVED - 1:
        end = entry[3] >> 17
    message = entry[1] >> 17  # the slot from here on
    while message < end:
        slots[message] = start[message]
        message += 1


@micropython.viper
def due(ms: int) -> int:
    message = _SENT
    left = ptr32(int(ptr8(ages)) + 4 * _COUNTDOWN)
    times = ptr16(int(ptr8(_TABLE)) + _MESSAGES + 8 * _RECEIVED + 2)
    now = _NOW - ms
    ready = 0
    while message:
        message -= 1
        cycle = times[message << 2]
        if cycle:
            time = left[message] - ms
            if time <= now:
                ready |= 1 << message  #if few
                if message < 30:  #if many
                    ready |= 1 << message  #if many
                time += cycle
            left[message] = time
    return ready
"""
