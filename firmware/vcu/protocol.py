"""CAN protocol of VCU, generated from powertrain.dbc by `twinaxle dbc generate`. Do not edit.

Raw integers only; nothing here allocates once the module is loaded.

rx, tx        array('i'): a slot for each received / sent application signal (not CRC and counter), start values at
              import. A signal of more than 25 bits (or a float's bit pattern) has one for each 16 bits, lowest first.
ages          array('i'): ages[message] is the time in ms since the last good frame (past 1000000: never)
accept(at, end, frames) -> verdict on the last one: takes the frames at .. end - 1 of a buffer that holds 16 bytes for
              each: identifier (4), length (4), data (8). A verdict up to 1 is a good frame:
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

# ruff: noqa: F821, SIM102 (ptr8 and ptr32 are viper's; a condition in a condition is shorter machine code)
from array import array

import micropython
from micropython import const


def _crc_table():
    table = bytearray(256)
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x1D if crc & 0x80 else crc << 1) & 0xFF
        table[byte] = crc
    return bytes(table)


_RECEIVED = const(13)  # messages
_SENT = const(8)  # messages
_MESSAGES = const(256)  # byte of _TABLE: 8 bytes for each message
_IDS = const(432)  # byte of _TABLE: identifiers of received messages, by their fold
_FOLD = const(2)  # bits
_MASK = const(15)  # of the fold
_FREE = const(2048)  # marks a bucket without identifier
_NOW = const(1048576)  # in the place of a message that is due
_E2E = const(13)  # place in ages, from that of the message on
_COUNTDOWN = const(34)  # place in ages
RECEIVED = _RECEIVED
SENT = _SENT
PROTOCOL_HASH_LOW = 0xCF96
PROTOCOL_HASH_HIGH = 0x7D24

# CRC table, messages (first byte of the program, time in ms; length, E2E, first slot), identifiers,
# programs: one word for each signal (see `twinaxle.dbc.layout`).
_TABLE = _crc_table() + (
    b"\x38\x02\x1e\x00\x58\x78\x01\x00"  # PedalsDriver
    b"\x5c\x02\x1e\x00\x58\x10\x10\x00"  # EscWheelSpeeds
    b"\x74\x02\x1e\x00\x58\x88\x1a\x00"  # EscMotion
    b"\x88\x02\x1e\x00\x58\x3a\x28\x00"  # InvFrontStatus
    b"\x98\x02\x1e\x00\x58\xa2\x38\x00"  # InvRearStatus
    b"\xa8\x02\x1e\x00\x58\x52\x49\x00"  # InvFrontLimits
    b"\xb4\x02\x1e\x00\x58\xca\x51\x00"  # InvRearLimits
    b"\xc0\x02\x2c\x01\x58\xd0\x58\x00"  # BmsLimits
    b"\xd0\x02\x3c\x00\x58\x48\x5e\x00"  # BmsPack
    b"\xe4\x02\x2c\x01\x58\xe0\x69\x00"  # BmsStatus
    b"\x04\x03\x2c\x01\x58\xa8\x79\x00"  # InvFrontTemps
    b"\x10\x03\x2c\x01\x58\x30\x7f\x00"  # InvRearTemps
    b"\x1c\x03\x00\x00\x08\x00\x84\x00"  # DiagRequest
    b"\x20\x03\x0a\x00\x58\x92\x01\x00"  # VcuInvFrontCommand
    b"\x38\x03\x0a\x00\x58\x0a\x0b\x00"  # VcuInvRearCommand
    b"\x50\x03\x14\x00\x58\xfa\x14\x00"  # VcuHvCommand
    b"\x58\x03\x14\x00\x58\xb8\x17\x00"  # VcuStatus
    b"\x80\x03\x64\x00\x08\x00\x28\x00"  # VcuTiming
    b"\x9c\x03\xe8\x03\x08\x00\x34\x00"  # VcuIdentity
    b"\xb0\x03\x64\x00\x08\x00\x3c\x00"  # VcuFault
    b"\xc8\x03\x00\x00\x08\x00\x46\x00"  # DiagResponse
    b"\xec\x03\x00\x00\x00\x00\x00\x00"  # end
    b"\x00\x01\x00\x00\x0c\x00\x00\x00\x01\x01\x00\x00\x10\x00\x00\x00"
    b"\x80\x01\x00\x00\x28\x00\x00\x00\x81\x01\x00\x00\x2c\x00\x00\x00"
    b"\x10\x01\x00\x00\x14\x00\x00\x00\x11\x01\x00\x00\x18\x00\x00\x00"
    b"\x00\x08\x00\x00\x00\x00\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00"
    b"\xa0\x00\x00\x00\x00\x00\x00\x00\x20\x01\x00\x00\x1c\x00\x00\x00"
    b"\x21\x01\x00\x00\x20\x00\x00\x00\x22\x01\x00\x00\x24\x00\x00\x00"
    b"\xb0\x00\x00\x00\x04\x00\x00\x00\xb1\x00\x00\x00\x08\x00\x00\x00"
    b"\xe0\x07\x00\x00\x30\x00\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00"
    b"\x00\x08\x00\x00\x00\x00\x00\x00"
    # PedalsDriver: Gear, StartButton, Apps1, Apps2, BrakePressure, BrakeSwitch, OnePedal, DriveMode
    b"\x41\x06\x00\x00\x71\x02\x01\x00\x02\x1a\x02\x00\x53\x1a\x03\x00"
    b"\xa4\x14\x04\x00\x44\x03\x05\x00\x54\x03\x06\x00\x64\x05\x07\x00"
    b"\x00\x00\x00\x00"
    # EscWheelSpeeds: Valid, FrontLeft, FrontRight, RearLeft, RearRight
    b"\x41\x08\x08\x00\x02\x18\x09\x00\x43\x18\x0a\x00\x84\x18\x0b\x00"
    b"\x44\x19\x0c\x00\x00\x00\x00\x00"
    # EscMotion: AbsActive, EscActive, TorqueMaxValid, AccelX, AccelY, YawRate, TorqueMax
    b"\x41\x02\x0d\x00\x61\x02\x0f\x00\x02\x58\x10\x00\x44\x19\x13\x00"
    b"\x00\x00\x00\x00"
    # InvFrontStatus: State, TorqueActual, Speed, EchoCounter, GatesOn, Derating, Warning, FaultCode
    b"\x41\x08\x14\x00\x02\x60\x15\x00\x04\x60\x16\x00\x00\x00\x00\x00"
    # InvRearStatus: State, TorqueActual, Speed, EchoCounter, GatesOn, Derating, Warning, FaultCode
    b"\x41\x08\x1c\x00\x02\x60\x1d\x00\x04\x60\x1e\x00\x00\x00\x00\x00"
    # InvFrontLimits: TorqueAvailableDrive, TorqueAvailableRegen, DcVoltage, DcCurrent
    b"\x02\x18\x24\x00\x43\x18\x25\x00\x00\x00\x00\x00"
    # InvRearLimits: TorqueAvailableDrive, TorqueAvailableRegen, DcVoltage, DcCurrent
    b"\x02\x18\x28\x00\x43\x18\x29\x00\x00\x00\x00\x00"
    # BmsLimits: DischargePowerMax, ChargePowerMax, Soc
    b"\x02\x20\x2c\x00\x04\x20\x2d\x00\x04\x15\x2e\x00\x00\x00\x00\x00"
    # BmsPack: ContactorState, PackVoltage, LinkVoltage, PackCurrent, Isolation
    b"\x41\x08\x2f\x00\x02\x18\x30\x00\x43\x18\x31\x00\x84\x5a\x32\x00"
    b"\x00\x00\x00\x00"
    # BmsStatus: FaultLevel, HvilClosed, CellTempMin, CellTempMax, CellVoltageMin, CellVoltageMax, PlugConnected, Charg
    b"\x41\x06\x34\x00\x71\x02\x35\x00\x02\x10\x36\x00\x03\x10\x37\x00"
    b"\x04\x18\x38\x00\xc4\x18\x39\x00\x84\x03\x3a\x00\x00\x00\x00\x00"
    # InvFrontTemps: TempStator, TempInverter, TempCoolant
    b"\x02\x10\x3c\x00\x03\x10\x3d\x00\x00\x00\x00\x00"
    # InvRearTemps: TempStator, TempInverter, TempCoolant
    b"\x02\x10\x3f\x00\x03\x10\x40\x00\x00\x00\x00\x00"
    # DiagRequest: Data0, Data1, Data2, Data3, Data4, Data5, Data6, Data7
    b"\x00\x00\x00\x00"
    # VcuInvFrontCommand: Mode, TorqueRequest, TorqueLimitDrive, TorqueLimitRegen, SpeedLimit
    b"\x41\x08\x00\x00\x02\x60\x01\x00\x04\x18\x02\x00\xc4\x18\x03\x00"
    b"\x84\x11\x04\x00\x00\x00\x00\x00"
    # VcuInvRearCommand: Mode, TorqueRequest, TorqueLimitDrive, TorqueLimitRegen, SpeedLimit
    b"\x41\x08\x05\x00\x02\x60\x06\x00\x04\x18\x07\x00\xc4\x18\x08\x00"
    b"\x84\x11\x09\x00\x00\x00\x00\x00"
    # VcuHvCommand: HvRequest
    b"\x41\x08\x0a\x00\x00\x00\x00\x00"
    # VcuStatus: State, TorqueDemand, TorqueGranted, RearShare, LimitReason, FaultLevel, DriveReady, StopLamp, AllowRev
    b"\x41\x08\x0b\x00\x02\x5c\x0c\x00\x63\x5c\x0d\x00\xc4\x10\x0e\x00"
    b"\x44\x09\x0f\x00\x84\x05\x10\x00\xa4\x03\x11\x00\xb4\x03\x12\x00"
    b"\xc4\x03\x13\x00\x00\x00\x00\x00"
    # VcuTiming: TickTimeMax, TickJitterMax, HeapFree, RxOverruns, BusOffCount, ResetCause
    b"\x00\x20\x14\x00\x02\x20\x15\x00\x04\x18\x16\x00\xc4\x10\x17\x00"
    b"\x44\x09\x18\x00\x84\x09\x19\x00\x00\x00\x00\x00"
    # VcuIdentity: ProtocolHash, FirmwareVersion, CalibrationHash
    b"\x00\x20\x1a\x00\x02\x20\x1b\x00\x04\x20\x1c\x00\x04\x21\x1d\x00"
    b"\x00\x00\x00\x00"
    # VcuFault: Index, Count, Dtc, Status, Occurrences
    b"\x00\x10\x1e\x00\x01\x10\x1f\x00\x02\x20\x20\x00\x04\x10\x21\x00"
    b"\x84\x10\x22\x00\x00\x00\x00\x00"
    # DiagResponse: Data0, Data1, Data2, Data3, Data4, Data5, Data6, Data7
    b"\x00\x10\x23\x00\x01\x10\x24\x00\x02\x10\x25\x00\x03\x10\x26\x00"
    b"\x04\x10\x27\x00\x84\x10\x28\x00\x04\x11\x29\x00\x84\x11\x2a\x00"
    b"\x00\x00\x00\x00"
)
# Start values of the received messages.
_START = (
    # PedalsDriver
    b"\x07\x00\x00\x00\xf4\x01\xfa\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    # EscWheelSpeeds
    b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    # EscMotion
    b"\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    # InvFrontStatus
    b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    # InvRearStatus
    b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    # InvFrontLimits
    b"\x00\x00\x00\x00\x00\x00\x00\x00"
    # InvRearLimits
    b"\x00\x00\x00\x00\x00\x00\x00\x00"
    # BmsLimits
    b"\x00\x00\x00\x00\x00\x00"
    # BmsPack
    b"\x0f\x00\x00\x00\xff\x0f\x00\x00\x00\x00"
    # BmsStatus
    b"\x03\x00\x00\x00\x00\x00\xff\x00\x00\x00\xff\x0f\x01\x00\x00\x00"
    # InvFrontTemps
    b"\xff\x00\xff\x00\xff\x00"
    # InvRearTemps
    b"\xff\x00\xff\x00\xff\x00"
    # DiagRequest
    b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
)
_STARTS = array("i", array("h", _START))
rx = array("i", _STARTS)
tx = array("i", bytes(172))
# Ages of the received messages, E2E state of all (bits 0-3 next counter, 4 resynchronising, 5 nothing yet), time to the
# next sending of the sent ones (plus _NOW).
ages = array("i", [1000000] * 13 + [32] * 13 + [0] * 8 + [_NOW + phase for phase in (0, 0, 0, 10, 0, 20, 10, 0)])


# Viper keeps the first two locals in registers, arguments first: that is why they are used again for other things.


@micropython.viper
def accept(at: int, end: int, frames: ptr8) -> int:
    frame = int(frames) + at * 16 - 16
    last = int(frames) + end * 16 - 16
    table = ptr8(_TABLE)
    slots = ptr32(rx)
    states = int(ptr8(ages))
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
            end = ptr8(at)[end ^ buf[1]]
            end = ptr8(at)[end ^ buf[2]]
            end = ptr8(at)[end ^ buf[3]]
            end = ptr8(at)[end ^ buf[4]]
            end = ptr8(at)[end ^ buf[5]]
            end = ptr8(at)[end ^ buf[6]]
            end = ptr8(at)[end ^ buf[7]]
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
        at = int(table) + (entry[0] & 0xFFFF)  # the place in the program from here on; end is the field
        end = ptr32(at)[0]
        while end:
            value = (ptr32(int(buf) + (end & 7))[0] >> ((end >> 4) & 31)) & ((1 << ((end >> 9) & 31)) - 1)
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
    top = 1
    top = top << 31
    while left:
        if left & 1:
            head = entry[1]
            ptr32(buf)[0] = 0
            ptr32(buf)[1] = 0
            ready = int(table) + (entry[0] & 0xFFFF)  # the place in the program from here on
            field = ptr32(ready)[0]
            while field:
                value = slots[field >> 16]
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
                place = ptr32(int(buf) + (field & 7))
                place[0] = place[0] | value << ((field >> 4) & 31)
                ready += 4
                field = ptr32(ready)[0]
            if head & 16:
                value = state[_E2E]
                buf[1] = buf[1] | value
                value += 1
                if value == 15:
                    value = 0
                state[_E2E] = value
                ready = (head >> 9) & 255  # the CRC from here on
                ready = table[ready ^ buf[1]]
                ready = table[ready ^ buf[2]]
                ready = table[ready ^ buf[3]]
                ready = table[ready ^ buf[4]]
                ready = table[ready ^ buf[5]]
                ready = table[ready ^ buf[6]]
                ready = table[ready ^ buf[7]]
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
            if limit:
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
    end = 74
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
                ready |= 1 << message
                time += cycle
            left[message] = time
    return ready


FILTERS = (
    (0x100, 0x7EE, 0),
    (0xA0, 0x7EF, 0),
    (0x180, 0x7FE, 0),
    (0xB1, 0x7FF, 0),
    (0x122, 0x7FF, 0),
    (0x120, 0x7FE, 0),
    (0x7E0, 0x7FF, 0),
)
SCHEDULE = (
    (13, 0x80, 8, 10, 0),  # VcuInvFrontCommand
    (14, 0x81, 8, 10, 0),  # VcuInvRearCommand
    (15, 0x90, 8, 20, 0),  # VcuHvCommand
    (16, 0x130, 8, 20, 10),  # VcuStatus
    (17, 0x131, 8, 100, 0),  # VcuTiming
    (18, 0x132, 8, 1000, 20),  # VcuIdentity
    (19, 0x133, 8, 100, 10),  # VcuFault
    (20, 0x7E8, 8, 0, 0),  # DiagResponse
)
