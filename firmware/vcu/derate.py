"""Less torque from what is hot, cold, empty, full, or at the end of its voltage (LM-02).

Temperatures and voltages change slowly, so one curve is read in each tick. When all have been read, the lowest share of
each group is what its limit goes to, by 100 Nm/s at most.
"""

from array import array

import micropython
from micropython import const

from vcu.interp import curve

_FRONT_STATOR = const(60)  # dbc: InvFrontTemps.TempStator [1,-40 degC]
_FRONT_INVERTER = const(61)  # dbc: InvFrontTemps.TempInverter [1,-40 degC]
_REAR_STATOR = const(63)  # dbc: InvRearTemps.TempStator [1,-40 degC]
_REAR_INVERTER = const(64)  # dbc: InvRearTemps.TempInverter [1,-40 degC]
_SOC = const(46)  # dbc: BmsLimits.Soc [0.1 %]
_LINK = const(49)  # dbc: BmsPack.LinkVoltage [0.2 V]
_COLDEST = const(54)  # dbc: BmsStatus.CellTempMin [1,-40 degC]
_HOTTEST = const(55)  # dbc: BmsStatus.CellTempMax [1,-40 degC]
_LOWEST = const(56)  # dbc: BmsStatus.CellVoltageMin [2 mV]
_HIGHEST = const(57)  # dbc: BmsStatus.CellVoltageMax [2 mV]

_POINTS = const(4)  # cal: derate.stator_c40.length
_STATOR = const(314)  # cal: derate.stator_c40 [c40] The shares follow, here and below
_INVERTER = const(322)  # cal: derate.inverter_c40 [c40]
_CELLS_HOT = const(330)  # cal: derate.cells_hot_c40 [c40]
_CELLS_COLD = const(338)  # cal: derate.cells_cold_c40 [c40]
_CELLS_COLD_REGEN = const(346)  # cal: derate.cells_cold_regen_c40 [c40]
_EMPTY = const(354)  # cal: derate.empty_e3 [e3]
_FULL = const(362)  # cal: derate.full_e3 [e3]
_CELL_LOW = const(370)  # cal: derate.cell_low_mv [mv]
_CELL_HIGH = const(378)  # cal: derate.cell_high_mv [mv]
_LINK_LOW = const(386)  # cal: derate.link_low_dv [dv]
_LINK_HIGH = const(394)  # cal: derate.link_high_dv [dv]
_TORQUE_MAX = const(309)  # cal: motor.torque_max_dnm [dnm]
_SLEW = const(402)  # cal: derate.slew_dnm_per_tick [tick]

_STATOR_HOT = const(4)  # dbc: VcuStatus.LimitReason.StatorTemp
_INVERTER_HOT = const(5)  # dbc: VcuStatus.LimitReason.InverterTemp
_CELL_TEMP = const(6)  # dbc: VcuStatus.LimitReason.CellTemp
_CHARGE = const(7)  # dbc: VcuStatus.LimitReason.Soc
_VOLTAGE = const(8)  # dbc: VcuStatus.LimitReason.Voltage

_DRIVING = const(1)  # sig: driving
_FRONT_DRIVE = const(15)  # sig: front_drive_dnm
_FRONT_REGEN = const(16)  # sig: front_regen_dnm
_REAR_DRIVE = const(25)  # sig: rear_drive_dnm
_CAR_DRIVE = const(105)  # sig: car_drive_dnm
_CAR_REGEN = const(106)  # sig: car_regen_dnm
_REASON_DRIVE = const(107)  # sig: derated_drive
_REASON_REGEN = const(108)  # sig: derated_regen

# Groups: torque of one unit both ways, of both units one way
_FRONT = const(0)
_REAR = const(1)
_DRIVE = const(2)
_REGEN = const(3)

# Received slot, factor to the unit of the curve, slot of the curve, group, reason. (A list: the compiler would store a
# tuple of constants as text.)
ROWS = array(
    "i",
    [
        _FRONT_STATOR, 1, _STATOR, _FRONT, _STATOR_HOT,
        _FRONT_INVERTER, 1, _INVERTER, _FRONT, _INVERTER_HOT,
        _REAR_STATOR, 1, _STATOR, _REAR, _STATOR_HOT,
        _REAR_INVERTER, 1, _INVERTER, _REAR, _INVERTER_HOT,
        _HOTTEST, 1, _CELLS_HOT, _DRIVE, _CELL_TEMP,
        _COLDEST, 1, _CELLS_COLD, _DRIVE, _CELL_TEMP,
        _SOC, 1, _EMPTY, _DRIVE, _CHARGE,
        _LOWEST, 2, _CELL_LOW, _DRIVE, _VOLTAGE,
        _LINK, 2, _LINK_LOW, _DRIVE, _VOLTAGE,
        _HOTTEST, 1, _CELLS_HOT, _REGEN, _CELL_TEMP,
        _COLDEST, 1, _CELLS_COLD_REGEN, _REGEN, _CELL_TEMP,
        _SOC, 1, _FULL, _REGEN, _CHARGE,
        _HIGHEST, 2, _CELL_HIGH, _REGEN, _VOLTAGE,
        _LINK, 2, _LINK_HIGH, _REGEN, _VOLTAGE,
    ],
)  # fmt: skip

_ROW = const(5)
_SIZE = const(70)
_ALL = const(1000)
# In `shares`: the next row; for each group the lowest share of this round and its reason, those of the last round, and
# the limit as it is now
_AT = const(0)
_LOWEST_YET = const(1)
_REASON_YET = const(5)
_SHARE = const(9)
_REASON = const(13)
_LIMIT = const(17)
_GROUPS = const(4)


@micropython.viper
def step(m: ptr32, s: ptr32, rx: ptr32, calibration):
    """Once a tick, between demand and limits; `m` is `shares`."""
    cal = ptr32(calibration)
    row = ptr32(ROWS)
    at = m[_AT]
    value = rx[row[at]] * row[at + 1]
    axis = row[at + 2]
    share = int(curve(calibration, axis, axis + _POINTS, _POINTS, value))
    group = row[at + 3]
    if share < m[_LOWEST_YET + group]:
        m[_LOWEST_YET + group] = share
        m[_REASON_YET + group] = row[at + 4]
    at += _ROW
    if at == _SIZE:
        at = 0
        group = 0
        while group < _GROUPS:
            m[_SHARE + group] = m[_LOWEST_YET + group]
            m[_REASON + group] = m[_REASON_YET + group]
            m[_LOWEST_YET + group] = _ALL
            m[_REASON_YET + group] = 0
            group += 1
    m[_AT] = at

    group = 0
    while group < _GROUPS:
        motors = 1 if group <= 1 else 2
        target = cal[_TORQUE_MAX] * motors * m[_SHARE + group] // _ALL
        limit = m[_LIMIT + group]
        most = cal[_SLEW]  # of both as well: the shares may put all of a change on one motor
        if not s[_DRIVING]:
            limit = target
        elif target > limit + most:
            limit += most
        elif target < limit - most:
            limit -= most
        else:
            limit = target
        m[_LIMIT + group] = limit
        group += 1

    # What each unit may still give, and why it is less than what it can
    s[_REASON_DRIVE] = m[_REASON + 2]
    s[_REASON_REGEN] = m[_REASON + 3]
    s[_CAR_DRIVE] = m[_LIMIT + 2]
    s[_CAR_REGEN] = m[_LIMIT + 3]
    group = 0
    while group < 2:
        of = group * (_REAR_DRIVE - _FRONT_DRIVE)
        limit = m[_LIMIT + group]
        if s[of + _FRONT_DRIVE] > limit:
            s[of + _FRONT_DRIVE] = limit
            s[_REASON_DRIVE] = m[_REASON + group]
        if s[of + _FRONT_REGEN] > limit:
            s[of + _FRONT_REGEN] = limit
            s[_REASON_REGEN] = m[_REASON + group]
        group += 1


shares = array("i", [0] + 2 * (4 * [_ALL] + 4 * [0]) + 4 * [0])
