"""WLTC class 3b with the loop closed: driver, bus, firmware, inverters, car."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from hil.bench import Bench
from hil.plant.cycle import wltc_class3b

PUBLISHED_RANGE_KM = 470.0
USABLE_KWH = 75.0


@dataclass(frozen=True)
class CycleResult:
    """Energy over the cycle. `real_time_factor` is the only figure of the wall clock."""

    consumption_whpkm: float
    range_km: float
    distance_km: float
    outside_band_s: float
    worst_outside_kmh: float
    real_time_factor: float


def wltc(
    bench: Bench, seconds: int | None = None, progress: Callable[[float, float], None] | None = None
) -> CycleResult:
    """Drive the cycle in one-pedal mode from standstill in Drive.

    Args:
        seconds: drive only this much of it.
        progress: called with seconds driven and seconds in all, every 60 s of the cycle.
    """
    speeds_kmh = (wltc_class3b() * 3.6).tolist()
    if seconds is not None:
        speeds_kmh = speeds_kmh[: seconds + 1]
    length_s = len(speeds_kmh) - 1
    battery = bench.plant.battery
    start_wh, start_m = battery.terminal_energy_wh, bench.plant.distance_m
    follower = bench.driver.follow(speeds_kmh, one_pedal=True)
    wall_s = perf_counter()
    for second in range(60, length_s + 60, 60):
        bench.run(min(60, length_s - second + 60))
        if progress is not None:
            progress(min(second, length_s), length_s)
    wall_s = perf_counter() - wall_s
    distance_km = (bench.plant.distance_m - start_m) * 1e-3
    whpkm = (battery.terminal_energy_wh - start_wh) / distance_km
    return CycleResult(
        consumption_whpkm=whpkm,
        range_km=USABLE_KWH * 1000 / whpkm,
        distance_km=distance_km,
        outside_band_s=follower.outside_s,
        worst_outside_kmh=follower.worst_kmh,
        real_time_factor=length_s / wall_s,
    )


def measure_cycle(bench: Bench, result: CycleResult) -> None:
    """Note energy and range; the cycle must have been driven within its speed band, 1 s in all outside at most."""
    bench.note("wltc_consumption_whpkm", result.consumption_whpkm)
    bench.note("wltc_range_km", result.range_km, published=PUBLISHED_RANGE_KM, req="SP-08")
    bench.measure("wltc_outside_band_s", result.outside_band_s, 1.0, comment="outside +-2 km/h within +-1 s")
