"""The pack: open-circuit voltage, resistance, state of charge, contactors and the DC link's capacitors."""

from __future__ import annotations

from bisect import bisect_right
from ctypes import Structure

from hil.native import structure
from hil.plant.parameters import Parameters


@structure
class Battery(Structure):
    """State of the pack and the link.

    Contactors (inputs): `main_closed`, `precharge_closed`. Truth: `soc` (0..1 of the gross capacity), `pack_voltage_v`
    at the pack's terminals, `pack_current_a` (discharge positive), `link_voltage_v`, `link_voltage_at_close_v` (on the
    link at the moment that the main contactor closed), `energy_wh` (out of the cells, discharge positive: what the
    usable energy is counted in), `terminal_energy_wh` (at the terminals), `heat_j` (in the cells), cell voltages and
    temperatures.
    """

    main_closed: bool
    precharge_closed: bool
    energy_j: float
    terminal_energy_j: float
    heat_j: float
    open_circuit_v: float
    link_voltage_v: float
    link_voltage_at_close_v: float
    pack_current_a: float
    pack_voltage_v: float
    cells_degc: float

    def __init__(self, parameters: Parameters) -> None:
        super().__init__()
        self.begin(parameters)

    def begin(self, parameters: Parameters) -> None:
        """Take the parameters: the initial state of charge, cells at the ambient temperature."""
        self.parameters = p = parameters.battery
        self._full_j = p.gross_kwh * 3.6e6
        self._start_soc = p.initial_soc
        self.cells_degc = p.ambient_degc
        self.rest()

    @property
    def soc(self) -> float:
        """State of charge, share of the gross energy."""
        return self._start_soc - self.energy_j / self._full_j

    @soc.setter
    def soc(self, soc: float) -> None:
        self._start_soc = soc + self.energy_j / self._full_j
        self.rest()

    @property
    def energy_wh(self) -> float:
        """Energy out of the cells so far, Wh."""
        return self.energy_j / 3600.0

    @property
    def terminal_energy_wh(self) -> float:
        """Energy out of the pack's terminals so far, Wh: less than that of the cells by the heat in the pack."""
        return self.terminal_energy_j / 3600.0

    def open_circuit_voltage_v(self, soc: float) -> float:
        """Pack voltage without current at this state of charge (0..1), by straight lines between the table's points."""
        p = self.parameters
        xs, ys = p.ocv_soc, p.ocv_cell_v
        i = min(max(bisect_right(xs, soc), 1), len(xs) - 1)
        share = (soc - xs[i - 1]) / (xs[i] - xs[i - 1])
        return p.cells_in_series * (ys[i - 1] + share * (ys[i] - ys[i - 1]))

    def rest(self) -> None:
        """Slow quantities: open-circuit voltage from the state of charge."""
        self.open_circuit_v = self.open_circuit_voltage_v(self.soc)
        if self.pack_current_a == 0.0:
            self.pack_voltage_v = self.open_circuit_v

    def current_for(self, power_w: float) -> float:
        """Pack current in A that gives this power at the terminals; the most powerful one if the pack can't."""
        resistance = self.parameters.resistance_ohm
        root = self.open_circuit_v * self.open_circuit_v - 4.0 * resistance * power_w
        return float((self.open_circuit_v - (root**0.5 if root > 0.0 else 0.0)) / (2.0 * resistance))

    def warm(self, heat_j: float, seconds: float) -> None:
        """Heat balance of the cells."""
        p = self.parameters
        self.cells_degc += (heat_j - p.cooling_wpk * (self.cells_degc - p.ambient_degc) * seconds) / p.heat_capacity_jpk

    @property
    def cell_min_degc(self) -> float:
        """Coldest cell."""
        return self.cells_degc - 0.5 * self.parameters.cell_spread_degc

    @property
    def cell_max_degc(self) -> float:
        """Hottest cell."""
        return self.cells_degc + 0.5 * self.parameters.cell_spread_degc

    @property
    def cell_min_v(self) -> float:
        """Lowest cell voltage under the present load."""
        return self.pack_voltage_v / self.parameters.cells_in_series - 0.5 * self.parameters.cell_spread_v

    @property
    def cell_max_v(self) -> float:
        """Highest cell voltage under the present load."""
        return self.pack_voltage_v / self.parameters.cells_in_series + 0.5 * self.parameters.cell_spread_v
