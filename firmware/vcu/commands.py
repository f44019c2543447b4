"""What goes to inverters and battery: command signals, and the enable lines beside the bus."""

import micropython
from micropython import const

_MODE = const(0)  # dbc: VcuInvFrontCommand.Mode
_REQUEST = const(1)  # dbc: VcuInvFrontCommand.TorqueRequest [0.1 Nm]
_LIMIT_DRIVE = const(2)  # dbc: VcuInvFrontCommand.TorqueLimitDrive [0.1 Nm]
_LIMIT_REGEN = const(3)  # dbc: VcuInvFrontCommand.TorqueLimitRegen [0.1 Nm]
_SPEED_LIMIT = const(4)  # dbc: VcuInvFrontCommand.SpeedLimit [100 rpm]
_REAR_MODE = const(5)  # dbc: VcuInvRearCommand.Mode
_HV_REQUEST = const(10)  # dbc: VcuHvCommand.HvRequest
_MODE_OFF = const(0)  # dbc: VcuInvFrontCommand.Mode.Off
_MODE_STANDBY = const(1)  # dbc: VcuInvFrontCommand.Mode.Standby
_MODE_TORQUE = const(2)  # dbc: VcuInvFrontCommand.Mode.Torque
_MODE_DISCHARGE = const(3)  # dbc: VcuInvFrontCommand.Mode.Discharge
_HV_OFF = const(0)  # dbc: VcuHvCommand.HvRequest.Off
_HV_DRIVE = const(1)  # dbc: VcuHvCommand.HvRequest.Drive
_HV_CHARGE = const(2)  # dbc: VcuHvCommand.HvRequest.Charge
_INIT = const(0)  # dbc: VcuStatus.State.Init
_STANDBY = const(1)  # dbc: VcuStatus.State.Standby
_FAULT = const(6)  # dbc: VcuStatus.State.Fault
_CHARGE = const(7)  # dbc: VcuStatus.State.Charge
_SHUTDOWN = const(8)  # dbc: VcuStatus.State.Shutdown

_TORQUE_MAX = const(309)  # cal: motor.torque_max_dnm [dnm]
_SPEED_MAX = const(310)  # cal: motor.speed_max_hrpm [hrpm]
_GATES_OFF = const(311)  # cal: motor.gates_off_below_rpm [rpm]
_DISCHARGE_BELOW = const(424)  # cal: hv.discharge_below_rpm [rpm]
_OPEN_TICKS = const(423)  # cal: hv.open_wait_ticks [ticks]

_STATE = const(0)  # sig: state
_DRIVING = const(1)  # sig: driving
_BUS_OFF = const(5)  # sig: bus_off
_ALIVE = const(9)  # sig: front_alive
_ABLE = const(10)  # sig: front_able
_LOST = const(11)  # sig: front_lost
_LOCKED = const(12)  # sig: front_locked
_DISOBEYS = const(13)  # sig: front_disobeys
_AXLE_RPM = const(14)  # sig: front_rpm
_REAR_ALIVE = const(19)  # sig: rear_alive
_RPM = const(30)  # sig: rpm
_HV_OPEN = const(43)  # sig: hv_open
_HV_OPENED = const(44)  # sig: hv_opened
_HV_IS_OFF = const(46)  # sig: hv_off
_LIGHT = const(47)  # sig: hv_light
_FRONT_DNM = const(77)  # sig: front_dnm The rear one follows
_TRIPPED = const(79)  # sig: tripped
_DISCHARGING = const(80)  # sig: discharging
_WAITED = const(81)  # sig: open_waited
_ENABLE = const(82)  # sig: enable_front The rear one follows
_GATES = const(89)  # sig: front_gates The rear one follows


@micropython.viper
def step(s: ptr32, tx: ptr32, cal: ptr32):
    """Once a tick, last in the chain."""
    state = s[_STATE]
    car_rpm = (s[_RPM] & 0xFFFF ^ 0x8000) - 0x8000

    # High voltage
    request = _HV_DRIVE
    discharging = 0
    waited = 0
    if state == _SHUTDOWN:
        # SM-06: never under load, but not for ever for a current that does not fall
        waited = s[_WAITED] + 1
        if s[_LIGHT] or waited > cal[_OPEN_TICKS]:
            waited = cal[_OPEN_TICKS]
            request = _HV_OFF
            # A faster motor would hold the link up
            if 0 - cal[_DISCHARGE_BELOW] < car_rpm < cal[_DISCHARGE_BELOW]:
                discharging = 1
    elif state == _CHARGE:
        request = _HV_CHARGE
    elif state <= _STANDBY or (state == _FAULT and s[_HV_OPENED]):
        request = _HV_OFF
    s[_WAITED] = waited
    s[_DISCHARGING] = discharging
    tx[_HV_REQUEST] = request

    # SF-12: low by fault, monitor, bus-off, and where no torque is meant
    lines = 0
    if state > _STANDBY and state != _FAULT and state != _CHARGE and not s[_TRIPPED] and not s[_BUS_OFF]:
        lines = 1

    axle = 0
    while axle < 2:
        of = axle * (_REAR_ALIVE - _ALIVE)
        at = axle * (_REAR_MODE - _MODE)
        rpm = (s[of + _AXLE_RPM] & 0xFFFF ^ 0x8000) - 0x8000
        if not s[of + _ALIVE]:
            rpm = car_rpm
        if rpm < 0:
            rpm = 0 - rpm
        most = 0
        torque = 0
        if state <= _STANDBY or state == _CHARGE:
            mode = _MODE_OFF
        elif s[_DRIVING] and s[of + _ABLE] and not s[of + _LOST]:
            torque = s[axle + _FRONT_DNM]
            mode = _MODE_TORQUE
            most = cal[_TORQUE_MAX]
            if not s[axle + _GATES] and not torque and rpm < cal[_GATES_OFF]:
                mode = _MODE_STANDBY  # SP-01: an idle unit loses nothing with its gates off
                most = 0
        elif state == _SHUTDOWN and s[_HV_OPEN] and not s[of + _LOCKED] and rpm < cal[_DISCHARGE_BELOW]:
            mode = _MODE_STANDBY if s[_HV_IS_OFF] else _MODE_DISCHARGE
        elif rpm < cal[_GATES_OFF] or s[of + _LOCKED]:
            mode = _MODE_STANDBY
        else:
            mode = _MODE_TORQUE  # SF-06, SP-02: at speed the gates stay on, with zero torque
        tx[at + _MODE] = mode
        tx[at + _REQUEST] = torque
        tx[at + _LIMIT_DRIVE] = most
        tx[at + _LIMIT_REGEN] = most
        tx[at + _SPEED_LIMIT] = cal[_SPEED_MAX]
        s[axle + _ENABLE] = 1 if lines and not s[of + _DISOBEYS] else 0
        axle += 1
