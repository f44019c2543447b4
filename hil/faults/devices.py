"""Faults of sensors, actuators, inverters and the battery (HB-04)."""

from __future__ import annotations

from typing import Literal

from hil.faults.fault import Fault
from hil.faults.injector import Injector
from hil.nodes.base import Node
from hil.nodes.bms import Bms
from hil.nodes.inverter import Inverter, Lie, Report
from hil.nodes.names import pick

_LIES: tuple[Lie, ...] = ("echo", "frozen", "sign")


class DeviceFaults(Injector):
    """Each returns a `Fault`; `duration_ms` ends it by itself."""

    # --- sensors and actuators ---

    def sensor(
        self,
        node: str,
        channel: str,
        *,
        stuck: float | Literal["last"] | None = None,
        offset: float = 0.0,
        gain: float = 1.0,
        duration_ms: float | None = None,
    ) -> Fault:
        """A sensor lies to its node: value times `gain` plus `offset`, or stuck at a value, or where it is ("last").

        The channels and their units stand in each node's `CHANNELS`; an unknown one gives a UserError with near names.
        """
        return self._channel("sensor", node, channel, stuck, offset, gain, duration_ms)

    def actuator(
        self,
        node: str,
        channel: str,
        *,
        stuck: float | Literal["last"] | None = None,
        offset: float = 0.0,
        gain: float = 1.0,
        duration_ms: float | None = None,
    ) -> Fault:
        """What reaches the plant differs from what the node wants: as `sensor`, for INV_x target_torque_nm, PEDALS
        brake_actuator_bar.
        """
        return self._channel("actuator", node, channel, stuck, offset, gain, duration_ms)

    def _channel(
        self,
        kind: str,
        node: str,
        channel: str,
        stuck: float | Literal["last"] | None,
        offset: float,
        gain: float,
        duration_ms: float | None,
    ) -> Fault:
        unit = self._node(node, Node)
        text_unit = unit.channels.unit(channel)
        held: float | None = stuck if isinstance(stuck, int | float) else None

        def change(value: float) -> float:
            nonlocal held
            if stuck is None:
                return value * gain + offset
            held = value if held is None else held
            return held

        if stuck is not None:
            what = "stuck" if stuck == "last" else f"stuck at {stuck:g} {text_unit}"
        else:
            what = f"times {gain:g} {offset:+g} {text_unit}"
        fault = self._begin(f"{kind} {node} {channel} {what}", duration_ms)
        fault.on_clear(unit.channels.add(channel, change))
        return fault

    # --- inverters ---

    def inverter(self, node: str, code: str, *, duration_ms: float | None = None) -> Fault:
        """A protection of an inverter trips: a label of FaultCode. Hardware stays until its power is cut."""
        unit = self._node(node, Inverter)
        unit.inject(code)
        fault = self._begin(f"{node} {code}", duration_ms)
        fault.on_clear(lambda: unit.remove(code))
        return fault

    def lie(self, node: str, lie: str, *, reports: Report = "truth", duration_ms: float | None = None) -> Fault:
        """An inverter does not obey: "echo" answers without acting, "frozen" keeps its torque, "sign" turns it.

        `reports`: its status tells the "truth" of the torque, or the "request" as if it obeyed.
        """
        unit = self._node(node, Inverter)
        chosen = _lie(lie)
        fault = self._begin(f"{node} lies: {lie}, reports the {reports}", duration_ms)
        unit.lie_reports = reports
        unit.lie = chosen

        def end() -> None:
            unit.lie = None
            unit.lie_reports = "truth"

        fault.on_clear(end)
        return fault

    def enable_cut(self, node: str, *, duration_ms: float | None = None) -> Fault:
        """The wire of an inverter's enable line is cut: it reads low."""
        unit = self._node(node, Inverter)
        fault = self._begin(f"enable line of {node} cut", duration_ms)
        unit.enable_wire_cut = True

        def mend() -> None:
            unit.enable_wire_cut = False

        fault.on_clear(mend)
        return fault

    def enable_ignored(self, node: str, *, duration_ms: float | None = None) -> Fault:
        """An inverter's shut-off stage is broken: torque no longer falls with the enable line."""
        unit = self._node(node, Inverter)
        fault = self._begin(f"enable line of {node} without effect", duration_ms)
        unit.enable_ignored = True

        def mend() -> None:
            unit.enable_ignored = False

        fault.on_clear(mend)
        return fault

    # --- battery ---

    def weld(self, *, duration_ms: float | None = None) -> Fault:
        """The main contactor welds: closed, it stays so; open, it stays so from the next closing on."""
        return self._bms_switch("main contactor welded", "main_welded", True, duration_ms)

    def precharge_broken(self, *, duration_ms: float | None = None) -> Fault:
        """The precharge relay never closes: the link stays empty."""
        return self._bms_switch("precharge relay without effect", "precharge_broken", True, duration_ms)

    def precharge_open_load(self, *, duration_ms: float | None = None) -> Fault:
        """The link capacitors are not connected: the battery's measured link voltage jumps up with the precharge
        relay.
        """
        bms = self._bms()
        plant = bms.plant

        def unloaded(link_voltage_v: float) -> float:
            closed = plant.precharge_closed or plant.main_closed
            return plant.battery.pack_voltage_v if closed else link_voltage_v

        fault = self._begin("precharge without load", duration_ms)
        fault.on_clear(bms.channels.add("link_voltage_v", unloaded))
        return fault

    def hvil_open(self, *, duration_ms: float | None = None) -> Fault:
        """The high-voltage interlock loop is open."""
        return self._bms_switch("HVIL open", "hvil_closed", False, duration_ms)

    def bms_shutdown(self, *, duration_ms: float | None = None) -> Fault:
        """The battery reports FaultLevel Shutdown."""
        return self._bms_switch("BMS shutdown", "shutdown", True, duration_ms)

    def _bms(self) -> Bms:
        return self._node("BMS", Bms)

    def _bms_switch(self, text: str, attribute: str, value: bool, duration_ms: float | None) -> Fault:
        bms = self._bms()
        fault = self._begin(text, duration_ms)
        before = getattr(bms, attribute)
        setattr(bms, attribute, value)
        fault.on_clear(lambda: setattr(bms, attribute, before))
        return fault


def _lie(name: str) -> Lie:
    """The name, checked. Raises UserError for an unknown one."""
    chosen = pick(name, _LIES, "lie of an inverter")
    return next(lie for lie in _LIES if lie == chosen)
