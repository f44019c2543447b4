"""What the virtual battery allows, and the times of its contactors. All numbers are assumed (mark A) unless said."""

from __future__ import annotations

from dataclasses import dataclass


def interpolate(points: tuple[tuple[float, float], ...], x: float) -> float:
    """Straight lines between points of rising x, constant outside."""
    x0, y0 = points[0]
    if x <= x0:
        return y0
    for x1, y1 in points[1:]:
        if x < x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
        x0, y0 = x1, y1
    return y0


@dataclass(frozen=True, slots=True)
class BmsRating:
    """Limits, times and thresholds of the pack.

    Discharge: 370 kW at 30 % SoC and more, enough for 300 kW at the shafts (published) with the losses of both units;
    falls to 90 kW at 5 % and to nothing at 0 %. Charge: 150 kW (published for DC charging) up to 80 % SoC, nothing at
    100 %. Both fade with the cells cold or hot.
    """

    discharge_by_soc_w: tuple[tuple[float, float], ...] = ((0.0, 0.0), (5.0, 90e3), (15.0, 250e3), (30.0, 370e3))
    charge_by_soc_w: tuple[tuple[float, float], ...] = ((80.0, 150e3), (95.0, 50e3), (100.0, 0.0))
    discharge_by_degc: tuple[tuple[float, float], ...] = ((-20.0, 0.2), (10.0, 1.0), (48.0, 1.0), (58.0, 0.0))
    charge_by_degc: tuple[tuple[float, float], ...] = ((-5.0, 0.0), (15.0, 1.0), (45.0, 1.0), (55.0, 0.0))

    precharge_share: float = 0.95  # SM-02
    precharge_within_v: float = 20.0  # SM-02
    precharge_hold_ms: float = 100.0  # SM-02
    precharge_max_ms: float = 3000.0  # SM-02
    precharge_overlap_ms: float = 50.0  # both closed before the precharge relay opens
    open_load_a: float = 20.0  # SM-06: no contactor opens above it
    open_wait_ms: float = 1000.0  # longest wait for the current to fall; then the contactor opens all the same
    weld_check_ms: float = 100.0  # the mirror contact is read this long after the coil lost its voltage
    forced_open_ms: float = 5000.0  # HVIL open or a shutdown fault, and nobody asks to open
    isolation_kohm: float = 2000.0
    isolation_warning_kohm: float = 200.0  # 500 Ohm/V
    isolation_shutdown_kohm: float = 40.0  # 100 Ohm/V
    cell_over_voltage_v: float = 4.25
    cell_under_voltage_v: float = 2.5
    cell_over_degc: float = 60.0

    def discharge_power_w(self, soc_percent: float, coldest_degc: float, hottest_degc: float) -> float:
        """Power that may be drawn, W (0 or more)."""
        return _limit(self.discharge_by_soc_w, self.discharge_by_degc, soc_percent, coldest_degc, hottest_degc)

    def charge_power_w(self, soc_percent: float, coldest_degc: float, hottest_degc: float) -> float:
        """Power that may be fed in, W (0 or more)."""
        return _limit(self.charge_by_soc_w, self.charge_by_degc, soc_percent, coldest_degc, hottest_degc)


def _limit(
    by_soc: tuple[tuple[float, float], ...],
    by_degc: tuple[tuple[float, float], ...],
    soc_percent: float,
    coldest_degc: float,
    hottest_degc: float,
) -> float:
    share = min(interpolate(by_degc, coldest_degc), interpolate(by_degc, hottest_degc))
    return interpolate(by_soc, soc_percent) * share
