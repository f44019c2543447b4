"""A virtual motor controller: all that the bus lets one expect of a motor controller.

The control runs with each command, each status frame and each change of the enable line, so about every 5 ms; while the
link is not held by the battery (contactors open) and the gates are on, it runs every millisecond, since only then a
value can run away faster. Deadlines (command timeout, self test) have events of their own and are exact.
"""

from __future__ import annotations

import ctypes
from dataclasses import asdict
from typing import TYPE_CHECKING, ClassVar, Literal

from hil.native import address, memory
from hil.nodes import inverter_control as ic
from hil.nodes.base import NS_PER_MS, Node, Provider, Values
from hil.nodes.inverter_control import Control
from hil.nodes.inverter_rating import INJECTABLE, FaultCode, Rating, State
from hil.nodes.layout import layout_of
from hil.nodes.messages import Choices
from hil.nodes.names import pick
from hil.nodes.rounds import INVERTER, Part
from hil.nodes.transmit import Outgoing
from twinaxle.errors import UserError

if TYPE_CHECKING:
    from hil.bus import Bus
    from hil.kernel import Kernel
    from hil.plant import Plant
    from twinaxle.dbc import Database

Lie = Literal["echo", "frozen", "sign"]
Report = Literal["truth", "request"]

_FAST_NS = NS_PER_MS
_LIES: dict[Lie | None, int] = {None: ic.HONEST, "echo": ic.ECHO, "frozen": ic.FROZEN_TARGET, "sign": ic.SIGN}
_OPERATING = (ic.TORQUE, ic.STANDBY, ic.DISCHARGE)
_MODES = ("Off", "Standby", "Torque", "Discharge")


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
        side = axle.capitalize()
        self._command_name, self._status_name = f"VcuInv{side}Command", f"Inv{side}Status"
        self._limits_name, self._temps_name = f"Inv{side}Limits", f"Inv{side}Temps"
        self._timeout_ns = self.message(self._command_name).rx_timeout_ms * NS_PER_MS
        states = Choices(self.message(self._status_name), "State")
        faults = Choices(self.message(self._status_name), "FaultCode")
        self._state_raw = [states[name] for name in ic.STATES]
        self._fault_raw = [faults[name] for name in ic.FAULTS]
        self._pair_ids = [self.message(name).frame_id for name in (self._status_name, self._limits_name)]
        self._check_order(self._status_name, ic.STATUS_SIGNALS)
        self._check_order(self._limits_name, ic.LIMITS_SIGNALS)
        self._injected: set[str] = set()
        self._line = False
        self._enable_wire_cut = False
        self._enable_ignored = False
        self._lie: Lie | None = None
        self._starts = 0
        self._watching = False
        self._fast_pending = False
        self._control = Control()
        self._memories = memory(self._control), memory(plant)
        self._reset_software()
        if present:
            self.port.subscribe_words(self.message(self._command_name).frame_id, self._on_command)

    def _check_order(self, name: str, signals: tuple[str, ...]) -> None:
        found = tuple(signal.name for signal in self.message(name).application_signals)
        if found != signals:
            raise UserError(f"the database's {name} has the signals {', '.join(found)}; {', '.join(signals)} expected")

    # --- what the bench reads ---

    @property
    def state(self) -> State:
        return ic.STATES[self._control.state]

    @property
    def fault_code(self) -> FaultCode:
        return ic.FAULTS[self._control.fault_code]

    @property
    def enabled(self) -> bool:
        return self._control.enabled

    @property
    def echo_counter(self) -> int:
        """Counter of the newest good command."""
        return self._control.echo_counter

    @property
    def available_drive_nm(self) -> float:
        return self._control.available_drive_nm

    @property
    def available_regen_nm(self) -> float:
        return self._control.available_regen_nm

    @property
    def target_nm(self) -> float:
        """What the control asks of the power stage, Nm, before a lie."""
        return self._control.target_nm

    # --- power, enable line, faults ---

    def started(self) -> None:
        self._reset_software()
        self._starts = start = self._starts + 1
        self.kernel.at(self.kernel.now_ns + round(self.rating.init_ms * NS_PER_MS), lambda: self._init_done(start))

    def stopped(self) -> None:
        self._reset_software()
        self.plant.advance(self.kernel.now_ns)
        axle = self.axle
        axle.target_torque_nm, axle.gates_on, axle.discharge, axle.cut = 0.0, False, False, True

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
        self._control.frozen_nm = self._control.target_nm
        self._lie = lie
        self._control.lie = _LIES[lie]
        self._run()

    @property
    def lie_reports(self) -> Report:
        """What the status of a liar says of its torque."""
        return "request" if self._control.reports_request else "truth"

    @lie_reports.setter
    def lie_reports(self, report: Report) -> None:
        self._control.reports_request = report == "request"

    def inject(self, code: str) -> None:
        """Make a protection trip; its name as in the value table of FaultCode."""
        self._injected.add(pick(code, INJECTABLE, "inverter fault to inject"))
        self._trip_injected()
        self._run()

    def remove(self, code: str) -> None:
        """End an injected fault's condition."""
        self._injected.discard(pick(code, INJECTABLE, "inverter fault to inject"))
        self._trip_injected()

    def _trip_injected(self) -> None:
        self._control.injected = sum(1 << ic.FAULTS.index(code) for code in INJECTABLE if code in self._injected)

    def _read_line(self) -> None:
        self._control.enabled = (self._line and not self._enable_wire_cut) or self._enable_ignored
        self._run()

    # --- software ---

    def _reset_software(self) -> None:
        """The control from the beginning; what comes from outside it stays."""
        before = self._control
        fresh = self._fresh_control()
        fresh.enabled, fresh.injected, fresh.lie = before.enabled, before.injected, before.lie
        fresh.reports_request = before.reports_request
        ctypes.memmove(ctypes.addressof(before), ctypes.addressof(fresh), ctypes.sizeof(Control))

    def _fresh_control(self) -> Control:
        rating, command = self.rating, self.message(self._command_name)
        control = Control(
            front=self.axle is self.plant.front,
            fault_min_ns=round(rating.fault_min_ms * NS_PER_MS),
            discharge_give_up_ns=round(rating.discharge_give_up_ms * NS_PER_MS),
            gates_off_max_radps=self.plant.parameters.motor.gates_off_max_radps,
            command_layout=layout_of(command),
            thermal_share=1.0,
        )
        for name, value in asdict(rating).items():
            if hasattr(control, name):
                setattr(control, name, value)
        signals = [signal.name for signal in command.application_signals]
        control.place[:] = [signals.index(name) for name in ic.COMMAND_SIGNALS]
        control.raw_of_state[:] = [*self._state_raw]
        control.raw_of_fault[:] = [*self._fault_raw]
        modes = Choices(command, "Mode")
        control.raw_of_mode[:] = [modes[name] for name in _MODES]
        return control

    def _init_done(self, start: int) -> None:
        if start == self._starts and self.powered:
            self._control.state = ic.LOCKOUT
            self._run()

    def _on_command(self, length: int, data: int) -> None:
        if not self.powered:
            return
        now_ns = self.kernel.now_ns
        self.plant.advance(now_ns)
        if self.channels.active:
            result = ic.command(*self._memories, now_ns, length, data)
            if result != ic.BAD:
                self._watch_from(result)
                self._run()
            return
        self.obeyed(ic.obey(*self._memories, now_ns, length, data))

    def obeyed(self, result: int) -> None:
        if result != ic.BAD:
            self._watch_from(result)
            if self._control.hurry:
                self._hurry()

    def _watch_from(self, result: int) -> None:
        if result == ic.RELEASED and not self._watching:
            self._watch()

    def _watch(self) -> None:
        """The command timeout's deadline; one event for each timeout period, not for each command."""
        if self._control.state not in _OPERATING:
            self._watching = False
            return
        deadline_ns = self._control.last_good_ns + self._timeout_ns
        if self.kernel.now_ns < deadline_ns:
            self._watching = True
            self.kernel.at(deadline_ns, self._watch)
            return
        self._watching = False
        control = self._control
        control.state, control.fault_code, control.in_a_row = ic.LOCKOUT, ic.COMMAND_TIMEOUT, 0
        self._run()

    def _run(self) -> None:
        """One pass of the control: limits, protections, torque, gates."""
        if not self.powered:
            return
        now_ns = self.kernel.now_ns
        self.plant.advance(now_ns)
        hurry = self._run_through_channels(now_ns) if self.channels.active else ic.control(*self._memories, now_ns)
        if hurry:
            self._hurry()

    def _run_through_channels(self, now_ns: int) -> bool:
        """The same with faults between plant and control."""
        control, channels = self._control, self.channels
        ic.measure(*self._memories)
        control.speed_radps = channels("speed_radps", control.speed_radps)
        control.torque_nm = channels("torque_nm", control.torque_nm)
        control.link_voltage_v = channels("link_voltage_v", control.link_voltage_v)
        control.dc_current_a = self._dc_current(control.link_voltage_v)
        control.stator_degc, control.inverter_degc = self._temperatures()
        ic.control_measured(*self._memories, now_ns)
        self.axle.target_torque_nm = channels("target_torque_nm", self.axle.target_torque_nm)
        return control.hurry

    def contactor_moved(self) -> None:
        """The battery is gone from the link, or back: the control runs faster at once, not with the next message.

        The bench puts this into `Bms.on_contactor`, since both see the link's voltage and no message tells it in time.
        """
        if self.powered and self._control.gates_on and not self.plant.main_closed:
            self._hurry()

    def _hurry(self) -> None:
        if not self._fast_pending:
            self._fast_pending = True
            self.kernel.at(self.kernel.now_ns + _FAST_NS, self._fast)

    def _fast(self) -> None:
        self._fast_pending = False
        self._run()

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

    def part(self, messages: list[Outgoing]) -> Part | None:
        if self.channels.active or [message.can_id for message in messages] != self._pair_ids:
            return None
        return Part(INVERTER, address(self._control), hears=self.message(self._command_name).frame_id)

    def sent(self) -> None:
        if self._control.hurry:
            self._hurry()

    def _status(self) -> Values:
        return tuple(self._control.status)

    def _limits(self) -> Values:
        return tuple(self._control.limits)

    def _temps(self) -> Values:
        stator, inverter = self._temperatures()
        self._control.thermal_share = self.rating.thermal_share(stator, inverter)
        self._control.hot = self.rating.hot(stator, inverter)
        return stator, inverter, self.channels("coolant_degc", self.axle.coolant_degc)
