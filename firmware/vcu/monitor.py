"""Second path (SF-04): judges the commanded torque from its own reading of the raw frames, with its own numbers.

It shares no code and no state with the control: it decodes and checks the frames itself, so byte arithmetic stands here
and nowhere else. It never grants; what it finds is latched.
"""

from array import array

import micropython
from micropython import const

# What it knows, in `memory`; it lives nowhere else. Signed ones are read as signals.py says.
_PEDALS_AGE = const(0)  # ticks since the last good frame
_FRONT_AGE = const(1)
_REAR_AGE = const(2)
_PEDALS_COUNTER = const(3)
_FRONT_COUNTER = const(4)
_REAR_COUNTER = const(5)
_GEAR = const(6)
_APPS1 = const(7)
_APPS2 = const(8)
_BRAKE = const(9)
_ONE_PEDAL = const(10)
_FRONT_TORQUE = const(11)  # 0.1 Nm
_REAR_TORQUE = const(12)
_FRONT_RPM = const(13)
_REAR_RPM = const(14)
_OVERRIDDEN = const(15)  # SF-03
_FALLING = const(16)  # front, rear: what the command may still be on its way to zero
_OUTSIDE = const(18)  # ticks that the command is outside its band
_HIGH = const(19)  # front, rear: most torque that the unit may still give
_LOW = const(21)  # front, rear: and least, with its sign turned
_WRONG = const(23)  # front, rear: ticks that it gives another
_PAST = const(25)  # front, rear of the last three commands, latest first
_VERDICT = const(31)
_RAN = const(32)  # it has judged in this tick (for the watchdog)
_HELD = const(33)  # ticks that the command has been on its way to zero
_SIZE = const(34)

_MIN1 = const(428)  # cal: monitor.apps1_min_mv [mv]
_SPAN1 = const(429)  # cal: monitor.apps1_span_mv [mv]
_MIN2 = const(430)  # cal: monitor.apps2_min_mv [mv]
_SPAN2 = const(431)  # cal: monitor.apps2_span_mv [mv]
_FULL = const(432)  # cal: monitor.full_dnm [dnm]
_REVERSE = const(433)  # cal: monitor.full_reverse_dnm [dnm]
_MARGIN = const(434)  # cal: monitor.pedal_margin_e4 [e4]
_CREEP = const(435)  # cal: monitor.creep_dnm [dnm]
_CREEP_RPM = const(436)  # cal: monitor.creep_below_rpm [rpm]
_REGEN = const(437)  # cal: monitor.regen_dnm [dnm]
_REGEN_ONE = const(438)  # cal: monitor.regen_one_pedal_dnm [dnm]
_REGEN_RPM = const(439)  # cal: monitor.regen_above_rpm [rpm]
_OVERRIDE = const(440)  # cal: monitor.override_e4 [e4]
_OVERRIDE_RPM = const(441)  # cal: monitor.override_above_rpm [rpm]
_FALL = const(442)  # cal: monitor.fall_dnm_per_tick [tick]
_FALL_AFTER = const(444)  # cal: monitor.fall_after_ticks [ticks]
_FALL_SLOW = const(443)  # cal: monitor.fall_slow_dnm_per_tick [tick]
_TOLERANCE = const(445)  # cal: monitor.tolerance_dnm [dnm]
_ACTUAL = const(446)  # cal: monitor.actual_tolerance_dnm [dnm]

_ALL = const(10_000)  # full travel
_RELEASED = const(500)
_SILENT_TICKS = const(4)  # older frames do not count
_TRIP_TICKS = const(2)
_ACTUAL_TICKS = const(5)
_SLOW_ZONE = const(100)  # 10 Nm
_FOLLOW = const(400)  # a unit changes its torque by 5000 Nm/s; 0.1 Nm a tick, with room for its lag,
_DELAY = const(3)  # and it begins, and tells, this many ticks later at most
_TRIPPED = const(1)  # bits of the verdict
_FRONT_DISOBEYS = const(2)
_REVERSE_GEAR = const(1)
_DRIVE_GEAR = const(3)


def _crc_table():
    # CRC-8 SAE J1850 (poly 0x1D) of a byte; then what it is after the DataIDs of pedals, front and rear unit
    table = bytearray(256 + 3)
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x1D if crc & 0x80 else crc << 1) & 0xFF
        table[byte] = crc
    for which in range(3):
        can_id = (0x0A0, 0x100, 0x101)[which]
        table[256 + which] = table[table[can_id & 0xFF] ^ can_id >> 8]
    return table


_CRCS = _crc_table()


@micropython.viper
def see(raw: ptr8, at: int, end: int, m: ptr32):
    """Take what is needed from the raw frames at the bytes `at` up to `end` (records as in can_port.py), if whole and
    fresh.
    """
    crcs = ptr8(_CRCS)
    while at < end:
        can_id = raw[at] | raw[at + 1] << 8
        if can_id == 0x0A0 or can_id == 0x100 or can_id == 0x101:
            which = 0 if can_id == 0x0A0 else can_id - 0xFF
            crc = crcs[256 + which]
            crc = crcs[crc ^ raw[at + 9]]
            crc = crcs[crc ^ raw[at + 10]]
            crc = crcs[crc ^ raw[at + 11]]
            crc = crcs[crc ^ raw[at + 12]]
            crc = crcs[crc ^ raw[at + 13]]
            crc = crcs[crc ^ raw[at + 14]]
            crc = crcs[crc ^ raw[at + 15]]
            counter = raw[at + 9] & 15
            whole = raw[at + 4] == 8 and crc == raw[at + 8]
            if whole and counter != 15 and counter != m[_PEDALS_COUNTER + which]:
                m[_PEDALS_COUNTER + which] = counter
                m[which] = 0
                if which:
                    m[_FRONT_TORQUE - 1 + which] = ((raw[at + 10] | raw[at + 11] << 8) ^ 0x8000) - 0x8000
                    m[_FRONT_RPM - 1 + which] = ((raw[at + 12] | raw[at + 13] << 8) ^ 0x8000) - 0x8000
                else:
                    m[_GEAR] = raw[at + 9] >> 4 & 7
                    m[_APPS1] = raw[at + 10] | (raw[at + 11] & 31) << 8
                    m[_APPS2] = raw[at + 11] >> 5 | raw[at + 12] << 3 | (raw[at + 13] & 3) << 11
                    pressure = raw[at + 13] >> 2 | (raw[at + 14] & 15) << 6
                    m[_BRAKE] = 1 if raw[at + 14] & 16 or pressure >= 50 else 0
                    m[_ONE_PEDAL] = raw[at + 14] >> 5 & 1
        at += 16


@micropython.viper
def judge(m: ptr32, cal: ptr32, front_dnm: int, rear_dnm: int, driving: int) -> int:
    """Once a tick, with what is about to be commanded. `driving`: Drive or Limp is what the bus is told.

    Returns bits: 1 no torque until a reset, 2 the front unit gives what nobody asked for, 4 the rear one.
    """
    # Band of the sum along the selected direction
    direction = 0
    high = 0
    low = 0
    at_once = 1
    if driving and m[_PEDALS_AGE] < _SILENT_TICKS:
        gear = m[_GEAR]
        direction = 1 if gear == _DRIVE_GEAR else -1 if gear == _REVERSE_GEAR else 0
        rpm = (m[_FRONT_RPM] & 0xFFFF ^ 0x8000) - 0x8000
        other = (m[_REAR_RPM] & 0xFFFF ^ 0x8000) - 0x8000
        if m[_FRONT_AGE] >= _SILENT_TICKS:
            rpm = other
        elif m[_REAR_AGE] < _SILENT_TICKS:
            rpm = (rpm + other) // 2
        # Lower of both sensors: it can never mean too much
        travel = (m[_APPS1] - cal[_MIN1]) * _ALL // cal[_SPAN1]
        other = (m[_APPS2] - cal[_MIN2]) * _ALL // cal[_SPAN2]
        if other < travel:
            travel = other
        if travel < _RELEASED:
            m[_OVERRIDDEN] = 0
        elif m[_BRAKE] and travel > cal[_OVERRIDE]:
            most = cal[_OVERRIDE_RPM]
            if rpm > most or rpm < 0 - most:
                m[_OVERRIDDEN] = 1  # SF-03
        at_once = m[_OVERRIDDEN] * 2  # 2: drive alone; regeneration may end as slowly as ever
        if direction:
            rpm *= direction
            if rpm > cal[_REGEN_RPM]:
                low = 0 - cal[_REGEN_ONE] if m[_ONE_PEDAL] else 0 - cal[_REGEN]
            if not at_once:
                if travel > 0:
                    full = cal[_FULL] if direction > 0 else cal[_REVERSE]
                    high = full * (travel + cal[_MARGIN]) // _ALL
                if rpm < cal[_CREEP_RPM] and high < cal[_CREEP]:
                    high = cal[_CREEP]
    total = front_dnm + rear_dnm
    sign = 1
    if direction < 0:
        sign = -1
        total = 0 - total

    # A command that was inside may fall to the band as slowly as TQ-06 has it
    if low <= total <= high:
        m[_HELD] = 0
        m[_FALLING] = front_dnm
        m[_FALLING + 1] = rear_dnm
    else:
        falling = 0
        held = m[_HELD] + 1
        if held > cal[_FALL_AFTER]:
            held = cal[_FALL_AFTER] + 1
        m[_HELD] = held
        unit = 0
        while unit < 2:
            now = (m[_FALLING + unit] & 0xFFFF ^ 0x8000) - 0x8000
            size = 0 - now if now < 0 else now
            if at_once == 1 or (at_once and now * sign > 0):
                size = 0
            elif held > cal[_FALL_AFTER]:  # TQ-10: the driveline's damping takes its time
                if size > _SLOW_ZONE:
                    size -= cal[_FALL]
                    if size < _SLOW_ZONE:
                        size = _SLOW_ZONE
                else:
                    size -= cal[_FALL_SLOW]
                    if size < 0:
                        size = 0
            now = 0 - size if now < 0 else size
            m[_FALLING + unit] = now
            falling += now * sign
            unit += 1
        if falling > high:
            high = falling
        elif falling < low:
            low = falling
    verdict = m[_VERDICT]
    outside = 0
    if total > high + cal[_TOLERANCE] or total < low - cal[_TOLERANCE]:
        outside = m[_OUTSIDE] + 1
        if outside >= _TRIP_TICKS:
            outside = _TRIP_TICKS
            verdict |= _TRIPPED
    m[_OUTSIDE] = outside

    # Actual against requested torque: too little is harmless, too much or the wrong way is not
    unit = 0
    while unit < 2:
        high = m[_HIGH + unit] - _FOLLOW
        low = _FOLLOW - m[_LOW + unit]
        if high < 0:
            high = 0
        if low > 0:
            low = 0
        command = rear_dnm if unit else front_dnm
        i = unit
        while i <= 2 * _DELAY + unit:
            if command > high:
                high = command
            elif command < low:
                low = command
            if i < 2 * _DELAY:
                older = (m[_PAST + i] & 0xFFFF ^ 0x8000) - 0x8000
                m[_PAST + i] = command
                command = older
            i += 2
        m[_HIGH + unit] = high
        m[_LOW + unit] = 0 - low
        actual = (m[_FRONT_TORQUE + unit] & 0xFFFF ^ 0x8000) - 0x8000
        wrong = 0
        if m[_FRONT_AGE + unit] < _SILENT_TICKS and (actual > high + cal[_ACTUAL] or actual < low - cal[_ACTUAL]):
            wrong = m[_WRONG + unit] + 1
            if wrong >= _ACTUAL_TICKS:
                wrong = _ACTUAL_TICKS
                verdict |= _FRONT_DISOBEYS << unit
        m[_WRONG + unit] = wrong
        m[_FRONT_AGE + unit] = m[_FRONT_AGE + unit] + 1
        unit += 1
    m[_PEDALS_AGE] = m[_PEDALS_AGE] + 1
    m[_VERDICT] = verdict
    m[_RAN] = 1
    return verdict


memory = array("i", bytes(4 * _SIZE))
for _i in range(3):
    memory[_PEDALS_AGE + _i] = 1000
    memory[_PEDALS_COUNTER + _i] = 15
