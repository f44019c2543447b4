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


# Viper keeps the first two locals in registers, arguments first: that is why they are used again for other things.


@micropython.viper
def index(can_id: int) -> int:
    low = int(ptr8(_TABLE)) + _IDS
    high = low + 4 * _RECEIVED
    first = low
    while low < high:
        middle = low + ((high - low) >> 3 << 2)
        if ptr32(middle)[0] < can_id:
            low = middle + 4
        else:
            high = middle
    high = (low - first) >> 2
    if high < _RECEIVED:
        if ptr32(low)[0] == can_id:
            return high
    return -1


@micropython.viper
def accept(message: int, buf: ptr8, length: int) -> int:
    if message < 0:
        return 9
    if message >= _RECEIVED:
        return 9
    table = ptr8(_TABLE)
    entry = ptr32(int(table) + _MESSAGES + message * 8)
    head = entry[1]
    if length != head & 15:
        return 8
    state = ptr32(int(ptr8(ages)) + message * 4)
    verdict = 0
    if head & 16:
        length = (head >> 9) & 255  # the CRC from here on
$(accept_crc)
        if length != buf[0]:
            return 4
        length = buf[1] & 15  # the counter from here on
        if length == 15:
            return 7
        last = state[_E2E]
        if last & 32:
            state[_E2E] = length
            return 5
        delta = length - (last & 15)
        if delta == 0:
            return 2
        if delta < 0:
            delta += 15
        if delta > (head >> 5) & 15:
            state[_E2E] = length | 16
            return 3
        state[_E2E] = length
        if last & 16:
            return 6
        if delta > 1:
            verdict = 1
    state[0] = 0
    slots = ptr32(rx)
    swap = ptr8(_swap)  #if motorola
    length = 0  #if motorola
    while length < 8:  #if motorola
        swap[7 - length] = buf[length]  #if motorola
        length += 1  #if motorola
    end = int(table) + (entry[2] & 0xFFFF)
    message = int(table) + (entry[0] & 0xFFFF)  # the place in the program from here on; length is the field
    while message < end:
        length = ptr32(message)[0]
        message += 4
        if length & 0x8000:  #if mux
            value = slots[length >> 16]  #if mux
            if value < ptr32(message)[0] or value > ptr32(message)[1]:  #if mux
                message += (length & 0x7FFF) << 2  #if mux
            message += 8  #if mux
            continue  #if mux
        word = int(buf)  #if motorola
        if length & 8:  #if motorola
            word = int(swap)  #if motorola
        value = (ptr32($(word) + (length & 7))[0] >> ((length >> 4) & 31)) & ((1 << ((length >> 9) & 31)) - 1)
        if length & 0x4000:
            sign = 1 << (((length >> 9) & 31) - 1)
            value = (value ^ sign) - sign
        slots[length >> 16] = value
    return verdict


@micropython.viper
def pack(message: int, buf: ptr8) -> int:
    value = 0
    table = ptr8(_TABLE)
    entry = ptr32(int(table) + _MESSAGES + message * 8)
    state = ptr32(int(ptr8(ages)) + message * 4)
    slots = ptr32(tx)
    head = entry[1]
    ptr32(buf)[0] = 0
    ptr32(buf)[1] = 0
    swap = ptr8(_swap)  #if motorola
    ptr32(swap)[0] = 0  #if motorola
    ptr32(swap)[1] = 0  #if motorola
    top = 1
    top = top << 31
    end = int(table) + (entry[2] & 0xFFFF)
    message = int(table) + (entry[0] & 0xFFFF)  # the place in the program from here on
    while message < end:
        field = ptr32(message)[0]
        message += 4
        value = slots[field >> 16]
        if field & 0x8000:  #if mux
            if value < ptr32(message)[0] or value > ptr32(message)[1]:  #if mux
                message += (field & 0x7FFF) << 2  #if mux
            message += 8  #if mux
            continue  #if mux
        value = (value ^ top) - top
        high = (1 << ((field >> 9) & 31)) - 1
        if field & 0x4000:
            high = high >> 1
            if value < -1 - high:
                value = -1 - high
            if value > high:
                value = high
            value &= high << 1 | 1
        else:
            if value < 0:
                value = 0
            if value > high:
                value = high
        word = int(buf)  #if motorola
        if field & 8:  #if motorola
            word = int(swap)  #if motorola
        place = ptr32($(word) + (field & 7))
        place[0] = place[0] | value << ((field >> 4) & 31)
    message = 0  #if motorola
    while message < 8:  #if motorola
        buf[message] = buf[message] | swap[7 - message]  #if motorola
        message += 1  #if motorola
    if head & 16:
        value = state[_E2E]
        buf[1] = buf[1] | value
        value += 1
        if value == 15:
            value = 0
        state[_E2E] = value
        value = (head >> 9) & 255  # the CRC from here on
$(pack_crc)
        buf[0] = value
    return head & 15


@micropython.viper
def tick(ms: int) -> int:
    now = 0
    message = ptr32(ages)
    entry = ptr32(int(ptr8(_TABLE)) + _MESSAGES)
    end = int(message) + 4 * _RECEIVED
    late = 0
    bit = 1
    while int(message) < end:
        now = message[0]
        if now < 1000000:
            now += ms
            message[0] = now
        limit = (entry[0] >> 16) & 0xFFFF
        if limit:
            if now >= limit:
                late |= bit
        bit = (bit << 1) & 0x3FFFFFFF
        message = ptr32(int(message) + 4)
        entry = ptr32(int(entry) + 8)
    return late


@micropython.viper
def start_values(message: int):
    if message < 0:
        return
    if message >= _RECEIVED:
        return
    entry = ptr32(int(ptr8(_TABLE)) + _MESSAGES + message * 8)
    start = ptr32(_START)
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
    time = 0
    message = ptr32(int(ptr8(ages)) + 4 * _COUNTDOWN)
    entry = ptr32(int(ptr8(_TABLE)) + _MESSAGES + 8 * _RECEIVED)
    end = int(message) + 4 * _SENT
    top = 1
    top = top << 31
    ready = 0
    bit = 1
    while int(message) < end:
        cycle = (entry[0] >> 16) & 0xFFFF
        if cycle:
            time = (message[0] ^ top) - top
            if time <= 0:
                ready |= bit
                time += cycle
            message[0] = time - ms
        bit = (bit << 1) & 0x3FFFFFFF
        message = ptr32(int(message) + 4)
        entry = ptr32(int(entry) + 8)
    return ready
"""
