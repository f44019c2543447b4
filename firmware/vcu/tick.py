"""One control period, from frames in to frames out. The order of `tick` is the way of the data through the house."""

from micropython import const

from vcu.axle import Axle
from vcu.commands import Commands
from vcu.demand import Demand
from vcu.faults import Faults
from vcu.gear import Gear
from vcu.hv import Hv
from vcu.limits import Limits
from vcu.monitor import Monitor
from vcu.motion import Motion
from vcu.pedals import Pedals
from vcu.protocol import ages, due, rx, tx
from vcu.receive import Receive
from vcu.slew import Slew
from vcu.slip import Slip
from vcu.split import Split
from vcu.states import States
from vcu.status import Status

_PERIOD_MS = const(10)
_INIT = const(0)  # dbc: VcuStatus.State.Init
_PRECHARGE = const(2)  # dbc: VcuStatus.State.Precharge
_READY = const(3)  # dbc: VcuStatus.State.Ready
_HV_COMMAND = const(4)  # dbc: VcuHvCommand:bit
_GOOD_FRAMES = const(10)


class Vcu:
    """All parts, wired together. `front_line`, `rear_line`: pins of the enable lines."""

    def __init__(self, cal, port, timing, front_line, rear_line):
        self.port = port
        self.timing = timing
        self._front_line = front_line
        self._rear_line = rear_line
        self.monitor = Monitor(cal)
        self.receive = Receive(port, self.monitor.seen)
        self.front = Axle(rx, ages, cal, False)
        self.rear = Axle(rx, ages, cal, True)
        self.motion = Motion(rx, cal, self.front, self.rear)
        self.pedals = Pedals(rx, cal)
        self.gear = Gear(rx, cal)
        self.hv = Hv(rx, cal)
        self.faults = Faults(rx, ages, cal, self.pedals, self.hv, self.front, self.rear, self.monitor, port)
        self.states = States(
            rx, ages, cal, self.pedals, self.gear, self.motion, self.hv, self.faults, self.front, self.rear
        )
        self.demand = Demand(rx, cal)
        self.limits = Limits(rx, ages, cal, self.pedals, self.faults, self.monitor, port, self.front, self.rear)
        self.split = Split(cal, self.front, self.rear)
        self.slip = Slip()
        self.slew = Slew(cal, self.front, self.rear)
        self.commands = Commands(tx, cal, self.front, self.rear, self.hv, self.motion, self.monitor, port)
        self.status = Status(
            tx, cal, self.states, self.demand, self.limits, self.slew, self.gear, self.faults, port, timing
        )

    def tick(self, periods):
        """One control period; `periods` have gone by since the last one (1, if none was missed). Allocates nothing."""
        elapsed_ms = periods * _PERIOD_MS
        port = self.port
        states = self.states
        front = self.front
        rear = self.rear
        motion = self.motion
        pedals = self.pedals
        gear = self.gear
        slew = self.slew
        monitor = self.monitor

        # Frames in
        port.step()
        self.receive.step(elapsed_ms)
        late = self.receive.late

        # Decode
        driving = states.driving
        wanted = driving or states.state == _READY
        front.step(late, wanted, driving, port.rearming)
        rear.step(late, wanted, driving, port.rearming)
        motion.step()
        pedals.step(motion.speed_ckmh)
        gear.step(motion.speed_ckmh)
        self.hv.step(states.state == _PRECHARGE, self.commands.discharging)
        if port.rearming and not port.bus_off:
            self._rearm()

        # Decide
        self.faults.step(states.live, wanted)
        states.step(not slew.front_dnm and not slew.rear_dnm)
        driving = states.driving
        direction = gear.direction
        demand = self.demand
        demand.step(pedals.travel_e4, pedals.brake, direction, motion.speed_ckmh, front.drive_dnm + rear.drive_dnm)
        limits = self.limits
        limits.step(demand.torque_dnm, direction, motion.rpm, driving, late, demand.speed_limited)
        split = self.split
        split.step(limits.torque_dnm, direction)
        slip = self.slip
        slip.step(split.front_dnm, split.rear_dnm)
        slew.step(slip.front_dnm, slip.rear_dnm, direction, limits.most_drive, limits.most_regen)

        # Monitor: it may only take away
        monitor.step(slew.front_dnm, slew.rear_dnm, driving)
        front.disobeys = monitor.front_disobeys
        rear.disobeys = monitor.rear_disobeys
        if monitor.tripped:
            slew.front_dnm = slew.rear_dnm = 0

        # Encode, frames out
        commands = self.commands
        commands.step(states.state, driving, slew.front_dnm, slew.rear_dnm)
        if commands.enable_front:
            self._front_line.on()
        else:
            self._front_line.off()
        if commands.enable_rear:
            self._rear_line.on()
        else:
            self._rear_line.off()
        ready = due(elapsed_ms)
        if states.state == _INIT:
            ready &= ~_HV_COMMAND  # nothing is known yet, so nothing is asked of the contactors
        self.status.step(ready)
        port.transmit(ready)

    def _rearm(self):
        # SF-07: a unit that was lost before stays out
        front = self.front
        rear = self.rear
        if (
            self.pedals.released
            and (front.lost or (front.able and front.good >= _GOOD_FRAMES))
            and (rear.lost or (rear.able and rear.good >= _GOOD_FRAMES))
            and not self.port.gave_up
        ):
            self.port.rearming = False
