"""The MicroPython text of the generated codec: the part that is the same for every DBC.

`micropython.render` fills the names in `$(...)` and drops lines whose mark `#if feature` is not met. The kernels run on
32-bit and 64-bit machines, so they never count on an integer being 32 bits wide: a word read through ptr32 is masked,
or its sign is restored by `(v ^ top) - top`, before it is compared.
"""

DOCSTRING = '''\
"""CAN protocol of $(node), generated from $(dbc) by `twinaxle dbc generate`. Do not edit.

Raw integers only; nothing here allocates once the module is loaded. Buffers must have room for 8 bytes.

rx, tx        array('i'): a slot for each received / sent application signal (not CRC and counter), start values at
              import. A signal of more than 25 bits (or a float's bit pattern) has one for each 16 bits, lowest first.
ages          array('i'): ages[message] is the time in ms since the last good frame (past 1000000: never)
index(can_id) -> message number of a received message, -1 if there is none$(extended)
accept(message, buf, length) -> verdict; up to 1 the frame is good, its signals are in rx and its age is 0
              0 OK, 1 OK_SOME_LOST, 2 REPEATED, 3 WRONG_SEQUENCE, 4 WRONG_CRC, 5 INITIAL (first frame), 6 SYNC (first
              good frame after a wrong sequence), 7 INVALID_COUNTER, 8 WRONG_LENGTH, 9 UNKNOWN (message number)
tick(ms)      -> late: all ages grow by ms; bit m is set while message m is at or past its RxTimeout (m < 30)
start_values(message)  puts the start (safe) values of a received message into its slots of rx
due(ms)       -> bit k is set if the k-th sent message (number RECEIVED + k, k < 30) is to be sent in this call;
              the first call is at phase 0; ms is the time to the next call
pack(message, buf) -> length: fills buf from tx (each value clamped to what its bits hold), with counter and CRC
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

KERNELS = """\
rx = array("i", _START)
tx = array("i", $(tx_start))
# Ages of the received messages, E2E state of all (bits 0-3 last or next counter, 4 resynchronising, 5 nothing yet),
# time to the next sending of the sent ones.
ages = array("i", $(state))
_swap = bytearray(8)  #if motorola


@micropython.viper
def index(can_id: int) -> int:
    ids = ptr32(_TABLE)
    low = _IDS
    high = _IDS + _RECEIVED
    while low < high:
        middle = (low + high) >> 1
        if ids[middle] < can_id:
            low = middle + 1
        else:
            high = middle
    if low < _IDS + _RECEIVED:
        if ids[low] == can_id:
            return low - _IDS
    return -1


@micropython.viper
def accept(message: int, buf: ptr8, length: int) -> int:
    crc = 0
    table8 = ptr8(_TABLE)
    table = ptr32(table8)
    state = ptr32(ages)
    if message < 0:
        return 9
    if message >= _RECEIVED:
        return 9
    at = _MESSAGES + message * 2
    head = table[at + 1]
    if length != head & 15:
        return 8
    verdict = 0
    if head & 16:
        crc = (head >> 9) & 255
$(crc)
        if crc != buf[0]:
            return 4
        counter = buf[1] & 15
        if counter == 15:
            return 7
        last = state[_E2E + message]
        if last & 32:
            state[_E2E + message] = counter
            return 5
        delta = counter - (last & 15)
        if delta < 0:
            delta += 15
        if delta == 0:
            return 2
        if delta > (head >> 5) & 15:
            state[_E2E + message] = counter | 16
            return 3
        state[_E2E + message] = counter
        if last & 16:
            return 6
        if delta > 1:
            verdict = 1
    state[message] = 0
    slots = ptr32(rx)
    frame = int(buf)
    swap = ptr8(_swap)  #if motorola
    mirror = int(swap)  #if motorola
    length = 0  #if motorola
    while length < 8:  #if motorola
        swap[7 - length] = buf[length]  #if motorola
        length += 1  #if motorola
    end = table[at + 2] & 0xFFFF
    at = table[at] & 0xFFFF
    while at < end:
        field = table[at]
        at += 1
        if field & 0x8000:  #if mux
            value = slots[field >> 16]  #if mux
            if value < table[at] or value > table[at + 1]:  #if mux
                at += field & 0x7FFF  #if mux
            at += 2  #if mux
            continue  #if mux
        word = ptr32(frame + (field & 7))
        if field & 8:  #if motorola
            word = ptr32(mirror + (field & 7))  #if motorola
        size = (field >> 9) & 31
        value = (word[0] >> ((field >> 4) & 31)) & ((1 << size) - 1)
        if field & 0x4000:
            sign = 1 << (size - 1)
            value = (value ^ sign) - sign
        slots[field >> 16] = value
    return verdict


@micropython.viper
def pack(message: int, buf: ptr8) -> int:
    crc = 0
    table8 = ptr8(_TABLE)
    table = ptr32(table8)
    state = ptr32(ages)
    slots = ptr32(tx)
    at = _MESSAGES + message * 2
    head = table[at + 1]
    end = table[at + 2] & 0xFFFF
    at = table[at] & 0xFFFF
    word = ptr32(buf)
    word[0] = 0
    word[1] = 0
    frame = int(buf)
    swap = ptr8(_swap)  #if motorola
    word = ptr32(swap)  #if motorola
    word[0] = 0  #if motorola
    word[1] = 0  #if motorola
    mirror = int(swap)  #if motorola
    top = 1
    top = top << 31
    while at < end:
        field = table[at]
        at += 1
        value = slots[field >> 16]
        if field & 0x8000:  #if mux
            if value < table[at] or value > table[at + 1]:  #if mux
                at += field & 0x7FFF  #if mux
            at += 2  #if mux
            continue  #if mux
        value = (value ^ top) - top
        mask = (1 << ((field >> 9) & 31)) - 1
        high = mask
        low = 0
        if field & 0x4000:
            high = mask >> 1
            low = -1 - high
        if value < low:
            value = low
        if value > high:
            value = high
        word = ptr32(frame + (field & 7))
        if field & 8:  #if motorola
            word = ptr32(mirror + (field & 7))  #if motorola
        word[0] = word[0] | (value & mask) << ((field >> 4) & 31)
    at = 0  #if motorola
    while at < 8:  #if motorola
        buf[at] = buf[at] | swap[7 - at]  #if motorola
        at += 1  #if motorola
    if head & 16:
        counter = state[_E2E + message]
        buf[1] = buf[1] | counter
        counter += 1
        if counter == 15:
            counter = 0
        state[_E2E + message] = counter
        crc = (head >> 9) & 255
$(crc)
        buf[0] = crc
    return head & 15


@micropython.viper
def tick(ms: int) -> int:
    table = ptr32(_TABLE)
    age = ptr32(ages)
    late = 0
    bit = 1
    message = 0
    at = _MESSAGES
    while message < _RECEIVED:
        now = age[message]
        if now < 1000000:
            now += ms
            age[message] = now
        limit = (table[at] >> 16) & 0xFFFF
        if limit:
            if now >= limit:
                late |= bit
        bit = (bit << 1) & 0x3FFFFFFF
        message += 1
        at += 2
    return late


@micropython.viper
def start_values(message: int):
    table = ptr32(_TABLE)
    start = ptr32(_START)
    slots = ptr32(rx)
    if message < 0:
        return
    if message >= _RECEIVED:
        return
    slot = table[_MESSAGES + message * 2 + 1] >> 17
    end = $(rx_slots)
    if message < _RECEIVED - 1:
        end = table[_MESSAGES + message * 2 + 3] >> 17
    while slot < end:
        slots[slot] = start[slot]
        slot += 1


@micropython.viper
def due(ms: int) -> int:
    table = ptr32(_TABLE)
    left = ptr32(ages)
    top = 1
    top = top << 31
    ready = 0
    bit = 1
    at = _MESSAGES + _RECEIVED * 2
    slot = _COUNTDOWN
    while slot < _COUNTDOWN + _SENT:
        cycle = (table[at] >> 16) & 0xFFFF
        if cycle:
            time = (left[slot] ^ top) - top
            if time <= 0:
                ready |= bit
                time += cycle
            left[slot] = time - ms
        bit = (bit << 1) & 0x3FFFFFFF
        slot += 1
        at += 2
    return ready
"""
