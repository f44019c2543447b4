"""A virtual motor controller: all that the bus lets one expect of a motor controller.

The control runs with each command, each status frame and each change of the enable line, so about every 5 ms; while the
link is not held by the battery (contactors open) and the gates are on, it runs every millisecond, since only then a
value can run away faster. Deadlines (command timeout, self test) have events of their own and are exact.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from hil.nodes.base import NS_PER_MS, Choices, Node, Provider, Values
from hil.nodes.inverter_protection import Protection, injectable
from hil.nodes.inverter_rating import FaultCode, Rating

if TYPE_CHECKING:
    from hil.bus import Bus, Frame
    from hil.kernel import Kernel
    from hil.plant import Plant
    from twinaxle.dbc import Database

State = Literal["Init", "Lockout", "Standby", "Torque", "Discharge", "Fault"]
Lie = Literal["echo", "frozen", "sign"]
Report = Literal["truth", "request"]

RPM_PER_RADPS = 60.0 / (2.0 * math.pi)
_FAST_NS = NS_PER_MS
_OPERATING = ("Torque", "Standby", "Discharge")


class Inverter(Node):
    """INV_F or INV_R.

    For the bench:
        `set_enable(level)`: the hardware enable line; a wire that nobody drives reads low.
        `state`, `fault_code`: as sent in the status. `enabled`: the level that the input reads.
        `available_drive_nm`, `available_regen_nm`: own limits, as sent.
    For faults:
        `inject(code)`, `remove(code)`: a protection trips for as long as it is injected; Hardware until power-off.
        `lie`, `lie_reports`: does not obey its command: "echo" answers and applies zero, "frozen" keeps the target
        that it
            has, "sign" turns the torque; the status tells the "truth" or pretends to follow the "request".
            The enable line acts behind it: it is hardware.
        `enable_wire_cut`: reads low. `enable_ignored`: a gate supply that no longer falls with the line.

    States: Init (self test, 100 ms) -> Lockout -> (three good commands in a row with Mode Off or Standby and zero
    torque, line high, no fault) -> Standby <-> Torque, Discharge as Mode asks. No good command for 50 ms, or the line
    low -> Lockout. A trip of a protection -> Fault, until its condition is over -> Lockout, which keeps the FaultCode
    until it is left.
    """

    CHANNELS: ClassVar[dict[str, str]] = {
        "speed_radps": "rad/s",
        "torque_nm": "Nm",
        "link_voltage_v": "V",
        "dc_current_a": "A",
        "stator_degc": "degC",
        "inverter_degc": "degC",
        "coolant_degc": "degC",
        "target_torque_nm": "Nm",  # the actuator: what reaches the motor
    }

    def __init__(
        self,
        kernel: Kernel,
        bus: Bus,
        plant: Plant,
        axle: Literal["front", "rear"],
        *,
        rating: Rating | None = None,
        seed: int = 0,
        present: bool = True,
        database: Database | None = None,
    ) -> None:
        super().__init__(
            kernel, bus, {"front": "INV_F", "rear": "INV_R"}[axle], seed=seed, present=present, database=database
        )
        self.plant = plant
        self.axle = plant.front if axle == "front" else plant.rear
        self.rating = rating or Rating()
        self._protection = Protection(self.rating)
        side = axle.capitalize()
        self._command_name, self._status_name = f"VcuInv{side}Command", f"Inv{side}Status"
        self._limits_name, self._temps_name = f"Inv{side}Limits", f"Inv{side}Temps"
        self._timeout_ns = self.message(self._command_name).rx_timeout_ms * NS_PER_MS
        self._gates_off_radps = plant.parameters.motor.gates_off_max_radps
        modes = Choices(self.message(self._command_name), "Mode")
        self._mode_of = {raw: label for label, raw in modes.raw.items()}
        self._off, self._standby = modes["Off"], modes["Standby"]
        self._state_raw = Choices(self.message(self._status_name), "State").raw
        self._fault_raw = Choices(self.message(self._status_name), "FaultCode").raw
        self.enabled = False
        self._line = False
        self._enable_wire_cut = False
        self._enable_ignored = False
        self._lie: Lie | None = None
        self.lie_reports: Report = "truth"
        self._starts = 0
        self._watching = False
        self._fast_pending = False
        self._reset_software()
        self.listen(self._command_name, self._on_command)

    # --- power, enable line, faults ---

    def started(self) -> None:
        self._reset_software()
        self._starts = start = self._starts + 1
        self.kernel.at(self.kernel.now_ns + round(self.rating.init_ms * NS_PER_MS), lambda: self._init_done(start))

    def stopped(self) -> None:
        self._reset_software()
        self.plant.advance(self.kernel.now_ns)
        self._apply(0.0, gates=False, discharge=False, cut=True)

    def set_enable(self, level: bool) -> None:
        """Drive the enable line: high lets torque flow, low takes it away whatever the software does."""
        self._line = level
        self._read_line()

    @property
    def enable_wire_cut(self) -> bool:
        return self._enable_wire_cut

    @enable_wire_cut.setter
    def enable_wire_cut(self, cut: bool) -> None:
        self._enable_wire_cut = cut
        self._read_line()

    @property
    def enable_ignored(self) -> bool:
        return self._enable_ignored

    @enable_ignored.setter
    def enable_ignored(self, ignored: bool) -> None:
        self._enable_ignored = ignored
        self._read_line()

    @property
    def lie(self) -> Lie | None:
        return self._lie

    @lie.setter
    def lie(self, lie: Lie | None) -> None:
        self._frozen_nm = self._target_nm
        self._lie = lie
        self._run()

    def inject(self, code: str) -> None:
        """Make a protection trip; its name as in the value table of FaultCode."""
        self._protection.injected.add(injectable(code))
        self._run()

    def remove(self, code: str) -> None:
        """End an injected fault's condition."""
        self._protection.injected.discard(injectable(code))

    def _read_line(self) -> None:
        self.enabled = (self._line and not self._enable_wire_cut) or self._enable_ignored
        self._run()

    # --- software ---

    def _reset_software(self) -> None:
        self.state: State = "Init"
        self.fault_code: FaultCode = "None"
        self.available_drive_nm = 0.0
        self.available_regen_nm = 0.0
        self.echo_counter = 0
        self._receiver = self.receiver(self._command_name)
        self._command: Any = None
        self._last_good_ns = 0
        self._in_a_row = 0
        self._target_nm = 0.0
        self._frozen_nm = 0.0
        self._gates_on = False
        self._thermal_share = 1.0
        self._hot = False
        self._fault_from_ns = 0
        self._discharge_from_ns = 0
        self._discharge_failed = False

    def _init_done(self, start: int) -> None:
        if start == self._starts and self.powered:
            self.state = "Lockout"
            self._run()

    def _on_command(self, frame: Frame) -> None:
        command = self._receiver.good(frame)
        if command is None:
            self._in_a_row = 0
            return
        self._command = command
        self._last_good_ns = self.kernel.now_ns
        self.echo_counter = self._receiver.counter
        state = self.state
        if state in _OPERATING:
            self._follow(command.Mode)
        elif state == "Lockout":
            harmless = command.TorqueRequest == 0 and (command.Mode == self._off or command.Mode == self._standby)
            self._in_a_row = self._in_a_row + 1 if harmless and self.enabled else 0
            if self._in_a_row >= self.rating.good_commands:
                self._leave_lockout()
        self._run()

    def _leave_lockout(self) -> None:
        self.state = "Standby"
        self.fault_code = "None"
        if not self._watching:
            self._watch()

    def _follow(self, raw_mode: int) -> None:
        """The state that the command's Mode asks for."""
        mode = self._mode_of.get(raw_mode, "Off")
        if mode != "Discharge":
            self._discharge_failed = False
            self.state = "Torque" if mode == "Torque" else "Standby"
        elif self.state != "Discharge":
            slow = abs(self.axle.speed_radps) < self.rating.discharge_max_radps
            self.state = "Discharge" if slow and not self._discharge_failed else "Standby"
            self._discharge_from_ns = self.kernel.now_ns

    def _watch(self) -> None:
        """The command timeout's deadline; one event for each timeout period, not for each command."""
        if self.state not in _OPERATING:
            self._watching = False
            return
        deadline_ns = self._last_good_ns + self._timeout_ns
        if self.kernel.now_ns < deadline_ns:
            self._watching = True
            self.kernel.at(deadline_ns, self._watch)
            return
        self._watching = False
        self._lock_out("CommandTimeout")
        self._run()

    def _lock_out(self, code: FaultCode) -> None:
        self.state = "Lockout"
        self.fault_code = code
        self._in_a_row = 0

    def _run(self) -> None:
        """One pass of the control: limits, protections, torque, gates."""
        if not self.powered:
            return
        plant, axle, rating = self.plant, self.axle, self.rating
        plant.advance(self.kernel.now_ns)
        speed, voltage = axle.speed_radps, plant.link_voltage_v
        if self.channels.active:
            speed, voltage = self.channels("speed_radps", speed), self.channels("link_voltage_v", voltage)
        envelope = axle.torque_available_nm(abs(speed), voltage) if voltage > rating.under_voltage_v else 0.0
        self.available_drive_nm = available = envelope * self._thermal_share
        self.available_regen_nm = available * rating.regen_voltage_share(voltage)

        tripped = self._trip(speed, voltage)
        if tripped is not None:
            if self.state != "Fault":
                self._fault_from_ns = self.kernel.now_ns
            self.state, self.fault_code, self._in_a_row = "Fault", tripped, 0
        elif self.state == "Fault":
            if self.kernel.now_ns - self._fault_from_ns >= rating.fault_min_ms * NS_PER_MS:
                self.state = "Lockout"
        elif not self.enabled and self.state in _OPERATING:
            self._lock_out("None")

        if self.state == "Torque":
            self._target_nm = target = self._limited(speed)
            gates, cut = True, False
        else:
            self._target_nm = target = 0.0
            gates, cut = abs(speed) > self._gates_off_radps and self.state != "Init", True
        if self._lie is not None and self.enabled:
            target, gates, cut = self._lied(target, gates, cut)
        self._apply(target, gates, self._discharging(voltage), cut)
        if gates and not plant.main_closed:
            self._hurry()

    def contactor_moved(self) -> None:
        """The battery is gone from the link, or back: the control runs faster at once, not with the next message.

        The bench puts this into `Bms.on_contactor`, since both see the link's voltage and no message tells it in time.
        """
        if self.powered and self._gates_on and not self.plant.main_closed:
            self._hurry()

    def _hurry(self) -> None:
        if not self._fast_pending:
            self._fast_pending = True
            self.kernel.at(self.kernel.now_ns + _FAST_NS, self._fast)

    def _fast(self) -> None:
        self._fast_pending = False
        self._run()

    def _limited(self, speed: float) -> float:
        """The request inside the unit's own limits and those of the command, Nm."""
        command, rating = self._command, self.rating
        request: float = command.TorqueRequest
        rpm = speed * RPM_PER_RADPS
        if request * rpm < 0.0 and abs(rpm) > rating.regen_speed_rpm:
            limit: float = min(command.TorqueLimitRegen, self.available_regen_nm)
        else:
            limit = min(command.TorqueLimitDrive, self.available_drive_nm)
            room = command.SpeedLimit - abs(rpm)
            if room < rating.speed_fade_rpm:
                limit *= max(0.0, room / rating.speed_fade_rpm)
        return limit if request > limit else -limit if request < -limit else request

    def _trip(self, speed: float, voltage: float) -> FaultCode | None:
        """The protection whose condition holds, or None."""
        if self.state == "Init":
            return None
        present = self.fault_code if self.state == "Fault" else "None"
        torque = self.axle.torque_nm
        tripped = self._protection.tripped(
            present,
            torque_wanted=self.state == "Torque",
            rpm=speed * RPM_PER_RADPS,
            link_voltage_v=voltage,
            torque_nm=self.channels("torque_nm", torque) if self.channels.active else torque,
            dc_current_a=self._dc_current(voltage),
        )
        if tripped is None and self._thermal_share < 1.0:
            return self._protection.overheated(present, *self._temperatures())
        return tripped

    def _lied(self, target: float, gates: bool, cut: bool) -> tuple[float, bool, bool]:
        if self._lie == "frozen":
            alive = self.plant.link_voltage_v > self.rating.dead_link_v
            return (self._frozen_nm, True, False) if alive else (0.0, False, True)
        if self._lie == "sign":
            return -target, gates, cut
        return 0.0, gates, cut

    def _discharging(self, voltage: float) -> bool:
        if self.state != "Discharge":
            return False
        since_ns = self.kernel.now_ns - self._discharge_from_ns
        if voltage > self.rating.discharge_done_v and since_ns > self.rating.discharge_give_up_ms * NS_PER_MS:
            self._discharge_failed = True
            self.state = "Standby"
            return False
        return abs(self.axle.speed_radps) < self.rating.discharge_max_radps

    def _apply(self, target: float, gates: bool, discharge: bool, cut: bool) -> None:
        """Hand over to the power stage: the plant's motor."""
        axle = self.axle
        axle.target_torque_nm = self.channels("target_torque_nm", target) if self.channels.active else target
        axle.gates_on = self._gates_on = gates
        axle.discharge = discharge
        axle.cut = cut

    # --- what it sends ---

    def _dc_current(self, voltage: float) -> float:
        current = self.axle.dc_power_w / voltage if voltage > 1.0 else 0.0
        return self.channels("dc_current_a", current) if self.channels.active else current

    def _temperatures(self) -> tuple[float, float]:
        axle = self.axle
        return self.channels("stator_degc", axle.stator_degc), self.channels("inverter_degc", axle.inverter_degc)

    def channels_changed(self) -> None:
        self._run()

    def providers(self) -> dict[str, Provider]:
        return {
            self._status_name: self._status,
            self._limits_name: self._limits,
            self._temps_name: self._temps,
        }

    def cyclic(self) -> None:
        self._run()

    def _status(self) -> Values:
        axle = self.axle
        torque, speed = axle.torque_nm, axle.speed_radps
        if self.channels.active:
            torque, speed = self.channels("torque_nm", torque), self.channels("speed_radps", speed)
        if self._lie is not None and self.lie_reports == "request":
            torque = self._target_nm
        return (
            self._state_raw[self.state],
            torque,
            speed * RPM_PER_RADPS,
            self.echo_counter,
            self._gates_on,
            self._thermal_share < 1.0,
            self._hot or self._discharge_failed,
            self._fault_raw[self.fault_code],
        )

    def _limits(self) -> Values:
        voltage = self.channels("link_voltage_v", self.plant.link_voltage_v)
        return self.available_drive_nm, self.available_regen_nm, voltage, self._dc_current(voltage)

    def _temps(self) -> Values:
        stator, inverter = self._temperatures()
        self._thermal_share = self.rating.thermal_share(stator, inverter)
        self._hot = self.rating.hot(stator, inverter)
        return stator, inverter, self.channels("coolant_degc", self.axle.coolant_degc)
