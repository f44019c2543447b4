"""What the car allows of the demand: battery power, motors, stability control; and who may withdraw torque at once.

`step` lowers the demand, which then takes its way through the slew. The two `most_` signals are magnitudes along the
direction that hold without slew: fault cuts, TorqueMax (TQ-08), ABS. One place grants torque, many withdraw it here.
"""

import micropython
from micropython import const

from vcu.split import regen_most_rear

_ABS = const(13)  # dbc: EscMotion.AbsActive
_CAP_VALID = const(15)  # dbc: EscMotion.TorqueMaxValid
_CAP = const(19)  # dbc: EscMotion.TorqueMax [0.2 Nm]
_DISCHARGE = const(44)  # dbc: BmsLimits.DischargePowerMax [10 W]
_CHARGE = const(45)  # dbc: BmsLimits.ChargePowerMax [10 W]
_PEDALS = const(1)  # dbc: PedalsDriver:bit
_BMS_LIMITS = const(7)  # dbc: BmsLimits
_BMS_STATUS = const(9)  # dbc: BmsStatus
_BMS_PACK = const(8)  # dbc: BmsPack

_LATE_MS = const(426)  # cal: timing.bms_late_ms [ms]
_LOST_MS = const(427)  # cal: timing.bms_lost_ms [ms]
_LATE_POWER = const(403)  # cal: battery.late_power_daw [daw]
_AUXILIARY = const(404)  # cal: battery.auxiliary_daw [daw]
_LOSS_FIXED = const(405)  # cal: loss.fixed_w [w]
_LOSS_SPEED = const(406)  # cal: loss.speed_mw_per_rpm [rpm]
_LOSS_SPEED2 = const(407)  # cal: loss.speed_squared_e5 [e5]
_LOSS_TORQUE = const(408)  # cal: loss.torque_mw_per_dnm [dnm]
_LOSS_TORQUE2 = const(409)  # cal: loss.torque_squared_e3 [e3]
_LOSS_BOTH = const(410)  # cal: loss.torque_speed_e3 [e3]
_WEAK_RPM = const(411)  # cal: loss.weakening_rpm [rpm]
_WEAK_W = const(412)  # cal: loss.weakening_w [w]
_WEAK_PERCENT = const(413)  # cal: loss.weakening_copper_percent [percent]

_NONE = const(0)  # dbc: VcuStatus.LimitReason.None
_MOTOR = const(1)  # dbc: VcuStatus.LimitReason.MotorEnvelope
_BATTERY_OUT = const(2)  # dbc: VcuStatus.LimitReason.BatteryDischarge
_BATTERY_IN = const(3)  # dbc: VcuStatus.LimitReason.BatteryCharge
_ESC = const(9)  # dbc: VcuStatus.LimitReason.EscRequest
_SPEED = const(11)  # dbc: VcuStatus.LimitReason.SpeedLimit
_ONE_UNIT = const(12)  # dbc: VcuStatus.LimitReason.OneUnit
_LATE = const(13)  # dbc: VcuStatus.LimitReason.BmsLate
_FAULT = const(14)  # dbc: VcuStatus.LimitReason.Fault
_DRIVER = const(15)  # dbc: VcuStatus.LimitReason.DriverInput

_STATE_DRIVING = const(1)  # sig: driving
_MESSAGES_LATE = const(4)  # sig: late
_REARMING = const(6)  # sig: rearming
_FRONT_ABLE = const(10)  # sig: front_able
_FRONT_LOST = const(11)  # sig: front_lost
_FRONT_DRIVE = const(15)  # sig: front_drive_dnm
_FRONT_REGEN = const(16)  # sig: front_regen_dnm
_REAR_ABLE = const(20)  # sig: rear_able
_REAR_LOST = const(21)  # sig: rear_lost
_REAR_DRIVE = const(25)  # sig: rear_drive_dnm
_REAR_REGEN = const(26)  # sig: rear_regen_dnm
_RPM = const(30)  # sig: rpm
_PEDAL_FAULT = const(35)  # sig: pedal_fault
_OVERRIDE = const(36)  # sig: override
_DIRECTION = const(40)  # sig: direction
_STOP = const(63)  # sig: stop
_TRIPPED = const(79)  # sig: tripped
_DEMAND = const(69)  # sig: demand_dnm
_SPEED_LIMITED = const(70)  # sig: speed_limited
_LIMITED = const(71)  # sig: limited_dnm
_MOST_DRIVE = const(72)  # sig: most_drive_dnm
_MOST_REGEN = const(73)  # sig: most_regen_dnm
_REASON = const(74)  # sig: reason
_RPM_BEFORE = const(110)  # sig: rpm_before
_FRONT_DNM = const(77)  # sig: front_dnm
_REAR_DNM = const(78)  # sig: rear_dnm
_CAR_DRIVE = const(105)  # sig: car_drive_dnm
_CAR_REGEN = const(106)  # sig: car_regen_dnm
_DERATED_DRIVE = const(107)  # sig: derated_drive
_DERATED_REGEN = const(108)  # sig: derated_regen

_RPM_MOST = const(16_000)  # the loss model's products stay small
_AHEAD_TICKS = const(2)  # from the speed on the bus to the torque at the shaft
_DNM_RPM_PER_DAW = const(955)  # 0.1 Nm * 1 rpm is 10.47 mW, so 955 of them are 10 W


@micropython.viper
def loss_w(cal: ptr32, torque_dnm: int, rpm: int) -> int:
    """Loss of one drive unit in W at a torque and speed, both as magnitudes."""
    # Each term is divided before the next product, so that all stay inside +-2**30 up to 400 Nm and 16,000 rpm
    loss = cal[_LOSS_FIXED] + (cal[_LOSS_SPEED] * rpm + cal[_LOSS_TORQUE] * torque_dnm) // 1000
    loss += cal[_LOSS_SPEED2] * (rpm * rpm // 1000) // 100_000
    copper = cal[_LOSS_TORQUE2] * (torque_dnm * torque_dnm // 1000) // 1000
    over = (rpm - cal[_WEAK_RPM]) * 1000 // cal[_WEAK_RPM]
    if over > 0:
        loss += cal[_WEAK_W] * (over * over // 1000) // 1000
        copper += copper * (over * cal[_WEAK_PERCENT] // 100) // 1000
    return loss + copper + cal[_LOSS_BOTH] * (torque_dnm * rpm // 1000) // 1000


@micropython.viper
def most_drive(cal, torque_dnm: int, rpm: int, units: int, power_daw: int) -> int:
    """LM-01: as much of a driving torque (sum of `units`) as this electrical power makes. Magnitudes; power in 10 W."""
    loss = units * int(loss_w(cal, torque_dnm // units, rpm)) // 10
    if torque_dnm * rpm // _DNM_RPM_PER_DAW + loss <= power_daw:
        return torque_dnm
    # The loss at the torque that is left: from the safe side, over the other, to a safe and close one
    left = torque_dnm
    i = 0
    while i < 3:
        power = power_daw - units * int(loss_w(cal, left // units, rpm)) // 10
        left = torque_dnm
        if power <= 0:
            left = 0
        elif rpm:
            left = power * _DNM_RPM_PER_DAW // rpm
            if left > torque_dnm:
                left = torque_dnm
        i += 1
    return left


@micropython.viper
def most_regen(cal, torque_dnm: int, rpm: int, units: int, power_daw: int) -> int:
    """LM-01: as much of a braking torque as this electrical power can take in; losses by the torque come off before.

    What a unit loses by turning alone may brake the shaft before it is electrical power, so it does not count here.
    """
    if power_daw <= 0:
        return 0
    if not rpm:
        return torque_dnm
    left = power_daw * _DNM_RPM_PER_DAW // rpm
    if left < torque_dnm:
        loss = int(loss_w(cal, left // units, rpm)) - int(loss_w(cal, 0, rpm))
        left = (power_daw + units * loss // 10) * _DNM_RPM_PER_DAW // rpm
    return left if left < torque_dnm else torque_dnm


@micropython.viper
def step(s: ptr32, rx: ptr32, ages: ptr32, calibration):
    """Once a tick, after the demand."""
    cal = ptr32(calibration)
    direction = (s[_DIRECTION] & 0xFFFF ^ 0x8000) - 0x8000
    torque = ((s[_DEMAND] & 0xFFFF ^ 0x8000) - 0x8000) * direction
    rpm = (s[_RPM] & 0xFFFF ^ 0x8000) - 0x8000
    if rpm < 0:
        rpm = 0 - rpm
    drive = s[_FRONT_DRIVE] + s[_REAR_DRIVE]
    regen = int(regen_most_rear(calibration, s[_FRONT_REGEN]))  # SP-05
    if regen > s[_REAR_REGEN]:
        regen = s[_REAR_REGEN]
    regen += s[_FRONT_REGEN]
    units = 2 if s[_FRONT_ABLE] and s[_REAR_ABLE] else 1
    reason = _NONE
    if torque and (s[_FRONT_LOST] or s[_REAR_LOST]):
        reason = _ONE_UNIT
    if s[_SPEED_LIMITED]:
        reason = _SPEED

    # LM-03: old news of the battery
    age = ages[_BMS_LIMITS]
    if ages[_BMS_PACK] > age:
        age = ages[_BMS_PACK]
    if ages[_BMS_STATUS] > age:
        age = ages[_BMS_STATUS]
    power_out = rx[_DISCHARGE]
    power_in = rx[_CHARGE]
    late = 0
    if age >= cal[_LATE_MS]:
        late = _LATE
        power_out = cal[_LATE_POWER] if age < cal[_LOST_MS] else 0
        power_in = power_out

    # LM-02
    if drive > s[_CAR_DRIVE]:
        drive = s[_CAR_DRIVE]
    if regen > s[_CAR_REGEN]:
        regen = s[_CAR_REGEN]
    if torque > drive:
        torque = drive
        reason = s[_DERATED_DRIVE] if s[_DERATED_DRIVE] else _MOTOR
    elif 0 - torque > regen:
        torque = 0 - regen
        if s[_DERATED_REGEN]:
            reason = s[_DERATED_REGEN]
        elif not reason:
            reason = _MOTOR

    # LM-01: at the speed that the motors have when the torque is there. What is asked for, and what still flows on its
    # way down: that is cut at once, for no slew is quick enough
    rising = rpm - s[_RPM_BEFORE]
    s[_RPM_BEFORE] = rpm
    if rising > 0:
        rpm += rising * _AHEAD_TICKS
        if rpm > _RPM_MOST:
            rpm = _RPM_MOST
    flows = (s[_FRONT_DNM] & 0xFFFF ^ 0x8000) - 0x8000
    flows = (flows + ((s[_REAR_DNM] & 0xFFFF ^ 0x8000) - 0x8000)) * direction
    most = torque if torque > flows else flows
    if most > 0:
        left = int(most_drive(calibration, most, rpm, units, power_out - cal[_AUXILIARY]))
        if left < most and left < drive:
            drive = left
        if left < torque:
            torque = left
            reason = late if late else _BATTERY_OUT
    most = 0 - torque if torque < flows else 0 - flows
    if most > 0:
        left = int(most_regen(calibration, most, rpm, units, power_in))
        if left < most and left < regen:
            regen = left
        if left < 0 - torque:
            torque = 0 - left
            reason = late if late else _BATTERY_IN

    # What may withdraw at once
    if rx[_CAP_VALID]:
        cap = rx[_CAP] * 2  # TQ-08
        if drive > cap:
            drive = cap
        if regen > cap:
            regen = cap
        if torque > cap:
            torque = cap
            reason = _ESC
        elif 0 - torque > cap:
            torque = 0 - cap
            reason = _ESC
    if rx[_ABS]:
        regen = 0  # TQ-03
        if torque < 0:
            torque = 0
            reason = _ESC
    if s[_OVERRIDE]:
        drive = 0  # SF-03
        if torque > 0:
            torque = 0
        reason = _DRIVER
    withdrawn = 0
    if s[_PEDAL_FAULT]:
        withdrawn = 1  # SF-02
        reason = _DRIVER
    # Pedals silent for 30 ms (SF-01), stop faults, monitor (SF-04), bus-off (SF-07)
    if s[_STOP] or s[_TRIPPED] or s[_REARMING] or s[_MESSAGES_LATE] & _PEDALS:
        withdrawn = 1
        reason = _FAULT
    elif not s[_STATE_DRIVING]:
        withdrawn = 1
        reason = _NONE
    if withdrawn:
        drive = 0
        regen = 0
        torque = 0
    s[_LIMITED] = torque * direction
    s[_MOST_DRIVE] = drive
    s[_MOST_REGEN] = regen
    s[_REASON] = reason
