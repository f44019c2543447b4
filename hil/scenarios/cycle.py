"""WLTC class 3b with the loop closed: driver, bus, firmware, inverters, car."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from hil.bench import Bench
from hil.plant.cycle import wltc_class3b
from hil.scenarios.split_energy import SplitEnergy, lost_wh, split_energy

PUBLISHED_RANGE_KM = 470.0
PUBLISHED_USABLE_KWH = 75.0

SPLIT_TO_BEST_PERCENT = 0.15
"""SP-01."""

MAPS_TO_PLANT_PERCENT = 1.0
"""Loss by the maps and the bus against the plant's own: 50 ms samples, 1 rpm and 0.1 Nm steps."""


@dataclass(frozen=True)
class CycleResult:
    """Energy over the cycle. `real_time_factor` is the only figure of the wall clock."""

    consumption_whpkm: float
    range_km: float
    distance_km: float
    outside_band_s: float
    worst_outside_kmh: float
    real_time_factor: float
    from_ns: int
    terminals_wh: float
    lost_wh: float
    """By both drive units."""


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
    from_ns, start_lost_wh = bench.kernel.now_ns, lost_wh(bench)
    start_wh, start_m = battery.terminal_energy_wh, bench.plant.distance_m
    follower = bench.driver.follow(speeds_kmh, one_pedal=True)
    wall_s = perf_counter()
    for second in range(60, length_s + 60, 60):
        bench.run(min(60, length_s - second + 60))
        if progress is not None:
            progress(min(second, length_s), length_s)
    wall_s = perf_counter() - wall_s
    distance_km = (bench.plant.distance_m - start_m) * 1e-3
    terminals_wh = battery.terminal_energy_wh - start_wh
    whpkm = terminals_wh / distance_km
    return CycleResult(
        consumption_whpkm=whpkm,
        range_km=bench.plant.parameters.battery.usable_kwh * 1000 / whpkm,
        distance_km=distance_km,
        outside_band_s=follower.outside_s,
        worst_outside_kmh=follower.worst_kmh,
        real_time_factor=length_s / wall_s,
        from_ns=from_ns,
        terminals_wh=terminals_wh,
        lost_wh=lost_wh(bench) - start_lost_wh,
    )


def measure_cycle(bench: Bench, result: CycleResult) -> None:
    """Note energy and range; the cycle must have been driven within its speed band, 1 s in all outside at most."""
    bench.note("wltc_consumption_whpkm", result.consumption_whpkm)
    usable = f"from {bench.plant.parameters.battery.usable_kwh:.0f} kWh"
    if bench.plant.parameters.battery.usable_kwh == PUBLISHED_USABLE_KWH:
        bench.measure(
            "wltc_range_km",
            result.range_km,
            published=PUBLISHED_RANGE_KM,
            tolerance_percent=3,
            req="SP-08",
            comment=usable,
        )
    else:
        bench.note("wltc_range_km", result.range_km, req="SP-08", comment=usable)
    bench.measure("wltc_outside_band_s", result.outside_band_s, 1.0, comment="outside +-2 km/h within +-1 s")


def measure_split(bench: Bench, result: CycleResult) -> SplitEnergy:
    """SP-01: the driven split against the best one and half and half, at the pack, on the drive as it was."""
    split = split_energy(bench, result.from_ns)
    by_maps_wh = split.driven_wh + split.drag_wh
    bench.measure(
        "loss_maps_to_plant_percent",
        100 * abs(by_maps_wh / result.lost_wh - 1),
        MAPS_TO_PLANT_PERCENT,
        comment=f"loss of both units: {by_maps_wh:.1f} Wh by the maps, {result.lost_wh:.1f} Wh in the plant",
    )
    best_wh = result.terminals_wh - split.driven_wh + split.best_wh
    half_wh = result.terminals_wh - split.driven_wh + split.half_wh
    bench.measure(
        "wltc_split_to_best_percent",
        100 * (result.terminals_wh / best_wh - 1),
        SPLIT_TO_BEST_PERCENT,
        req="SP-01",
        comment="energy above that of the best split offline, same torques and speeds",
    )
    bench.note(
        "wltc_saved_to_half_percent",
        100 * (1 - result.terminals_wh / half_wh),
        req="SP-01",
        comment="against half and half, offline on the same torques and speeds",
    )
    bench.note(
        "wltc_best_saved_to_half_percent", 100 * (1 - best_wh / half_wh), comment="what the best split would save"
    )
    return split
