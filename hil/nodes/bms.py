"""The virtual battery management: contactors with precharge, power limits, and what the pack measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from hil.native import memory
from hil.nodes.base import NS_PER_MS, Node, Provider, Values
from hil.nodes.bms_rating import BmsRating
from hil.nodes.layout import layout_of, take
from hil.nodes.messages import Choices

if TYPE_CHECKING:
    from hil.bus import Bus
    from hil.kernel import Kernel
    from hil.plant import Plant
    from twinaxle.dbc import Database

ContactorState = Literal["Open", "Precharge", "Closed", "Opening", "Welded", "Invalid"]
FaultLevel = Literal["None", "Warning", "Derate", "Shutdown"]


@dataclass(frozen=True, slots=True)
class OpenedUnderLoad:
    """A contactor opened with more than 20 A through it."""

    time_ns: int
    current_a: float


class Bms(Node):
    """BMS.

    For the bench:
        `contactor_state`, `fault_level`, `request` ("Off", "Drive", "Charge"), as on the bus.
        `opened_under_load`: every opening above 20 A, with time and current.
        `plug_connected`: a plug in the socket. `hvil_closed`: the interlock loop.
        `discharge_limit_w`, `charge_limit_w`: a lower limit than the rating's, or None.
        `shutdown`: True raises FaultLevel Shutdown.
        `on_contactor`: called when the main contactor has opened or closed; put `Inverter.contactor_moved` into it.
    For faults: `main_welded`, `precharge_broken` (the relay never closes), and the channels.

    Contactors: Open -> (HvRequest Drive, or Charge with a plug; HVIL closed, no shutdown fault) Precharge -> (link at
    95 % of the pack and within 20 V for 100 ms) Closed -> (HvRequest Off) Opening, until 20 A or less flow, 1 s at
    most -> Open. Precharge that takes more than 3 s ends in Open and needs HvRequest Off before the next try. A
    contactor that is still closed 100 ms after it lost its coil is Welded; nothing closes any more until the weld is
    gone. No good VcuHvCommand for the RxTimeout in the database is as good as HvRequest Off. HVIL open or Shutdown:
    the pack waits 5 s for the request to open, then opens by itself.
    """

    CHANNELS: ClassVar[dict[str, str]] = {
        "pack_voltage_v": "V",
        "link_voltage_v": "V",
        "pack_current_a": "A",
        "soc_percent": "%",
        "isolation_kohm": "kOhm",
        "cell_min_degc": "degC",
        "cell_max_degc": "degC",
        "cell_min_v": "V",
        "cell_max_v": "V",
    }

    def __init__(
        self,
        kernel: Kernel,
        bus: Bus,
        plant: Plant,
        *,
        rating: BmsRating | None = None,
        seed: int = 0,
        present: bool = True,
        database: Database | None = None,
    ) -> None:
        super().__init__(kernel, bus, "BMS", seed=seed, present=present, database=database)
        self.plant = plant
        self.rating = rating or BmsRating()
        self._request_of = {raw: label for label, raw in Choices(self.message("VcuHvCommand"), "HvRequest").raw.items()}
        self._request_at = [s.name for s in self.message("VcuHvCommand").application_signals].index("HvRequest")
        self._contactor_raw = Choices(self.message("BmsPack"), "ContactorState").raw
        self._level_raw = Choices(self.message("BmsStatus"), "FaultLevel").raw
        self._request_timeout_ns = self.message("VcuHvCommand").rx_timeout_ms * NS_PER_MS
        pack = plant.parameters.battery
        self._usable_share = pack.usable_kwh / pack.gross_kwh
        self._reserve_share = 0.5 * (1.0 - self._usable_share)
        self.plug_connected = False
        self.hvil_closed = True
        self.shutdown = False
        self.discharge_limit_w: float | None = None
        self.charge_limit_w: float | None = None
        self.precharge_broken = False
        self.opened_under_load: list[OpenedUnderLoad] = []
        self.on_contactor: list[Callable[[], None]] = []
        self._main_welded = False
        self._main_coil = False
        self.contactor_state: ContactorState = "Open"
        self._reset_software()
        self.listen_words("VcuHvCommand", self._on_request)

    # --- power and faults ---

    def started(self) -> None:
        self._reset_software()

    def stopped(self) -> None:
        """The coils fall without power, load or not."""
        self.plant.advance(self.kernel.now_ns)
        self._set_precharge(False)
        self._set_main(False)
        self.contactor_state = "Open"

    @property
    def main_welded(self) -> bool:
        return self._main_welded

    @main_welded.setter
    def main_welded(self, welded: bool) -> None:
        """A weld keeps the contactor as it is if closed, and for good once it closes."""
        self._main_welded = welded
        self._set_main(self._main_coil)

    def _reset_software(self) -> None:
        self.contactor_state = "Open"
        self.fault_level: FaultLevel = "None"
        self.request = "Off"
        self._command = layout_of(self.message("VcuHvCommand"))
        self._command_memory = memory(self._command)
        self._request_ns = self.kernel.now_ns
        self._since_ns = self.kernel.now_ns
        self._near_since_ns: int | None = None
        self._unsafe_since_ns: int | None = None
        self._refused = False
        self._limits_w = (0.0, 0.0)
        self._work_out()

    # --- contactors ---

    def _on_request(self, length: int, data: int) -> None:
        if not self.powered or not take(self._command_memory, length, data):
            return
        self.request = self._request_of.get(int(self._command.values[self._request_at]), "Off")
        self._request_ns = self.kernel.now_ns
        self._step()

    def cyclic(self) -> None:
        self._step()

    def _step(self) -> None:
        """One pass of the contactor logic."""
        now = self.kernel.now_ns
        self.plant.advance(now)
        if now - self._request_ns > self._request_timeout_ns:
            self.request = "Off"
        if self.request == "Off":
            self._refused = False
        wanted = self._wanted(now)
        state = self.contactor_state
        if state == "Closed":
            if not wanted:
                self._enter("Opening")
            elif self.plant.precharge_closed and self._elapsed_ms() > self.rating.precharge_overlap_ms:
                self._set_precharge(False)
        elif state == "Open":
            if self._mirror_closed() and self._elapsed_ms() >= self.rating.weld_check_ms:
                self._enter("Welded")
            elif wanted and not self._refused and self._elapsed_ms() >= self.rating.weld_check_ms:
                self._near_since_ns = None
                self._enter("Precharge")
                self._set_precharge(True)
        elif state == "Precharge":
            self._precharge(now, wanted)
        elif state == "Opening":
            self._opening()
        elif state == "Welded" and not self._mirror_closed():
            self._enter("Open")

    def _wanted(self, now: int) -> bool:
        """Whether the contactors are asked for and may be closed."""
        unsafe = not self.hvil_closed or self.fault_level == "Shutdown"
        if not unsafe:
            self._unsafe_since_ns = None
        elif self._unsafe_since_ns is None:
            self._unsafe_since_ns = now
        if self.request == "Off" or (self.request == "Charge" and not self.plug_connected):
            return False
        if self._unsafe_since_ns is None:
            return True
        waited_ns = now - self._unsafe_since_ns
        return self.contactor_state == "Closed" and waited_ns < self.rating.forced_open_ms * NS_PER_MS

    def _precharge(self, now: int, wanted: bool) -> None:
        rating = self.rating
        pack, link = self._pack_voltage(), self._link_voltage()
        near = link >= rating.precharge_share * pack and pack - link <= rating.precharge_within_v
        if not near:
            self._near_since_ns = None
        elif self._near_since_ns is None:
            self._near_since_ns = now
        if not wanted:
            self._set_precharge(False)
            self._enter("Open")
        elif self._near_since_ns is not None and now - self._near_since_ns >= rating.precharge_hold_ms * NS_PER_MS:
            self._set_main(True)
            self._enter("Closed")
        elif self._elapsed_ms() > rating.precharge_max_ms:
            self._set_precharge(False)
            self._refused = True
            self._enter("Open")

    def _opening(self) -> None:
        current = self._current()
        if abs(current) > self.rating.open_load_a and self._elapsed_ms() < self.rating.open_wait_ms:
            return
        self._set_precharge(False)
        self._set_main(False)
        self._enter("Open")

    def _set_main(self, closed: bool) -> None:
        """Main contactor coil. The contact follows it, unless welded."""
        plant = self.plant
        plant.advance(self.kernel.now_ns)
        self._main_coil = closed
        contact = closed or (self._main_welded and plant.main_closed)
        if plant.main_closed and not contact:
            current = plant.battery.pack_current_a
            if abs(current) > self.rating.open_load_a:
                self.opened_under_load.append(OpenedUnderLoad(self.kernel.now_ns, current))
        if plant.main_closed != contact:
            plant.main_closed = contact
            for action in self.on_contactor:
                action()

    def _set_precharge(self, closed: bool) -> None:
        self.plant.precharge_closed = closed and not self.precharge_broken

    def _mirror_closed(self) -> bool:
        """Mirror contact of the main contactor."""
        return self.plant.main_closed

    def _enter(self, state: ContactorState) -> None:
        self.contactor_state = state
        self._since_ns = self.kernel.now_ns

    def _elapsed_ms(self) -> float:
        """Time in this contactor state."""
        return (self.kernel.now_ns - self._since_ns) / NS_PER_MS

    # --- what it measures and sends ---

    def _pack_voltage(self) -> float:
        return self.channels("pack_voltage_v", self.plant.battery.pack_voltage_v)

    def _link_voltage(self) -> float:
        return self.channels("link_voltage_v", self.plant.link_voltage_v)

    def _current(self) -> float:
        return self.channels("pack_current_a", self.plant.battery.pack_current_a)

    def _isolation(self) -> float:
        return self.channels("isolation_kohm", self.rating.isolation_kohm)

    def _soc(self) -> float:
        """State of charge of the usable energy, %; the reserve lies half above, half below it (assumed)."""
        percent = (self.plant.battery.soc - self._reserve_share) / self._usable_share * 100.0
        percent = 0.0 if percent < 0.0 else 100.0 if percent > 100.0 else percent
        return self.channels("soc_percent", percent) if self.channels.active else percent

    def _cells(self) -> tuple[float, float, float, float]:
        """Coldest, hottest (degC), lowest, highest (V)."""
        battery, channels = self.plant.battery, self.channels
        return (
            channels("cell_min_degc", battery.cell_min_degc),
            channels("cell_max_degc", battery.cell_max_degc),
            channels("cell_min_v", battery.cell_min_v),
            channels("cell_max_v", battery.cell_max_v),
        )

    def _assess(self, coldest: float, hottest: float, lowest: float, highest: float) -> FaultLevel:
        rating, isolation = self.rating, self._isolation()
        if (
            self.shutdown
            or isolation < rating.isolation_shutdown_kohm
            or highest > rating.cell_over_voltage_v
            or lowest < rating.cell_under_voltage_v
            or hottest > rating.cell_over_degc
        ):
            return "Shutdown"
        if rating.discharge_power_w(100.0, coldest, hottest) < rating.discharge_power_w(100.0, 25.0, 25.0):
            return "Derate"
        return "Warning" if isolation < rating.isolation_warning_kohm else "None"

    def providers(self) -> dict[str, Provider]:
        return {"BmsLimits": self._bms_limits, "BmsPack": self._bms_pack, "BmsStatus": self._bms_status}

    def _bms_limits(self) -> Values:
        discharge, charge = self._limits_w
        if self.discharge_limit_w is not None:
            discharge = min(discharge, self.discharge_limit_w)
        if self.charge_limit_w is not None:
            charge = min(charge, self.charge_limit_w)
        return discharge, charge, self._soc()

    def _work_out(self) -> tuple[float, float, float, float]:
        """Fault level and power limits, which change slowly: with each BmsStatus. Returns the cells as measured."""
        cells = coldest, hottest, _, _ = self._cells()
        self.fault_level = self._assess(*cells)
        if self.fault_level == "Shutdown":
            self._limits_w = (0.0, 0.0)
            return cells
        soc, rating = self._soc(), self.rating
        self._limits_w = (
            rating.discharge_power_w(soc, coldest, hottest),
            rating.charge_power_w(soc, coldest, hottest),
        )
        return cells

    def channels_changed(self) -> None:
        self._work_out()

    def _bms_pack(self) -> Values:
        contactors = self._contactor_raw[self.contactor_state]
        if not self.channels.active:
            battery = self.plant.battery
            voltage, link, current = battery.pack_voltage_v, battery.link_voltage_v, battery.pack_current_a
            return contactors, voltage, link, current, self.rating.isolation_kohm
        return (
            contactors,
            self._pack_voltage(),
            self._link_voltage(),
            self._current(),
            self._isolation(),
        )

    def _bms_status(self) -> Values:
        coldest, hottest, lowest, highest = self._work_out()
        charging = self.plug_connected and self.contactor_state == "Closed" and self.request == "Charge"
        return (
            self._level_raw[self.fault_level],
            self.hvil_closed,
            coldest,
            hottest,
            lowest * 1000.0,
            highest * 1000.0,
            self.plug_connected,
            charging,
        )
