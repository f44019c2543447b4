"""The firmware's tick as the bus tells of it, at the end of any run."""

from __future__ import annotations

from hil.bench import TICK_MAX_US, Bench


def measure_tick(bench: Bench) -> None:
    """Worst computing time and jitter of the tick, allocations and lost frames over the run."""
    timing = bench.latest("VcuTiming")
    bench.measure(
        "worst_tick_us", timing.TickTimeMax, TICK_MAX_US, req="RT-01", comment="charged at the board's tick cost"
    )
    bench.note("worst_tick_jitter_us", timing.TickJitterMax)
    bench.measure(
        "allocations_refused_count",
        sum("MemoryError" in text for text in bench.exceptions),
        0,
        req="RT-02",
        comment="every tick from Ready on runs under heap_lock, where any allocation raises",
    )
    bench.measure("received_frames_lost_frames", timing.RxOverruns, 0)
