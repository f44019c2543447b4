"""The firmware's tick as the bus tells of it, at the end of any run."""

from __future__ import annotations

from hil.bench import Bench

HEAP_FREE_BYTES = 32 * 1024
"""RT-03."""


def measure_tick(bench: Bench) -> None:
    """Worst computing time and jitter of the tick, allocations and lost frames over the run."""
    bench.note(
        "worst_tick_us",
        bench.worst("VcuTiming", "TickTimeMax"),
        req="RT-01",
        comment="the charged cost; interrupts meanwhile delay the tick's frames, but do not show here",
    )
    bench.note(
        "worst_tick_jitter_us",
        bench.worst("VcuTiming", "TickJitterMax"),
        comment="interrupts that hold up the beginning of a tick",
    )
    bench.measure(
        "allocations_refused_count",
        sum("MemoryError" in text for text in bench.exceptions),
        0,
        req="RT-02",
        comment="every tick from Ready on runs under heap_lock, where any allocation raises",
    )
    heap_free = bench.latest("VcuTiming").HeapFree
    bench.measure("heap_free_bytes", heap_free, at_least=HEAP_FREE_BYTES, req="RT-03", comment="after the start")
    bench.measure("received_frames_lost_frames", bench.worst("VcuTiming", "RxOverruns"), 0)
