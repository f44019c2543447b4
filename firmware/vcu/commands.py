"""What goes to inverters and battery: command signals, and the enable lines beside the bus."""

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

_TORQUE_MAX = const(238)  # cal: motor.torque_max_dnm [dnm]
_SPEED_MAX = const(239)  # cal: motor.speed_max_hrpm [hrpm]
_GATES_OFF = const(240)  # cal: motor.gates_off_below_rpm [rpm]
_DISCHARGE_BELOW = const(264)  # cal: hv.discharge_below_rpm [rpm]
_OPEN_TICKS = const(263)  # cal: hv.open_wait_ticks [ticks]


class Commands:
    """`discharging`: the link shall fall under 60 V (SM-04).

    `enable_front`, `enable_rear`: levels of the enable lines (SF-12).
    """

    def __init__(self, tx, cal, front, rear, hv, motion, monitor, port):
        self._tx = tx
        self._cal = cal
        self._front = front
        self._rear = rear
        self._hv = hv
        self._motion = motion
        self._monitor = monitor
        self._port = port
        self.discharging = False
        self.enable_front = False
        self.enable_rear = False
        self._waited = 0

    def step(self, state, driving, front_dnm, rear_dnm):
        """Once a tick, last in the chain."""
        self._hv_request(state)
        self._unit(0, self._front, state, driving, front_dnm)
        self._unit(_REAR_MODE - _MODE, self._rear, state, driving, rear_dnm)
        lines = state > _STANDBY and state != _FAULT and state != _CHARGE
        lines = lines and not self._monitor.tripped and not self._port.bus_off
        self.enable_front = lines and not self._front.disobeys
        self.enable_rear = lines and not self._rear.disobeys

    def _unit(self, at, axle, state, driving, torque_dnm):
        tx = self._tx
        cal = self._cal
        rpm = axle.rpm if axle.alive else self._motion.rpm
        if rpm < 0:
            rpm = -rpm
        most = 0
        if state <= _STANDBY or state == _CHARGE:
            mode = _MODE_OFF
        elif driving and axle.able and not axle.lost:
            mode = _MODE_TORQUE
            most = cal[_TORQUE_MAX]
        elif state == _SHUTDOWN and self._hv.open and not axle.locked and rpm < cal[_DISCHARGE_BELOW]:
            mode = _MODE_STANDBY if self._hv.off else _MODE_DISCHARGE
        elif rpm < cal[_GATES_OFF] or axle.locked:
            mode = _MODE_STANDBY
        else:
            mode = _MODE_TORQUE  # SF-06, SP-02: at speed the gates stay on, with zero torque
        if not most:
            torque_dnm = 0
        tx[at + _MODE] = mode
        tx[at + _REQUEST] = torque_dnm
        tx[at + _LIMIT_DRIVE] = most
        tx[at + _LIMIT_REGEN] = most
        tx[at + _SPEED_LIMIT] = cal[_SPEED_MAX]

    def _hv_request(self, state):
        hv = self._hv
        request = _HV_DRIVE
        self.discharging = False
        if state == _SHUTDOWN:
            # SM-06: never under load, but not for ever for a current that does not fall
            self._waited += 1
            if hv.light or self._waited > self._cal[_OPEN_TICKS]:
                self._waited = self._cal[_OPEN_TICKS]
                request = _HV_OFF
                # A faster motor would hold the link up
                limit = self._cal[_DISCHARGE_BELOW]
                self.discharging = -limit < self._motion.rpm < limit
        else:
            self._waited = 0
            if state <= _STANDBY or (state == _FAULT and hv.opened):
                request = _HV_OFF
            elif state == _CHARGE:
                request = _HV_CHARGE
        self._tx[_HV_REQUEST] = request
