"""The WLTC with another battery or another split: runs of their own that need no other process's objects."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hil.bench import Bench
from hil.judging.measure import Measurement
from hil.scenarios.cycle import measure_cycle, wltc
from hil.scenarios.tick import measure_tick
from hil.workshop import variant_calibration
from twinaxle.calibration import Calibration

RECORD_MS = 1000


@dataclass(frozen=True)
class CycleRun:
    """What one cycle measured; `error` is empty when nothing failed."""

    title: str
    text: str
    measurements: tuple[Measurement, ...]
    terminals_wh: float
    error: str


def half_and_half(calibration: Calibration) -> Calibration:
    """The same calibration with the thresholds of the split at zero: both axles always work."""
    items = dict(calibration.items)
    for name in ("split.threshold_drive_dnm", "split.threshold_regen_dnm"):
        items[name] = replace(items[name], values=(0,) * len(items[name].values))
    return replace(calibration, items=items)


def cycle_72kwh(seed: int) -> CycleRun:
    """With the 72 kWh pack and its calibration."""
    return _run(seed, "WLTC with the 72 kWh pack", "The pack's variant of car and calibration.", variant="72kWh")


def cycle_half_and_half(seed: int) -> CycleRun:
    """With both axles always at work."""
    text = "The same firmware with the split's thresholds at zero: both axles work whenever there is torque."
    return _run(seed, "WLTC half and half", text, calibration=half_and_half(variant_calibration("78kWh")))


def _run(
    seed: int, title: str, text: str, variant: str | None = None, calibration: Calibration | None = None
) -> CycleRun:
    bench = Bench(
        seed=seed,
        name=f"demo-{title}",
        record_period_ms=RECORD_MS,
        write_log=False,
        variant=variant,
        calibration=calibration,
    )
    error, terminals_wh = "", 0.0
    try:
        with bench:
            bench.start_up()
            result = wltc(bench)
            terminals_wh = result.terminals_wh
            measure_cycle(bench, result)
            measure_tick(bench)
    except AssertionError as failure:
        error = str(failure)
    return CycleRun(title, text, tuple(bench.measurements), terminals_wh, error)
