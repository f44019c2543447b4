"""The firmware's tick as the bus tells of it, at the end of any run."""

from __future__ import annotations

from hil.bench import Bench

HEAP_FREE_BYTES = 32 * 1024
"""RT-03."""


def measure_tick(bench: Bench) -> None:
    """Worst computing time and jitter of the tick, allocations and lost frames over the run."""
    timing = bench.latest("VcuTiming")
    bench.note(
        "worst_tick_us",
        timing.TickTimeMax,
        req="RT-01",
        comment="as the firmware sees it: the charged cost and interrupts",
    )
    bench.note("worst_tick_jitter_us", timing.TickJitterMax)
    bench.measure(
        "allocations_refused_count",
        sum("MemoryError" in text for text in bench.exceptions),
        0,
        req="RT-02",
        comment="every tick from Ready on runs under heap_lock, where any allocation raises",
    )
    bench.measure("heap_free_bytes", timing.HeapFree, at_least=HEAP_FREE_BYTES, req="RT-03", comment="after the start")
    bench.measure("received_frames_lost_frames", timing.RxOverruns, 0)
