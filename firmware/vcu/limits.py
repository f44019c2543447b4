"""What the car allows of the demand: battery power, motors, stability control; and who may withdraw torque at once.

`step` lowers the demand, which then takes its way through the slew. `most_drive` and `most_regen` are magnitudes along
the direction that hold without slew: fault cuts, TorqueMax (TQ-08), ABS.
"""

import micropython
from micropython import const

_ABS = const(13)  # dbc: EscMotion.AbsActive
_CAP_VALID = const(15)  # dbc: EscMotion.TorqueMaxValid
_CAP = const(19)  # dbc: EscMotion.TorqueMax [0.2 Nm]
_DISCHARGE = const(44)  # dbc: BmsLimits.DischargePowerMax [10 W]
_CHARGE = const(45)  # dbc: BmsLimits.ChargePowerMax [10 W]
_PEDALS = const(1)  # dbc: PedalsDriver:bit
_BMS_LIMITS = const(7)  # dbc: BmsLimits
_BMS_STATUS = const(9)  # dbc: BmsStatus
_BMS_PACK = const(8)  # dbc: BmsPack

_LATE_MS = const(266)  # cal: timing.bms_late_ms [ms]
_LOST_MS = const(267)  # cal: timing.bms_lost_ms [ms]
_LATE_POWER = const(243)  # cal: battery.late_power_daw [daw]
_AUXILIARY = const(244)  # cal: battery.auxiliary_daw [daw]
_LOSS_FIXED = const(245)  # cal: loss.fixed_w [w]
_LOSS_SPEED = const(246)  # cal: loss.speed_mw_per_rpm [rpm]
_LOSS_SPEED2 = const(247)  # cal: loss.speed_squared_e5 [e5]
_LOSS_TORQUE = const(248)  # cal: loss.torque_mw_per_dnm [dnm]
_LOSS_TORQUE2 = const(249)  # cal: loss.torque_squared_e3 [e3]
_LOSS_BOTH = const(250)  # cal: loss.torque_speed_e3 [e3]
_WEAK_RPM = const(251)  # cal: loss.weakening_rpm [rpm]
_WEAK_W = const(252)  # cal: loss.weakening_w [w]
_WEAK_PERCENT = const(253)  # cal: loss.weakening_copper_percent [percent]

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

_DNM_RPM_PER_DAW = const(955)  # 0.1 Nm * 1 rpm is 10.47 mW, so 955 of them are 10 W
_NO_LIMIT = const(1 << 20)


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


class Limits:
    """`torque_dnm`: the demand after the limits, sum. `reason`: the LimitReason that binds."""

    def __init__(self, rx, ages, cal, pedals, faults, monitor, port, front, rear):
        self._rx = rx
        self._ages = ages
        self._cal = cal
        self._pedals = pedals
        self._faults = faults
        self._monitor = monitor
        self._port = port
        self._front = front
        self._rear = rear
        self.torque_dnm = 0
        self.most_drive = 0
        self.most_regen = 0
        self.reason = _NONE

    def step(self, demand_dnm, direction, rpm, driving, late, speed_limited):
        """Once a tick, after the demand. `rpm`: mean motor speed. `late`: messages past their timeout."""
        front = self._front
        rear = self._rear
        rx = self._rx
        reason = _NONE
        most_drive = front.drive_dnm + rear.drive_dnm
        most_regen = front.regen_dnm + rear.regen_dnm
        torque = demand_dnm * direction
        if (front.lost or rear.lost) and torque:
            reason = _ONE_UNIT
        if speed_limited:
            reason = _SPEED

        # LM-01: battery power, with the losses of the units that work
        units = 2 if front.able and rear.able else 1
        if rpm < 0:
            rpm = -rpm
        if torque > 0:
            if torque > most_drive:
                torque = most_drive
                reason = _MOTOR
            limit = self._battery(torque, rpm, units)
            if torque > limit:
                torque = limit
                reason = _LATE if self._late() else _BATTERY_OUT
        elif torque < 0:
            if -torque > most_regen:
                torque = -most_regen
                reason = _MOTOR
            limit = self._battery(torque, rpm, units)
            if -torque > limit:
                torque = -limit
                reason = _LATE if self._late() else _BATTERY_IN

        # What may withdraw at once
        if rx[_CAP_VALID]:
            cap = rx[_CAP] * 2
            if most_drive > cap:
                most_drive = cap  # TQ-08
                if torque > cap:
                    torque = cap
                    reason = _ESC
            if most_regen > cap:
                most_regen = cap
                if -torque > cap:
                    torque = -cap
                    reason = _ESC
        if rx[_ABS]:
            most_regen = 0  # TQ-03
            if torque < 0:
                torque = 0
                reason = _ESC
        pedals = self._pedals
        if pedals.override:
            most_drive = 0  # SF-03
            if torque > 0:
                torque = 0
            reason = _DRIVER
        if pedals.fault:
            most_drive = most_regen = torque = 0  # SF-02
            reason = _DRIVER
        faults = self._faults
        # SF-01 (pedals silent for 30 ms), SF-04, SF-07
        if not driving or faults.stop or self._monitor.tripped or self._port.rearming or late & _PEDALS:
            most_drive = most_regen = torque = 0
            reason = _FAULT if faults.stop or driving else _NONE
        self.most_drive = most_drive
        self.most_regen = most_regen
        self.torque_dnm = torque if direction > 0 else -torque
        self.reason = reason

    def _late(self):
        # LM-03
        ages = self._ages
        late = self._cal[_LATE_MS]
        return ages[_BMS_LIMITS] >= late or ages[_BMS_PACK] >= late or ages[_BMS_STATUS] >= late

    def _battery(self, torque, rpm, units):
        # Largest torque (magnitude) that the battery's power allows along `torque`, which is the one asked for
        cal = self._cal
        rx = self._rx
        if self._late():
            out = into = cal[_LATE_POWER]
            limit = cal[_LOST_MS]
            ages = self._ages
            if ages[_BMS_LIMITS] >= limit or ages[_BMS_PACK] >= limit or ages[_BMS_STATUS] >= limit:
                out = into = 0
        else:
            out = rx[_DISCHARGE]
            into = rx[_CHARGE]
        if torque > 0:
            power = out - cal[_AUXILIARY]
            if power <= 0:
                return 0
            each = torque // units
            loss = units * loss_w(cal, each, rpm) // 10
            if torque * rpm // _DNM_RPM_PER_DAW + loss <= power:
                return _NO_LIMIT
            # The loss at the torque that is left: from the safe side, over the other, to a safe and close one
            left = _left(power - loss, rpm, torque)
            left = _left(power - units * loss_w(cal, left // units, rpm) // 10, rpm, torque)
            return _left(power - units * loss_w(cal, left // units, rpm) // 10, rpm, torque)
        # Regeneration: the units' losses need not go into the battery; without them first, which is the safe side
        left = _left(into, rpm, -torque)
        return _left(into + units * loss_w(cal, left // units, rpm) // 10, rpm, -torque) if into else 0


def _left(power_daw, rpm, most_dnm):
    # Torque that makes this mechanical power, 0.1 Nm
    if power_daw <= 0:
        return 0
    if not rpm:
        return most_dnm
    torque = power_daw * _DNM_RPM_PER_DAW // rpm
    return torque if torque < most_dnm else most_dnm
